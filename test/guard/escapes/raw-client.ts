import { connect } from "node:net";

/** A request as it is written to the socket, byte for byte; a body is read as Latin-1 where it is given as bytes. */
export interface RawRequest {
  readonly method: string;
  readonly target: string;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly body?: string | Uint8Array;
}

/** What came back: everything until the other side closed, or until enough was seen. */
export interface RawAnswer {
  /** 0: the connection ended without an answer. */
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
  /** Every byte as Latin-1, the status line included. */
  readonly bytes: string;
}

/** An exchange that may go on for ever; `answer` settles when the other side closes or `end` is called. */
export interface Exchange {
  readonly answer: Promise<RawAnswer>;
  /** What has arrived so far. */
  readonly soFar: () => RawAnswer;
  readonly end: () => void;
}

/** Writes a request with the lengths and the closing that an ordinary client would add, and reads the answer. */
export function exchange(socketPath: string, request: RawRequest): Exchange {
  const body = Buffer.from(request.body ?? "");
  const given = request.headers ?? [];
  const has = (name: string) => given.some(([each]) => each.toLowerCase() === name);
  const headers: (readonly [string, string])[] = [
    ...(has("host") ? [] : [["Host", "docker"] as const]),
    ...given,
    ...(has("content-length") || has("transfer-encoding") || request.body === undefined
      ? []
      : [["Content-Length", String(body.length)] as const]),
    ...(has("connection") ? [] : [["Connection", "close"] as const]),
  ];
  const head = [`${request.method} ${request.target} HTTP/1.1`, ...headers.map(([name, value]) => `${name}: ${value}`)];
  return exchangeBytes(socketPath, Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`), body]));
}

/** Writes bytes and reads what comes back. */
export function exchangeBytes(socketPath: string, bytes: Uint8Array): Exchange {
  const chunks: Buffer[] = [];
  const socket = connect(socketPath);
  const soFar = () => parseAnswer(Buffer.concat(chunks).toString("latin1"));
  const answer = new Promise<RawAnswer>((resolve, reject) => {
    socket.on("data", (chunk) => chunks.push(chunk));
    // A server that refuses may close while the rest is still being written: what it said counts.
    socket.on("error", (error) => (chunks.length > 0 || isReset(error) ? resolve(soFar()) : reject(error)));
    socket.on("close", () => resolve(soFar()));
  });
  socket.on("connect", () => socket.write(bytes));
  return { answer, soFar, end: () => socket.destroy() };
}

/** Sends a request whose answer has an end. */
export function send(socketPath: string, request: RawRequest): Promise<RawAnswer> {
  return exchange(socketPath, request).answer;
}

function isReset(error: Error): boolean {
  return "code" in error && (error.code === "ECONNRESET" || error.code === "EPIPE");
}

/** Reads the first answer in what a server wrote; chunks are joined, what follows it stays in `bytes` only. */
export function parseAnswer(bytes: string): RawAnswer {
  const split = bytes.indexOf("\r\n\r\n");
  const [first = "", ...lines] = bytes.slice(0, split < 0 ? undefined : split).split("\r\n");
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(first)?.[1] ?? 0);
  const headers = new Map(
    lines.map((line) => {
      const colon = line.indexOf(":");
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
    }),
  );
  const rest = split < 0 ? "" : bytes.slice(split + 4);
  const length = Number(headers.get("content-length") ?? rest.length);
  const body = headers.get("transfer-encoding") === "chunked" ? joinChunks(rest) : rest.slice(0, length);
  return { status, headers, body: Buffer.from(body, "latin1").toString("utf8"), bytes };
}

function joinChunks(text: string): string {
  let joined = "";
  for (let at = 0; ; ) {
    const line = text.indexOf("\r\n", at);
    const size = line < 0 ? 0 : Number.parseInt(text.slice(at, line), 16);
    if (!(size > 0)) return joined;
    joined += text.slice(line + 2, line + 2 + size);
    at = line + 2 + size + 2;
  }
}
