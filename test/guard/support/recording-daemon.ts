import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A request as it arrived. Each connection carries one: whatever follows it is in `rest`, and belongs to no request. */
export interface RecordedRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
  /** Every byte of the request, from the request line to the end of the body, as Latin-1. */
  readonly bytes: string;
  /** The guard asked this for itself, to establish a fact; everything else it sent for a client. */
  readonly question: boolean;
}

/** What the daemon does with a request: an answer with an end, or the connection itself, to do anything with. */
export type ScriptedAnswer =
  | {
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      /** Bytes or text as they are, anything else as JSON. */
      readonly body?: unknown;
    }
  /** `head` came behind the request already; listen for `data` at once, or what comes next is lost. */
  | { readonly take: (socket: Socket, head: Buffer) => void };

/** Decides what a request gets; undefined: what the daemon's own world says. */
export type Script = (request: RecordedRequest) => ScriptedAnswer | undefined;

/** What exists on a daemon without a script: references of images with their ids, and inspected containers by name or id. */
export interface DaemonWorld {
  readonly apiVersion?: string;
  readonly images?: Readonly<Record<string, string>>;
  readonly containers?: Readonly<Record<string, unknown>>;
  /** Execs, with the id of their container. */
  readonly execs?: Readonly<Record<string, string>>;
}

/** A Docker daemon on a unix socket that executes nothing and keeps every byte it was sent. */
export interface RecordingDaemon {
  readonly socketPath: string;
  /** Every request in the order of arrival. */
  readonly requests: RecordedRequest[];
  /** What was sent on behalf of clients: nothing, after a refusal. */
  readonly forwarded: () => RecordedRequest[];
  /** Bytes that belong to no well-formed request; must stay empty. */
  readonly strayBytes: () => string;
  /** Connections that are open now. */
  readonly open: () => number;
  /** Replaces the script. */
  readonly answer: (script: Script) => void;
  readonly forget: () => void;
  readonly close: () => Promise<void>;
}

interface State {
  script: Script;
  readonly world: DaemonWorld;
  readonly requests: RecordedRequest[];
  readonly stray: (() => string)[];
  readonly sockets: Set<Socket>;
}

