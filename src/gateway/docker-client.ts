import { type IncomingMessage, type RequestOptions, request } from "node:http";
import type { DockerAddress } from "./docker-address.ts";

// An own client of about a hundred lines instead of dockerode: that package brings gRPC, protobuf and SSH into a
// container that needs none of them.

/** A complete answer of the engine; `body` is parsed JSON, or undefined when there is none. */
export interface DockerAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** A request to the engine; the path starts after the API version. */
export interface DockerRequest {
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly signal: AbortSignal;
}

/** The few calls of the Docker Engine API that the gateway makes. Network failures are thrown. */
export interface DockerClient {
  readonly send: (request: DockerRequest) => Promise<DockerAnswer>;
  /** Opens a streamed answer; the caller reads or destroys it. */
  readonly open: (request: DockerRequest) => Promise<IncomingMessage>;
}

// Of Engine 28. An engine that is older is asked in its own version; one that no longer speaks the old ones, as 29.0 (1.44), in this.
const newestMinor = 51;
/** Of the lowest engine that is supported. */
const oldestMinor = 41;
const answerBytesMax = 4 * 1024 * 1024;

/** A client for one engine. Every request has a connection of its own: a guard in front may restart at any time. */
export function createDockerClient(address: DockerAddress): DockerClient {
  let version: string | undefined;
  const open = async (wanted: DockerRequest) => {
    version ??= await agreeOnVersion(address, wanted.signal);
    const answer = await openAnswer(address, { ...wanted, path: `/${version}${wanted.path}` });
    // The engine may be another one by now.
    if (answer.statusCode === 400) version = undefined;
    return answer;
  };
  return {
    open,
    async send(wanted) {
      const answer = await open(wanted);
      const text = await readAll(answer);
      return { status: answer.statusCode ?? 0, body: parseBody(text) };
    },
  };
}

/** The engine's own explanation in an error answer, cut to one readable line. */
export function dockerMessage(answer: DockerAnswer): string {
  const { body } = answer;
  const text =
    typeof body === "object" && body !== null && "message" in body && typeof body.message === "string"
      ? body.message
      : `HTTP status ${answer.status}`;
  return text.replace(/\s+/g, " ").slice(0, 300);
}

/** As Docker's own clients do it: the newest version that both know. What is wrong with the engine the next request finds out. */
async function agreeOnVersion(address: DockerAddress, signal: AbortSignal): Promise<string> {
  const answer = await openAnswer(address, { method: "GET", path: "/_ping", signal });
  answer.resume();
  const [, minor = oldestMinor] = /^1\.(\d+)$/.exec(String(answer.headers["api-version"])) ?? [];
  return `v1.${Math.min(Number(minor), newestMinor)}`;
}

function openAnswer(address: DockerAddress, wanted: DockerRequest): Promise<IncomingMessage> {
  const query = wanted.query ? `?${new URLSearchParams(wanted.query)}` : "";
  const payload = wanted.body === undefined ? undefined : Buffer.from(JSON.stringify(wanted.body));
  const options: RequestOptions = {
    ...(address.kind === "unix" ? { socketPath: address.socketPath } : { host: address.host, port: address.port }),
    agent: false,
    method: wanted.method,
    path: `${wanted.path}${query}`,
    signal: wanted.signal,
    headers: {
      host: "docker",
      connection: "close",
      ...(payload ? { "content-type": "application/json", "content-length": payload.length } : {}),
    },
  };
  return new Promise((resolve, reject) => {
    const sent = request(options, resolve);
    sent.on("error", reject);
    sent.end(payload);
  });
}

async function readAll(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > answerBytesMax) throw new Error(`the Docker engine sent more than ${answerBytesMax} bytes`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parseBody(text: string): unknown {
  if (text.trim() === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    // Proxies answer errors in plain text; the status says enough.
    return { message: text };
  }
}
