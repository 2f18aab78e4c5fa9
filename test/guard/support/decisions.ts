import { decide } from "../../../src/guard/decision/decide.ts";
import type {
  ClientRequest,
  ContainerFact,
  Decision,
  EngineRequest,
  Facts,
} from "../../../src/guard/decision/decision.ts";
import type { Policy } from "../../../src/guard/policy/policy.ts";
import { isObject, type JsonObject } from "../../../src/guard/request/json.ts";
import { engineLimits, parseJson } from "../../../src/guard/request/json-reader.ts";

/** An id that every container, exec or image of a test can have: 64 hexadecimal digits. */
export function hexId(letter: string): string {
  return letter.repeat(64);
}

/** A policy with every operation switched on. */
export const openPolicy: Policy = {
  owner: "test",
  images: ["team/sandbox:1", "python"],
  names: /^box-[a-z0-9]+$/,
  unnamed: true,
  network: "none",
  ports: undefined,
  binds: undefined,
  volumes: [],
  extraHosts: [],
  limits: {
    memoryBytes: 256 * 1024 ** 2,
    nanoCpus: 1_000_000_000,
    pids: 64,
    shmBytes: 64 * 1024 ** 2,
    tmpfsBytes: 64 * 1024 ** 2,
    logBytes: 1024 ** 2,
    logFiles: 2,
    stopSeconds: 10,
  },
  capabilities: [],
  writableRoot: true,
  seccomp: undefined,
  runtime: undefined,
  labels: [],
  users: undefined,
  sandboxes: { alive: 5, createsPerMinute: 60 },
  connections: 10,
  operations: { exec: true, attach: true, pull: true, pause: true, archive: true, events: true },
};

/** What the engine says of a container that was created within the open policy, as far as anybody looks at it. */
function inspected(): JsonObject {
  const { limits } = openPolicy;
  const text = JSON.stringify({
    Config: { Image: "team/sandbox:1", User: "" },
    HostConfig: {
      CapDrop: ["ALL"],
      CgroupnsMode: "private",
      IpcMode: "private",
      LogConfig: { Type: "json-file", Config: { "max-size": `${limits.logBytes}`, "max-file": `${limits.logFiles}` } },
      MaskedPaths: ["/proc/kcore"],
      Memory: limits.memoryBytes,
      MemorySwap: limits.memoryBytes,
      NanoCpus: limits.nanoCpus,
      NetworkMode: "none",
      PidsLimit: limits.pids,
      ReadonlyPaths: ["/proc/sys"],
      RestartPolicy: { Name: "no", MaximumRetryCount: 0 },
      Runtime: "runc",
      SecurityOpt: ["no-new-privileges"],
      ShmSize: limits.shmBytes,
    },
    NetworkSettings: { Networks: { none: {} } },
  });
  const parsed = parseJson(new TextEncoder().encode(text), engineLimits);
  if (!parsed.ok || !isObject(parsed.value)) throw new Error(text);
  return parsed.value;
}

/** A container by the name `box-mine`, which was created through this guard. */
export const mine: ContainerFact = {
  id: hexId("a"),
  name: "box-mine",
  imageId: `sha256:${hexId("1")}`,
  running: true,
  labels: { "sandbox-deploy.guard": "test" },
  inspected: inspected(),
};

/** One of somebody else, that carries the label of another guard. */
export const foreign: ContainerFact = {
  ...mine,
  id: hexId("f"),
  name: "database",
  labels: { "sandbox-deploy.guard": "other" },
};

/** A world in which there are these two, one exec in each, and the images of the policy. Every fact is known. */
export const knownFacts: Facts = {
  engine: { apiVersion: "1.41" },
  pinnedImages: new Map([
    ["team/sandbox:1", `sha256:${hexId("1")}`],
    ["python", `sha256:${hexId("2")}`],
  ]),
  container: (reference) => ({
    known: true,
    value: [mine, foreign].find(({ id, name }) => name === reference || id.startsWith(reference)),
  }),
  exec: (id) => ({
    known: true,
    value: [mine, foreign].flatMap((each) =>
      id === hexId(each === mine ? "b" : "e") ? [{ containerId: each.id, privileged: false, user: "" }] : [],
    )[0],
  }),
  image: (reference) => ({ known: true, value: imageIds.get(reference) }),
  path: (path) => ({ known: true, value: path }),
  sandboxes: () => ({ known: true, value: { alive: 0, createdLastMinute: 0 } }),
};

const imageIds = new Map([
  ...["1", "2", "3"].map((letter) => [`sha256:${hexId(letter)}`, `sha256:${hexId(letter)}`] as const),
  ["team/sandbox:1", `sha256:${hexId("1")}`],
  ["python", `sha256:${hexId("2")}`],
  ["python:latest", `sha256:${hexId("2")}`],
  ["111111111111", `sha256:${hexId("1")}`],
  ["postgres:16", `sha256:${hexId("3")}`],
  ["333333333333", `sha256:${hexId("3")}`],
]);

/** A request as a client writes it: the length of a body, and that it is JSON, go without saying. */
export function request(
  line: string,
  body: string | Uint8Array = "",
  headers: ClientRequest["headers"] = [],
): ClientRequest {
  const [method = "", target = ""] = line.split(" ");
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  const names = headers.map(([name]) => name.toLowerCase());
  const usual: [string, string][] = [["Host", "docker"]];
  if (bytes.length > 0 && !names.includes("content-type")) usual.push(["Content-Type", "application/json"]);
  if (method === "POST" && !names.some((name) => name === "content-length" || name === "transfer-encoding"))
    usual.push(["Content-Length", String(bytes.length)]);
  return { method, target, headers: [...usual, ...headers], body: bytes };
}

/** Headers of a client that wants a raw connection. */
export const upgrade: ClientRequest["headers"] = [
  ["Connection", "Upgrade"],
  ["Upgrade", "tcp"],
];

/** The decision about a request in the known world. */
export function decided(
  line: string,
  body?: string | Uint8Array,
  headers?: ClientRequest["headers"],
  policy = openPolicy,
  facts = knownFacts,
): Decision {
  return decide(request(line, body, headers), policy, facts);
}

/** What is sent on; a test that expects so fails with the refusal's text. */
export function forwarded(...args: Parameters<typeof decided>): EngineRequest {
  const decision = decided(...args);
  if (decision.kind !== "forward") throw new Error(`not sent on: ${JSON.stringify(decision)}`);
  return decision.request;
}

/** The refusal; a test that expects so fails with what would be sent. */
export function refusal(...args: Parameters<typeof decided>): Extract<Decision, { kind: "deny" }> {
  const decision = decided(...args);
  if (decision.kind !== "deny") throw new Error(`not refused: ${JSON.stringify(decision)}`);
  return decision;
}
