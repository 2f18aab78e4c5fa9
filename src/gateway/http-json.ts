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

/** Sends a request and reads the whole answer; throws with the reason when there is none. Redirects are refused. */
export async function requestJson(wanted: JsonRequest): Promise<JsonAnswer> {
  try {
    const answer = await fetch(wanted.url, {
      method: wanted.method,
      // A redirect would carry the key to another place.
      redirect: "error",
      headers: {
        accept: "application/json",
        ...(wanted.body === undefined ? {} : { "content-type": "application/json" }),
        ...wanted.headers,
      },
      ...(wanted.body === undefined ? {} : { body: JSON.stringify(wanted.body) }),
      signal: wanted.signal,
    });
    const text = await readText(answer, wanted.answerBytesMax ?? defaultAnswerBytesMax);
    return { status: answer.status, body: parse(text) };
  } catch (error) {
    throw new Error(reasonOf(error), { cause: error });
  }
}

async function readText(answer: Response, bytesMax: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer.body ?? []) {
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

/** Why a request failed: fetch itself says only "fetch failed", its cause holds what an operator can act on. */
export function reasonOf(error: unknown): string {
  if (error instanceof Error && error.cause instanceof Error) {
    const { cause } = error;
    return "code" in cause && typeof cause.code === "string"
      ? `${cause.message || "no connection"} (${cause.code})`
      : cause.message;
  }
  return messageOf(error);
}