/** Starts the daemon; `close` ends its connections and removes its socket. */
export async function startRecordingDaemon(world: DaemonWorld = {}): Promise<RecordingDaemon> {
  const directory = await mkdtemp(join(tmpdir(), "recording-daemon-"));
  const socketPath = join(directory, "docker.sock");
  const state: State = { script: () => undefined, world, requests: [], stray: [], sockets: new Set() };
  const server = createServer({ allowHalfOpen: true }, (socket) => accept(state, socket));
  server.listen(socketPath);
  await once(server, "listening");
  return {
    socketPath,
    requests: state.requests,
    forwarded: () => state.requests.filter(({ question }) => !question),
    strayBytes: () => state.stray.map((bytes) => bytes()).join(""),
    open: () => state.sockets.size,
    answer: (script) => {
      state.script = script;
    },
    forget: () => {
      state.requests.length = 0;
      state.stray.length = 0;
    },
    async close() {
      for (const socket of state.sockets) socket.destroy();
      server.close();
      await once(server, "close");
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Reads one request by its Content-Length alone: the guard sends nothing else, and anything else shows as stray bytes. */
function accept(state: State, socket: Socket): void {
  let bytes = Buffer.alloc(0);
  let complete = false;
  let untouched = true;
  state.sockets.add(socket);
  state.stray.push(() => (complete && untouched ? bytes.toString("latin1") : complete ? "" : bytes.toString("latin1")));
  socket.on("close", () => state.sockets.delete(socket));
  socket.on("error", () => socket.destroy());
  // Writing nothing fails where the other side is gone, and does no harm where it has only said all it had to say.
  socket.on("end", () => void (socket.writable && socket.write("")));
  socket.on("data", function read(chunk) {
    bytes = Buffer.concat([bytes, chunk]);
    const parsed = complete ? undefined : parseRequest(bytes);
    if (parsed === undefined) return;
    complete = true;
    bytes = bytes.subarray(parsed.length);
    state.requests.push(parsed.request);
    const answer = state.script(parsed.request) ?? answerOf(state.world, parsed.request);
    if ("take" in answer) {
      untouched = false;
      socket.off("data", read);
      answer.take(socket, bytes);
      // Whoever does not listen still has to notice that the other side is gone.
      if (socket.listenerCount("data") === 0 && !socket.isPaused()) socket.resume();
    } else write(socket, parsed.request, answer);
  });
}

function parseRequest(bytes: Buffer): { readonly request: RecordedRequest; readonly length: number } | undefined {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const [line = "", ...lines] = bytes.subarray(0, end).toString("latin1").split("\r\n");
  const [, method, target] = /^([A-Z]+) (\S+) HTTP\/1\.1$/.exec(line) ?? [];
  const headers = lines.map((each): readonly [string, string] => {
    const colon = each.indexOf(": ");
    return [each.slice(0, colon), each.slice(colon + 2)];
  });
  const value = (name: string) => headers.find(([each]) => each.toLowerCase() === name)?.[1];
  const length = end + 4 + Number(value("content-length") ?? 0);
  if (method === undefined || target === undefined || value("transfer-encoding") !== undefined || bytes.length < length)
    return undefined;
  const body = Buffer.from(bytes.subarray(end + 4, length));
  const question = value("user-agent") === "sandbox-deploy-guard (question)";
  const request = { method, target, headers, body, bytes: bytes.subarray(0, length).toString("latin1"), question };
  return { request, length };
}

/** What an engine with this world would answer; whatever changes something succeeds. */
function answerOf(world: DaemonWorld, request: RecordedRequest): ScriptedAnswer {
  const apiVersion = world.apiVersion ?? "1.41";
  const path = decodeURIComponent(request.target.replace(/\?.*/, "").replace(/^\/v1\.\d\d(?=\/)/, ""));
  const [, family, name = "", action] = /^\/(\w+)(?:\/(.+?))??(?:\/(\w+))?$/.exec(path) ?? [];
  const what = `${request.method} ${family ?? ""} ${action ?? ""}`;
  switch (what) {
    case "GET _ping ":
    case "HEAD _ping ":
      return { status: 200, headers: { "Api-Version": apiVersion, "Content-Type": "text/plain" }, body: "OK" };
    case "GET version ":
      return { status: 200, body: { Version: "20.10.24", ApiVersion: apiVersion, MinAPIVersion: "1.12" } };
    case "GET images json":
      return found("image", name, world.images?.[name] && { Id: world.images[name] });
    case "GET exec json":
      return found(
        "exec instance",
        name,
        world.execs?.[name] && { ID: name, ContainerID: world.execs[name], ProcessConfig: { privileged: false } },
      );
    case "GET containers json":
      return name === ""
        ? { status: 200, body: Object.values(world.containers ?? {}) }
        : found("container", name, world.containers?.[name]);
    case "POST containers create":
      return { status: 201, body: { Id: "c".repeat(64), Warnings: [] } };
    default:
      return request.method === "GET" || request.method === "HEAD"
        ? { status: 404, body: { message: "page not found" } }
        : { status: 204 };
  }
}

function found(kind: string, name: string, value: unknown): ScriptedAnswer {
  return value ? { status: 200, body: value } : { status: 404, body: { message: `No such ${kind}: ${name}` } };
}

function write(
  socket: Socket,
  request: RecordedRequest,
  { status, headers = {}, body }: Extract<ScriptedAnswer, { status: number }>,
): void {
  const bytes = typeof body === "string" || body instanceof Uint8Array ? Buffer.from(body) : json(body);
  const lengths = status === 204 ? {} : { "Content-Length": String(bytes.length) };
  const all = {
    "Api-Version": "1.41",
    "Content-Type": "application/json",
    ...lengths,
    Connection: "close",
    ...headers,
  };
  const head = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`HTTP/1.1 ${status} Scripted\r\n${head.join("")}\r\n`, "latin1");
  socket.end(request.method === "HEAD" ? "" : bytes);
}

function json(body: unknown): Buffer {
  return Buffer.from(body === undefined ? "" : `${JSON.stringify(body)}\n`);
}
