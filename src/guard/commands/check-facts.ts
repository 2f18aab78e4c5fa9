import * as z from "zod";
import type { ClientRequest, ContainerFact, Facts, Known, Question } from "../decision/decision.ts";
import { containerFact } from "../engine/facts.ts";
import { isObject } from "../request/json.ts";
import { engineLimits, parseJson } from "../request/json-reader.ts";

/** Of the oldest engine that the guard is tried with. */
const usualVersion = "1.41";

const factsSchema = z.strictObject({
  apiVersion: z.string().default(usualVersion),
  /** References of images and their ids; those of the policy count as pinned. */
  images: z.record(z.string(), z.string()).default({}),
  pinnedImages: z.record(z.string(), z.string()).optional(),
  /** By name, what `docker inspect` says. */
  containers: z.record(z.string(), z.looseObject({ Id: z.string() })).default({}),
  execs: z.record(z.string(), z.string()).default({}),
  /** Paths and where they really lead. */
  paths: z.record(z.string(), z.string()).default({}),
  sandboxes: z.strictObject({ alive: z.int(), createdLastMinute: z.int() }).default({ alive: 0, createdLastMinute: 0 }),
});

/** Facts as a file tells them: what it does not name does not exist. Throws with everything that is wrong with it. */
export function readCheckFacts(text: string): Facts {
  const parsed = factsSchema.safeParse(JSON.parse(text));
  if (!parsed.success) throw new Error(z.prettifyError(parsed.error));
  const { apiVersion, images, containers, execs, paths, sandboxes, pinnedImages = images } = parsed.data;
  const facts = Object.entries(containers).map(([name, inspected]) => readContainer(name, inspected));
  const exec = (id: string) =>
    Object.hasOwn(execs, id) ? { containerId: execs[id] ?? "", privileged: false, user: "" } : undefined;
  const own = (values: Readonly<Record<string, string>>, key: string) =>
    Object.hasOwn(values, key) ? values[key] : undefined;
  return {
    engine: { apiVersion },
    pinnedImages: new Map(Object.entries(pinnedImages)),
    container: (reference) => ({
      known: true,
      value: facts.find(({ name, id }) => name === reference || id.startsWith(reference)),
    }),
    exec: (id) => ({ known: true, value: exec(id) }),
    image: (reference) => ({ known: true, value: own(images, reference) }),
    path: (path) => ({ known: true, value: own(paths, path) }),
    sandboxes: () => ({ known: true, value: sandboxes }),
  };
}

function readContainer(name: string, inspected: object): ContainerFact {
  const text = JSON.stringify({ Name: `/${name}`, Image: "sha256:", ...inspected });
  const parsed = parseJson(new TextEncoder().encode(text), engineLimits);
  if (!parsed.ok || !isObject(parsed.value)) throw new Error(`the container ${name} cannot be read`);
  return { ...containerFact(parsed.value), name };
}

/** What is known where nobody can be asked: nothing. The engine is taken to speak the version that the request names. */
export function unknownFacts({ target }: ClientRequest): Facts {
  const unknown = (question: Question): Known<never> => ({ known: false, question });
  return {
    engine: { apiVersion: /^\/v(1\.\d{2})\//.exec(target)?.[1] ?? usualVersion },
    pinnedImages: new Map(),
    container: (reference) => unknown({ kind: "container", reference }),
    exec: (id) => unknown({ kind: "exec", id }),
    image: (reference) => unknown({ kind: "image", reference }),
    path: (path) => unknown({ kind: "path", path }),
    sandboxes: () => unknown({ kind: "sandboxes" }),
  };
}
