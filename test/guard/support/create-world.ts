import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { BodyDecision, Verdict } from "../../../src/guard/decision/body-decision.ts";
import type { Facts, Known, Question } from "../../../src/guard/decision/decision.ts";
import { decideCreate } from "../../../src/guard/model/container-create.ts";
import { type Policy, type PolicyReading, readPolicy } from "../../../src/guard/policy/policy.ts";
import {
  isObject,
  type JsonObject,
  type JsonValue,
  jsonInteger,
  serializeJson,
} from "../../../src/guard/request/json.ts";
import { parseJson } from "../../../src/guard/request/json-reader.ts";

/** The id that every allowed image has in these tests. */
export const imageId = `sha256:${"1".repeat(64)}`;

/** A policy that allows something of every kind. */
export const roomyText = `
owner: tests
images: ["team/sandbox:1"]
names: 'box-[a-z0-9]+'
unnamed: true
network: sandboxes
ports: { container: [8080, 8082], hostAddress: 172.17.0.1, hostFrom: 8080, hostTo: 8099 }
binds:
  root: /srv/data
  allowed:
    - { source: 'shared/.*', target: '/.*', readOnly: true }
    - { source: '[a-z0-9]+', target: '/[a-z0-9/]+' }
volumes:
  - { name: 'frozen-.*', target: '/[a-z]+', readOnly: true }
  - { name: 'cache-[0-9]', target: '/[a-z]+' }
extraHosts: ["host.docker.internal:host-gateway"]
limits: { memory: 256m, cpus: 1.5, pids: 64, shm: 32m, tmpfs: 16m, logSize: 5m, logFiles: 3, stopSeconds: 20 }
capabilities: [CHOWN, SETUID, SETGID]
writableRoot: true
labels: ['app\\.[a-z]+']
sandboxes: { alive: 5, createsPerMinute: 10 }
operations: { exec: true, attach: true, pull: true, pause: true, archive: true, events: true }
`;

/** Reads a policy that has to be valid. */
export function policyOf(text: string, defaults: Parameters<typeof readPolicy>[1] = {}): Policy {
  const reading: PolicyReading = readPolicy(text, defaults);
  if (!reading.ok) throw new Error(reading.findings.map(({ message }) => message).join("\n"));
  return reading.policy;
}

export const roomy: Policy = policyOf(roomyText);

/** One of the policies to copy; the default one gets what the stack would give it. */
export function preset(name: string): Policy {
  const text = readFileSync(join(import.meta.dirname, "../../../templates/guard", `${name}.yaml`), "utf8");
  return policyOf(text, name === "default" ? { owner: "agents", images: ["sandbox-deploy/sandbox:0.1.0"] } : {});
}

/** What a real client sent, as text. */
export function recordedBody(name: string): string {
  return readFileSync(join(import.meta.dirname, "../bodies", `${name}.json`), "utf8");
}

interface World {
  readonly policy?: Policy;
  readonly api?: string;
  /** Where paths lead; one that is not here leads to itself. */
  readonly links?: Readonly<Record<string, string | undefined>>;
  readonly image?: string | undefined;
  readonly pinned?: string | undefined;
  readonly alive?: number;
  readonly createdLastMinute?: number;
}

function known<Value>(value: Value): Known<Value> {
  return { known: true, value };
}

/** Facts in which everything is known and as it should be, unless the world says otherwise. */
export function factsOf(world: World = {}): Facts {
  const { policy = roomy, links = {}, api = "1.41" } = world;
  const pinned = "pinned" in world ? world.pinned : imageId;
  return {
    engine: { apiVersion: api },
    pinnedImages: new Map(pinned === undefined ? [] : policy.images.map((name) => [name, pinned])),
    container: () => known(undefined),
    exec: () => known(undefined),
    image: () => known("image" in world ? world.image : imageId),
    path: (path) => known(path in links ? links[path] : path),
    sandboxes: () => known({ alive: world.alive ?? 0, createdLastMinute: world.createdLastMinute ?? 0 }),
  };
}

/** Facts of which none is known yet. */
export function unknownFacts(policy: Policy = roomy): Facts {
  const unknown = (question: Question): Known<never> => ({ known: false, question });
  return {
    ...factsOf({ policy }),
    image: (reference) => unknown({ kind: "image", reference }),
    path: (path) => unknown({ kind: "path", path }),
    sandboxes: () => unknown({ kind: "sandboxes" }),
  };
}

/** A text as the guard's own reader gives it, or a value of a test as if that reader let everything through. */
export function bodyOf(body: unknown): JsonObject {
  const value = typeof body === "string" ? parsed(body) : jsonOf(body);
  if (!isObject(value)) throw new Error("the test's body is no object");
  return value;
}

function parsed(text: string): JsonValue {
  const result = parseJson(new TextEncoder().encode(text));
  if (!result.ok) throw new Error(result.problem.what);
  return result.value;
}

/** A plain value as JSON; what has no meaning there, such as a fraction, is null. */
export function jsonOf(value: unknown): JsonValue {
  if (typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") return Number.isSafeInteger(value) ? jsonInteger(value) : null;
  if (Array.isArray(value)) return value.map(jsonOf);
  if (typeof value !== "object" || value === null) return null;
  return new Map(Object.entries(value).map(([name, member]) => [name, jsonOf(member)]));
}

/** What becomes of a request to create a container. */
export function create(body: unknown, world: World = {}, name: string | undefined = "box-1"): BodyDecision {
  return decideCreate(name, bodyOf(body), world.policy ?? roomy, factsOf(world));
}

/** A body with an allowed image and this HostConfig. */
export function withHost(host: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return { Image: "team/sandbox:1", HostConfig: host };
}

/** The body that is sent, as a client would read it; fails where it is refused. */
export function sentBody(decision: BodyDecision): Record<string, unknown> & { HostConfig: Record<string, unknown> } {
  if (decision.kind !== "send") throw new Error(`not sent: ${JSON.stringify(decision)}`);
  return JSON.parse(serializeJson(decision.body));
}

/** The HostConfig that is sent for one. */
export function sentHost(host: Readonly<Record<string, unknown>>, world: World = {}): Record<string, unknown> {
  return sentBody(create(withHost(host), world)).HostConfig;
}

/** The rule by which something is refused, or what became of it instead. */
export function ruleOf(decision: BodyDecision | Verdict): string {
  return decision.kind === "deny" ? decision.rule : decision.kind;
}

/** What was changed on the way. */
export function rewritesOf(decision: BodyDecision): readonly string[] {
  return decision.kind === "send" ? (decision.notes.rewrites ?? []) : [];
}
