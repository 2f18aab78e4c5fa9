import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

/** How the provisioner and its sandboxes answer. */
export interface ProvisionerBehaviour {
  /** The statuses that a sandbox shows one after another; the last one stays. */
  statuses: readonly string[];
  /** How many times a sandbox does not answer yet although its status says that it runs. */
  unreadyAnswers: number;
  /** Replaces the answer of `POST /v1/bash/exec`. */
  exec: { readonly status: number; readonly body: unknown } | "never" | undefined;
  failures: Readonly<Record<string, number>>;
}

/** A provisioner whose sandboxes run commands with this machine's bash; every call and body is on record. */
export interface FakeProvisioner {
  readonly url: string;
  readonly apiKey: string;
  readonly behaviour: ProvisionerBehaviour;
  readonly sandboxes: Set<string>;
  readonly calls: string[];
  readonly created: unknown[];
  readonly execs: unknown[];
  readonly close: () => Promise<void>;
}

export async function startFakeProvisioner(): Promise<FakeProvisioner> {
  const behaviour: ProvisionerBehaviour = { statuses: ["Running"], unreadyAnswers: 0, exec: undefined, failures: {} };
  const state = {
    sandboxes: new Set<string>(),
    calls: [],
    created: [],
    execs: [],
    behaviour,
    apiKey: "provisioner-key",
  };
  const server = createServer((request, response) => void serve(state, request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port was given");
  return {
    ...state,
    url: `http://127.0.0.1:${address.port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

type State = Omit<FakeProvisioner, "url" | "close">;

async function serve(state: State, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = request.url ?? "/";
  const body = await readJson(request);
  const [, first = "", second = "", id = ""] = path.split("/");
  const call = `${request.method} ${first === "pod" ? path.replace(/^\/pod\/[^/]+/, "") : `/${first}${second ? `/${second}` : ""}${id ? "/*" : ""}`}`;
  state.calls.push(call);
  const answer = (status: number, value: unknown): void => {
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
  };
  const failure = state.behaviour.failures[call];
  if (failure !== undefined) return answer(failure, { detail: "told to fail" });
  if (first === "api" && request.headers["x-api-key"] !== state.apiKey)
    return answer(401, { detail: "Invalid API key" });
  switch (call) {
    case "GET /health":
      return answer(200, { status: "ok" });
    case "POST /api/sandboxes":
      return create(state, request, body, answer);
    case "GET /api/sandboxes/*":
      return state.sandboxes.has(id)
        ? answer(200, sandboxOf(state, request, id))
        : answer(404, { detail: "not found" });
    case "DELETE /api/sandboxes/*":
      return state.sandboxes.delete(id) ? answer(200, { ok: true }) : answer(404, { detail: "not found" });
    case "GET /v1/sandbox":
      state.behaviour.unreadyAnswers -= 1;
      return state.behaviour.unreadyAnswers >= 0 ? answer(503, {}) : answer(200, { home_dir: "/home/gem" });
    case "POST /v1/bash/exec":
      return exec(state, body, answer);
    default:
      return answer(404, { detail: "Not Found" });
  }
}

type Answer = (status: number, value: unknown) => void;

function create(state: State, request: IncomingMessage, body: unknown, answer: Answer): void {
  state.created.push(body);
  const id = typeof body === "object" && body !== null && "sandbox_id" in body ? String(body.sandbox_id) : "";
  state.sandboxes.add(id);
  answer(200, sandboxOf(state, request, id));
}

function sandboxOf(state: State, request: IncomingMessage, id: string): unknown {
  const [status = "Running", ...later] = state.behaviour.statuses;
  if (later.length > 0) state.behaviour.statuses = later;
  return { sandbox_id: id, sandbox_url: `http://${request.headers.host}/pod/${id}`, status };
}

function exec(state: State, body: unknown, answer: Answer): void {
  state.execs.push(body);
  const { exec: told } = state.behaviour;
  if (told === "never") return;
  if (told) answer(told.status, told.body);
  else answer(200, { success: true, message: "Command executed", data: runCommand(body) });
}

function runCommand(body: unknown): unknown {
  const command = typeof body === "object" && body !== null && "command" in body ? String(body.command) : "";
  const done = spawnSync("bash", ["-c", command], { encoding: "utf8" });
  return { status: "completed", stdout: done.stdout, stderr: done.stderr, exit_code: done.status };
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  const text = Buffer.concat(chunks).toString("utf8");
  return text === "" ? undefined : JSON.parse(text);
}
