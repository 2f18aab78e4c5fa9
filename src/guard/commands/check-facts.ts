import * as z from "zod";
import type { ContainerFact, Facts } from "../decision/decision.ts";
import { containerFact } from "../engine/facts.ts";
import { isObject } from "../request/json.ts";
import { engineLimits, parseJson } from "../request/json-reader.ts";

const factsSchema = z.strictObject({
  apiVersion: z.string().default("1.41"),
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
