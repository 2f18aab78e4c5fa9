import { realpath } from "node:fs/promises";
import type { ContainerFact, ExecFact, Facts, Known, Question } from "../decision/decision.ts";
import { errorCode, Failure } from "../failure.ts";
import { isObject, type JsonObject, type JsonValue } from "../request/json.ts";
import { engineLimits, parseJson } from "../request/json-reader.ts";
import type { PinnedImages } from "./pinned-images.ts";
import type { Creates, Turn } from "./quotas.ts";
import type { Engine } from "./upstream.ts";

/** Where answers come from. */
export interface Sources {
  readonly engine: Pick<Engine, "ask">;
  readonly apiVersion: string;
  readonly pinnedImages: PinnedImages["ids"];
  /** The value of the label that makes a container one of ours. */
  readonly owner: string;
  readonly creates: Creates;
}

/** The facts of one request, which grow as questions are answered. */
export interface Inquiry {
  readonly facts: Facts;
  /** Answers all, or throws a `Failure`; a question that was answered before is one too, since asking again is endless. */
  readonly establish: (questions: readonly Question[]) => Promise<void>;
  /** Held since somebody asked how many sandboxes there are; whoever holds the inquiry releases it. */
  readonly turn: () => Turn | undefined;
}

type Fetched =
  | { readonly kind: "container"; readonly value: ContainerFact | undefined }
  | { readonly kind: "exec"; readonly value: ExecFact | undefined }
  | { readonly kind: "image" | "path"; readonly value: string | undefined }
  | { readonly kind: "sandboxes"; readonly value: { readonly alive: number; readonly createdLastMinute: number } };

const questionsMax = 256;

/** Begins with nothing known but what was established when the guard started. */
export function beginInquiry(sources: Sources, signal: AbortSignal): Inquiry {
  const answers = new Map<string, Fetched>();
  let turn: Turn | undefined;
  const fetch = async (question: Question): Promise<Fetched> => {
    if (question.kind === "sandboxes") turn = await sources.creates.turn(signal);
    return answer(sources, question, signal);
  };
  return {
    facts: factsOf(sources, answers),
    turn: () => turn,
    async establish(questions) {
      const fresh = new Map(questions.map((question) => [keyOf(question), question]));
      if ([...fresh.keys()].some((key) => answers.has(key)) || answers.size + fresh.size > questionsMax)
        throw new Failure("decision.endless", 500, "the request asks for the same facts again and again");
      const fetched = await Promise.all(
        [...fresh].map(async ([key, question]) => [key, await fetch(question)] as const),
      );
      for (const [key, value] of fetched) answers.set(key, value);
    },
  };
}

function keyOf(question: Question): string {
  switch (question.kind) {
    case "container":
    case "image":
      return `${question.kind} ${question.reference}`;
    case "exec":
      return `exec ${question.id}`;
    case "path":
      return `path ${question.path}`;
    case "sandboxes":
      return "sandboxes";
  }
}

function factsOf({ apiVersion, pinnedImages }: Sources, answers: ReadonlyMap<string, Fetched>): Facts {
  const get = (question: Question): { readonly found: Fetched | undefined; readonly unknown: Known<never> } => ({
    found: answers.get(keyOf(question)),
    unknown: { known: false, question },
  });
  return {
    engine: { apiVersion },
    pinnedImages,
    container(reference) {
      const { found, unknown } = get({ kind: "container", reference });
      return found?.kind === "container" ? { known: true, value: found.value } : unknown;
    },
    exec(id) {
      const { found, unknown } = get({ kind: "exec", id });
      return found?.kind === "exec" ? { known: true, value: found.value } : unknown;
    },
    image(reference) {
      const { found, unknown } = get({ kind: "image", reference });
      return found?.kind === "image" ? { known: true, value: found.value } : unknown;
    },
    path(path) {
      const { found, unknown } = get({ kind: "path", path });
      return found?.kind === "path" ? { known: true, value: found.value } : unknown;
    },
    sandboxes() {
      const { found, unknown } = get({ kind: "sandboxes" });
      return found?.kind === "sandboxes" ? { known: true, value: found.value } : unknown;
    },
  };
}

async function answer(sources: Sources, question: Question, signal: AbortSignal): Promise<Fetched> {
  const { engine, apiVersion, owner, creates } = sources;
  switch (question.kind) {
    case "container":
      return { kind: "container", value: await lookUpContainer(engine, apiVersion, question.reference, signal) };
    case "exec":
      return { kind: "exec", value: await lookUpExec(engine, apiVersion, question.id, signal) };
    case "image":
      return { kind: "image", value: await lookUpImage(engine, apiVersion, question.reference, signal) };
    case "path":
      return { kind: "path", value: await lookUpPath(question.path) };
    case "sandboxes": {
      const own = await listSandboxes(engine, apiVersion, owner, signal);
      return { kind: "sandboxes", value: { alive: own.length, createdLastMinute: creates.lastMinute() } };
    }
  }
}

