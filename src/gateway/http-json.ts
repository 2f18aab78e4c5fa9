import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { messageOf } from "./provider.ts";

/** A request that expects a JSON answer. */
export interface JsonRequest {
  readonly method: "GET" | "POST" | "DELETE";
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly signal: AbortSignal;
  /** A longer answer is an error. */
  readonly answerBytesMax?: number;
}

/** An answer; `body` is undefined when it is not JSON. */
export interface JsonAnswer {
  readonly status: number;
  readonly body: unknown;
}

const defaultAnswerBytesMax = 1024 * 1024;

/**
 * Sends a request and reads the whole answer; throws with the reason when there is none. A redirect is an answer and never
 * followed: it would carry the key to another place.
 */
export async function requestJson(wanted: JsonRequest): Promise<JsonAnswer> {
  try {
    const answer = await openAnswer(wanted);
    const text = await readText(answer, wanted.answerBytesMax ?? defaultAnswerBytesMax);
    return { status: answer.statusCode ?? 0, body: parse(text) };
  } catch (error) {
    throw new Error(reasonOf(error), { cause: error });
  }
}

/** Without fetch, which gives up after five minutes of silence, whatever the signal says: a run may take an hour. */
function openAnswer({ method, url, headers, body, signal }: JsonRequest): Promise<IncomingMessage> {
  const target = new URL(url);
  const request = target.protocol === "https:" ? requestHttps : requestHttp;
  const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
  const content = payload && { "content-type": "application/json", "content-length": payload.length };
  const options = { method, signal, agent: false, headers: { accept: "application/json", ...content, ...headers } };
  return new Promise((resolve, reject) => {
    const sent = request(target, options, resolve);
    sent.on("error", reject);
    sent.end(payload);
  });
}

async function readText(answer: IncomingMessage, bytesMax: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > bytesMax) throw new Error(`the answer is longer than ${bytesMax} bytes`);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Why a request failed: the cause says what an operator can act on, where the error itself says only that it failed. */
export function reasonOf(error: unknown): string {
  const told = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  // Where a name has several addresses, the error has no words of its own.
  if (told instanceof Error && "code" in told && typeof told.code === "string")
    return `${told.message || "no connection"} (${told.code})`;
  return messageOf(told);
}
