import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DockerAddress } from "../../../src/gateway/docker-address.ts";

/** A container as the fake engine remembers it. */
export interface FakeContainer {
  readonly id: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly spec: unknown;
}

/** How the engine treats every container and, by `METHOD /path` with `*` for ids, single calls. */
export interface FakeBehaviour {
  frames: readonly Buffer[];
  exitCode: number;
  /** A container that is not left alone ends only when it is removed. */
  endsByItself: boolean;
  oomKilled: boolean;
  ranSeconds: number;
  /** The oldest and the newest version of the API that it speaks, each by what stands behind `1.`. */
  speaks: readonly [oldest: number, newest: number];
  failures: Readonly<Record<string, { readonly status: number; readonly message: string } | "hang up">>;
}

/** The part of the Docker Engine API that the gateway uses, on a unix socket, with every call on record. */
export interface FakeDocker {
  readonly address: DockerAddress;
  readonly behaviour: FakeBehaviour;
  readonly containers: Map<string, FakeContainer>;
  readonly calls: string[];
  /** The versions in which it was asked. */
  readonly versions: Set<string>;
  readonly add: (name: string, labels: Readonly<Record<string, string>>) => void;
  readonly close: () => Promise<void>;
}

/** One frame of a container's log. */
export function logFrame(stream: number, text: string | Buffer): Buffer {
  const payload = Buffer.from(text);
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
}

export async function startFakeDocker(): Promise<FakeDocker> {
  const directory = await mkdtemp(join(tmpdir(), "fake-docker-"));
  const socketPath = join(directory, "docker.sock");
  const containers = new Map<string, FakeContainer>();
  const waiting = new Map<string, (() => void)[]>();
  const behaviour: FakeBehaviour = {
    frames: [],
    exitCode: 0,
    endsByItself: true,
    oomKilled: false,
    ranSeconds: 0.1,
    speaks: [24, 41],
    failures: {},
  };
  const calls: string[] = [];
  const add = (name: string, labels: Readonly<Record<string, string>>, spec: unknown = {}): string => {
    const id = randomBytes(32).toString("hex");
    containers.set(id, { id, name, labels, spec });
    return id;
  };
  const versions = new Set<string>();
  const state = { containers, waiting, behaviour, calls, versions, add };
  const server = createServer((request, response) => void serve(state, request, response));
  server.listen(socketPath);
  await once(server, "listening");
  return {
    address: { kind: "unix", socketPath },
    behaviour,
    containers,
    calls,
    versions,
    add: (name, labels) => void add(name, labels),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
      await rm(directory, { recursive: true, force: true });
    },
  };
}

interface State {
  readonly containers: Map<string, FakeContainer>;
  readonly waiting: Map<string, (() => void)[]>;
  readonly behaviour: FakeBehaviour;
  readonly calls: string[];
  readonly versions: Set<string>;
  readonly add: (name: string, labels: Readonly<Record<string, string>>, spec: unknown) => string;
}

async function serve(state: State, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", "http://docker");
  const [oldest, newest] = state.behaviour.speaks;
  if (url.pathname === "/_ping") {
    response.setHeader("Api-Version", `1.${newest}`);
    return void response.end("OK");
  }
  const [, minor, path = ""] = /^\/v1\.(\d+)(.*)$/.exec(url.pathname) ?? [];
  state.versions.add(`1.${minor}`);
  if (Number(minor) < oldest) return send(response, 400, { message: `client version 1.${minor} is too old` });
  if (Number(minor) > newest) return send(response, 400, { message: `client version 1.${minor} is too new` });
  const body = await readBody(request);
  const [, family = "", id = "", action = ""] = path.split("/");
  const call = `${request.method} /${family}${id === "" || ["create", "json"].includes(id) ? (id === "" ? "" : `/${id}`) : "/*"}${action === "" ? "" : `/${action}`}`;
  state.calls.push(call);
  const failure = state.behaviour.failures[call];
  if (failure === "hang up") return void request.socket.destroy();
  if (failure) return send(response, failure.status, { message: failure.message });
  switch (call) {
    case "POST /containers/create":
      return send(response, 201, {
        Id: state.add(url.searchParams.get("name") ?? "", labelsOf(body), body),
        Warnings: [],
      });
    case "POST /containers/*/start":
      return send(response, 204, undefined);
    case "GET /containers/*/logs":
      return sendLogs(state, id, response);
    case "POST /containers/*/wait":
      await ending(state, id);
      return send(response, 200, { StatusCode: state.containers.has(id) ? state.behaviour.exitCode : 137 });
    case "GET /containers/*/json": {
      const started = Date.parse("2026-01-01T00:00:00Z");
      const finished = new Date(started + state.behaviour.ranSeconds * 1000).toISOString();
      const times = { StartedAt: new Date(started).toISOString(), FinishedAt: finished };
      return send(response, 200, { State: { OOMKilled: state.behaviour.oomKilled, ...times } });
    }
    case "DELETE /containers/*":
      return removeContainer(state, id, response);
    case "GET /containers/json":
      return send(response, 200, listContainers(state, url.searchParams.get("filters")));
    default:
      return send(response, 404, { message: "page not found" });
  }
}

function removeContainer(state: State, nameOrId: string, response: ServerResponse): void {
  const found = [...state.containers.values()].find(({ id, name }) => id === nameOrId || name === nameOrId);
  if (found) {
    state.containers.delete(found.id);
    for (const wake of state.waiting.get(found.id) ?? []) wake();
    send(response, 204, undefined);
  } else send(response, 404, { message: `No such container: ${nameOrId}` });
}

// Gives strangers too, as a careless proxy would: what removes containers must not rest on the filter alone.
function listContainers(state: State, filters: string | null): unknown {
  const wanted: unknown = filters === null ? undefined : JSON.parse(filters);
  if (typeof wanted !== "object" || wanted === null || !("label" in wanted)) return [];
  return [...state.containers.values()].map(({ id, name, labels }) => ({
    Id: id,
    Names: [`/${name}`],
    Labels: labels,
  }));
}

async function sendLogs(state: State, id: string, response: ServerResponse): Promise<void> {
  response.writeHead(200, { "content-type": "application/vnd.docker.raw-stream" });
  for (const frame of state.behaviour.frames) response.write(frame);
  await ending(state, id);
  response.end();
}

function ending(state: State, id: string): Promise<void> {
  if (state.behaviour.endsByItself || !state.containers.has(id)) return Promise.resolve();
  return new Promise((resolve) => {
    state.waiting.set(id, [...(state.waiting.get(id) ?? []), resolve]);
  });
}

function labelsOf(body: unknown): Record<string, string> {
  if (typeof body !== "object" || body === null || !("Labels" in body)) return {};
  const { Labels } = body;
  if (typeof Labels !== "object" || Labels === null) return {};
  return Object.fromEntries(Object.entries(Labels).map(([key, value]) => [key, String(value)]));
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  const text = Buffer.concat(chunks).toString("utf8");
  return text === "" ? undefined : JSON.parse(text);
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}
