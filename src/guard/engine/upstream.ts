import { type ClientRequest, type IncomingMessage, request as openRequest } from "node:http";
import { connect } from "node:net";
import type { EngineRequest } from "../decision/decision.ts";
import { errorCode, Failure } from "../failure.ts";
import { serializeJson } from "../request/json.ts";
import { connectWide, type WideConnection } from "./wide-connection.ts";

/** How the engine took a request: with an answer, or by giving the connection away (`101`). */
export type Opened =
  | { readonly kind: "answer"; readonly answer: IncomingMessage }
  | {
      readonly kind: "raw";
      readonly answer: IncomingMessage;
      readonly connection: WideConnection;
      readonly head: Buffer;
    };

/** How long the engine may take, in milliseconds without a byte, and when it no longer matters. */
export interface Patience {
  /** Undefined: for ever, which is right for what waits until something happens. */
  readonly silenceMs: number | undefined;
  readonly signal: AbortSignal;
}

/** An answer to a question of the guard's own, read whole. */
export interface WholeAnswer {
  readonly status: number;
  readonly body: Uint8Array;
}

/**
 * The Docker engine behind the guard. Each request has a connection of its own, so that nothing of one can become part
 * of another. What goes wrong is thrown as a `Failure`.
 */
export interface Engine {
  readonly send: (request: EngineRequest, upgrade: boolean, patience: Patience) => Promise<Opened>;
  /** Asks for the guard itself: `GET`, without a body. */
  readonly ask: (target: string, signal?: AbortSignal) => Promise<WholeAnswer>;
}

const answerBytesMax = 16 * 1024 * 1024;
const headerBytesMax = 16 * 1024;

/** An engine that listens on a unix socket; a question waits `questionMs` for its next byte. */
export function engineAt(socketPath: string, questionMs: number): Engine {
  return {
    send: (request, upgrade, patience) => {
      const payload = payloadOf(request.body);
      const headers = headersOf(request.method, payload, upgrade);
      return open(socketPath, request.method, request.target, headers, payload?.bytes, patience);
    },
    async ask(target, signal = unending) {
      const headers = { ...headersOf("GET", undefined, false), "User-Agent": "sandbox-deploy-guard (question)" };
      const patience = { silenceMs: questionMs, signal };
      try {
        const { answer } = await open(socketPath, "GET", target, headers, undefined, patience);
        return { status: answer.statusCode ?? 0, body: await readWhole(answer, answerBytesMax) };
      } catch (error) {
        throw error instanceof Failure ? error : brokenAnswer(error);
      }
    },
  };
}

// A timer for each question would outlive it by far, and thousands of them hold memory: only silence is timed.
const unending = new AbortController().signal;

interface Payload {
  readonly type: string;
  readonly bytes: Uint8Array;
}

function payloadOf(body: EngineRequest["body"]): Payload | undefined {
  if (body === undefined) return undefined;
  if ("tar" in body) return { type: "application/x-tar", bytes: body.tar };
  return { type: "application/json", bytes: Buffer.from(serializeJson(body)) };
}

/** All headers that the engine ever sees: none comes from a client. */
function headersOf(method: string, payload: Payload | undefined, upgrade: boolean): Record<string, string> {
  const hasLength = payload !== undefined || method === "POST" || method === "PUT";
  return {
    Host: "docker",
    "User-Agent": "sandbox-deploy-guard",
    ...(upgrade ? { Connection: "Upgrade", Upgrade: "tcp" } : { Connection: "close" }),
    ...(payload === undefined ? {} : { "Content-Type": payload.type }),
    ...(hasLength ? { "Content-Length": String(payload?.bytes.length ?? 0) } : {}),
  };
}

function open(
  socketPath: string,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body: Uint8Array | undefined,
  { silenceMs, signal }: Patience,
): Promise<Opened> {
  return new Promise((resolve, reject) => {
    const wide = headers["Upgrade"] === undefined ? undefined : connectWide(socketPath);
    let sent: ClientRequest;
    try {
      sent = openRequest({
        createConnection: () => wide?.stream ?? connect({ path: socketPath }),
        ...{ method, path, headers, signal, setHost: false, insecureHTTPParser: false, maxHeaderSize: headerBytesMax },
      });
    } catch (error) {
      // Node refuses a target that is none; a decision that builds one is wrong, and nothing was sent.
      reject(new Failure("engine.request", 500, `the request could not be written (${errorCode(error)})`));
      return;
    }
    sent.on("error", (error) => reject(signal.reason instanceof Failure ? signal.reason : failureOf(error)));
    // A connection that is given away without being asked for is closed without an error.
    const closed = (): void => reject(brokenAnswer(new Error("closed")));
    sent.on("close", closed);
    sent.on("response", (answer) => {
      sent.off("close", closed);
      resolve({ kind: "answer", answer });
    });
    if (wide !== undefined)
      sent.on("upgrade", (answer, stream, head) => {
        // The connection is the caller's from here on; only errors that come before its listeners are caught here.
        stream.on("error", () => stream.destroy());
        sent.off("close", closed);
        resolve({ kind: "raw", answer, connection: wide, head });
      });
    if (silenceMs !== undefined)
      sent.setTimeout(silenceMs, () =>
        sent.destroy(new Failure("engine.timeout", 504, "the Docker engine does not answer")),
      );
    sent.end(body);
  });
}

function failureOf(error: Error): Failure {
  if (error instanceof Failure) return error;
  const code = errorCode(error);
  if (/^HPE_|HANG_UP|ECONNRESET|EPIPE/.test(code)) return brokenAnswer(error);
  return new Failure("engine.unreachable", 502, `the Docker engine cannot be reached (${code})`);
}

function brokenAnswer(error: unknown): Failure {
  return new Failure("engine.broken", 502, `the Docker engine broke off its answer (${errorCode(error)})`);
}

async function readWhole(answer: IncomingMessage, bytesMax: number): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > bytesMax)
      throw new Failure("engine.broken", 502, `the Docker engine answered more than ${bytesMax} bytes`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}