/** A container by name, id or the beginning of an id; undefined where the engine knows none. */
export async function lookUpContainer(
  engine: Sources["engine"],
  apiVersion: string,
  reference: string,
  signal?: AbortSignal,
): Promise<ContainerFact | undefined> {
  // Anything else is no name that the engine could have given, and must not become another path.
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(reference)) return undefined;
  const inspected = await inspect(engine, `/v${apiVersion}/containers/${reference}/json`, signal);
  return inspected && containerFact(inspected);
}

/** The id of an image by any reference; undefined where the engine has none. */
export async function lookUpImage(
  engine: Sources["engine"],
  apiVersion: string,
  reference: string,
  signal?: AbortSignal,
): Promise<string | undefined> {
  if (!/^[A-Za-z0-9][A-Za-z0-9_.:@/-]*$/.test(reference) || /\/[./]|[./]\/|\.\.$/.test(reference)) return undefined;
  const inspected = await inspect(engine, `/v${apiVersion}/images/${reference}/json`, signal);
  return inspected && text(inspected, "Id");
}

/** The ids of all containers of this owner, running or not. */
export async function listSandboxes(
  engine: Sources["engine"],
  apiVersion: string,
  owner: string,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const filters = encodeURIComponent(JSON.stringify({ label: [`sandbox-deploy.guard=${owner}`] }));
  const listed = await askJson(engine, `/v${apiVersion}/containers/json?all=1&filters=${filters}`, signal);
  if (!Array.isArray(listed)) throw unexpected("a list of containers that is none");
  return listed.map((each: JsonValue) => text(each, "Id"));
}

async function lookUpExec(
  engine: Sources["engine"],
  apiVersion: string,
  id: string,
  signal: AbortSignal,
): Promise<ExecFact | undefined> {
  if (!/^[0-9a-f]{64}$/.test(id)) return undefined;
  const inspected = await inspect(engine, `/v${apiVersion}/exec/${id}/json`, signal);
  if (inspected === undefined) return undefined;
  const process = inspected.get("ProcessConfig");
  if (!isObject(process)) throw unexpected("a command of which it says nothing");
  const user = process.get("user") ?? "";
  if (typeof user !== "string") throw unexpected("a command of a user that is none");
  return { containerId: text(inspected, "ContainerID"), privileged: process.get("privileged") !== false, user };
}

async function lookUpPath(path: string): Promise<string | undefined> {
  try {
    return await realpath(path);
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new Failure("path.unreadable", 502, `a path could not be followed to where it leads (${code})`);
  }
}

async function inspect(
  engine: Sources["engine"],
  target: string,
  signal: AbortSignal | undefined,
): Promise<JsonObject | undefined> {
  const inspected = await askJson(engine, target, signal);
  if (inspected !== undefined && !isObject(inspected)) throw unexpected("something that is no object");
  return inspected;
}

/** Undefined for 404; every other answer than 200 is a failure, never a fact. */
async function askJson(
  engine: Sources["engine"],
  target: string,
  signal: AbortSignal | undefined,
): Promise<JsonValue | undefined> {
  const { status, body } = await engine.ask(target, signal);
  if (status === 404) return undefined;
  if (status !== 200) throw unexpected(`status ${status}`);
  const parsed = parseJson(body, engineLimits);
  if (!parsed.ok) throw unexpected("something that is no JSON");
  return parsed.value;
}

function unexpected(what: string): Failure {
  return new Failure("engine.inspect", 502, `the Docker engine answered a question of the guard with ${what}`);
}

function text(value: JsonValue | undefined, field: string): string {
  const found = isObject(value) ? value.get(field) : undefined;
  if (typeof found !== "string" || found === "") throw unexpected(`no ${field}`);
  return found;
}

/** What is known of a container, from the engine's own JSON; a `Failure` where that is not what it should be. */
export function containerFact(inspected: JsonObject): ContainerFact {
  const state = inspected.get("State");
  const config = inspected.get("Config");
  const labels = isObject(config) ? config.get("Labels") : undefined;
  const entries = isObject(labels) ? [...labels] : [];
  return {
    id: text(inspected, "Id"),
    name: text(inspected, "Name").replace(/^\//, ""),
    imageId: text(inspected, "Image"),
    running: isObject(state) && state.get("Running") === true,
    labels: Object.fromEntries(entries.flatMap(([key, value]) => (typeof value === "string" ? [[key, value]] : []))),
    inspected,
  };
}
