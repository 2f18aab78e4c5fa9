import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import type { Duplex, Writable } from "node:stream";
import { Failure } from "../failure.ts";
import type { BodyShare } from "./body-memory.ts";

/** Headers of an answer. */
export type AnswerHeaders = Readonly<Record<string, string>>;

/** How long a body may be, how long it may take to arrive, and what its bytes are taken from. */
export interface BodyLimits {
  readonly bytesMax: number;
  readonly withinMs: number;
  readonly share: BodyShare;
}

/** The client's side of one request: what it sends, and where its answer goes. */
export interface ClientEnd {
  readonly request: IncomingMessage;
  /** Whether the raw connection may be taken, since the client asked for it. */
  readonly upgrade: boolean;
  /** Aborted when the client is gone before its answer was complete. */
  readonly gone: AbortSignal;
  /** The whole body; a `Failure` when it is too long or stays away. */
  readonly readBody: (limits: BodyLimits) => Promise<Uint8Array>;
  /** Sends a whole answer. */
  readonly reply: (status: number, headers: AnswerHeaders, body: Uint8Array) => void;
  /** Sends the head of an answer at once; its body goes into what is returned. */
  readonly begin: (status: number, headers: AnswerHeaders) => Writable;
  /** Sends `101` and gives the connection away. */
  readonly takeOver: (contentType: string) => Duplex;
}

/** A request that came the ordinary way; the connection can serve more after it. */
export function plainClient(request: IncomingMessage, response: ServerResponse): ClientEnd {
  const gone = new AbortController();
  response.once("close", () => {
    if (!response.writableFinished) gone.abort(clientGone());
  });
  // An answer that finds nobody there any more is no error.
  response.on("error", () => {});
  if (request.socket.destroyed) gone.abort(clientGone());
  const writeHead = (status: number, headers: AnswerHeaders): void => {
    // What was not read of the body would be taken for the next request.
    response.writeHead(status, request.complete ? headers : { ...headers, Connection: "close" });
  };
  return {
    request,
    upgrade: false,
    gone: gone.signal,
    async readBody(limits) {
      if (Number(request.headers["content-length"] ?? 0) > limits.bytesMax) throw tooLong(limits);
      // It waits for a word before it sends its body; the decision is that it gets none.
      if (request.headers.expect !== undefined) return new Uint8Array();
      return collect(request, limits, gone.signal);
    },
    reply(status, headers, body) {
      writeHead(status, { ...headers, ...lengthOf(status, body) });
      response.end(body);
    },
    begin(status, headers) {
      writeHead(status, headers);
      response.flushHeaders();
      return response;
    },
    takeOver: () => {
      throw new Failure("framing.upgrade", 400, "the client did not ask for the connection");
    },
  };
}

/**
 * A request that asked for the connection itself (`Upgrade`, `CONNECT`). It is the last one on its connection: whatever
 * it is answered, what was sent behind it is never read as another request.
 */
export function upgradingClient(request: IncomingMessage, socket: Duplex, head: Buffer): ClientEnd {
  const gone = new AbortController();
  socket.once("close", () => gone.abort(clientGone()));
  socket.on("error", () => socket.destroy());
  if (head.length > 0) socket.unshift(head);
  const writeHead = (status: number, headers: AnswerHeaders): void => {
    const lines = Object.entries({ ...headers, Connection: "close" }).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Unknown"}\r\n${lines.join("")}\r\n`, "latin1");
    socket.once("finish", () => socket.destroy());
  };
  return {
    request,
    upgrade: true,
    gone: gone.signal,
    readBody: (limits) => readUpgradeBody(request, socket, limits, gone.signal),
    reply(status, headers, body) {
      writeHead(status, { ...headers, ...lengthOf(status, body) });
      socket.end(request.method === "HEAD" ? undefined : body);
    },
    begin(status, headers) {
      writeHead(status, headers);
      return socket;
    },
    takeOver(contentType) {
      const type = contentType === "" ? "" : `Content-Type: ${contentType}\r\n`;
      socket.write(`HTTP/1.1 101 UPGRADED\r\n${type}Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n`, "latin1");
      return socket;
    },
  };
}

function lengthOf(status: number, body: Uint8Array): AnswerHeaders {
  return status === 204 || status === 304 ? {} : { "Content-Length": String(body.length) };
}

/**
 * Node leaves the body of an upgrade unread on the connection up to version 24, and reads it like any other since 26. In
 * the first case the request is already complete and holds nothing.
 */
async function readUpgradeBody(
  request: IncomingMessage,
  socket: Duplex,
  limits: BodyLimits,
  gone: AbortSignal,
): Promise<Uint8Array> {
  const length = Number(request.headers["content-length"] ?? 0);
  if (!(length <= limits.bytesMax)) throw tooLong(limits);
  if (!request.complete || request.readableLength > 0) return collect(request, limits, gone);
  // Chunks are left where they are: the decision refuses an upgrade that has them.
  limits.share.take(length);
  return readExactly(socket, length, limits, gone);
}

function readExactly(socket: Duplex, length: number, limits: BodyLimits, gone: AbortSignal): Promise<Uint8Array> {
  if (length === 0) return Promise.resolve(new Uint8Array());
  return new Promise((resolve, reject) => {
    const settle = (action: () => void): void => {
      clearTimeout(timer);
      socket.off("readable", read);
      socket.off("end", ended);
      gone.removeEventListener("abort", ended);
      action();
    };
    const read = (): void => {
      const chunk: unknown = socket.read(length);
      if (!(chunk instanceof Uint8Array)) return;
      settle(() => (chunk.length === length ? resolve(chunk) : reject(clientGone())));
    };
    const ended = (): void => settle(() => reject(clientGone()));
    const timer = setTimeout(() => settle(() => reject(late(limits))), limits.withinMs);
    socket.on("readable", read);
    socket.on("end", ended);
    gone.addEventListener("abort", ended);
    read();
  });
}

function collect(request: IncomingMessage, limits: BodyLimits, gone: AbortSignal): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const stop = (error: unknown): void => {
      clearTimeout(timer);
      request.pause();
      reject(error);
    };
    const timer = setTimeout(() => stop(late(limits)), limits.withinMs);
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > limits.bytesMax) return stop(tooLong(limits));
      try {
        limits.share.take(chunk.length);
        chunks.push(chunk);
      } catch (error) {
        stop(error);
      }
    });
    request.once("end", () => {
      clearTimeout(timer);
      resolve(Buffer.concat(chunks));
    });
    request.once("error", () => stop(clientGone()));
    request.once("close", () => stop(clientGone()));
    if (gone.aborted) stop(clientGone());
  });
}

function tooLong({ bytesMax }: BodyLimits): Failure {
  return new Failure("body.size", 413, `the body has more than ${bytesMax} bytes`);
}

function late({ withinMs }: BodyLimits): Failure {
  return new Failure("body.timeout", 408, `the body did not arrive within ${withinMs / 1000} seconds`);
}

/** Nobody is there to be answered. */
export function clientGone(): Failure {
  return new Failure("client.gone", 499, "the client closed its connection");
}
