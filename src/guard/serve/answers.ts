import type { IncomingMessage } from "node:http";
import { type JsonValue, serializeJson } from "../request/json.ts";
import type { AnswerHeaders, ClientEnd } from "./client-end.ts";

/** What clients read of an engine's answer, in the spelling in which they get it. */
const passed = [
  ...["Api-Version", "Docker-Experimental", "Ostype", "Server", "Builder-Version"],
  ...["Content-Type", "Cache-Control", "Pragma", "X-Docker-Container-Path-Stat"],
];

/** The headers of an engine's answer that go on to the client: known ones, of printable ASCII. */
export function passedHeaders(answer: IncomingMessage): AnswerHeaders {
  return Object.fromEntries(
    passed.flatMap((name) => {
      const value = answer.headers[name.toLowerCase()];
      return typeof value === "string" && /^[ -~]{1,8192}$/.test(value) ? [[name, value]] : [];
    }),
  );
}

/** The status of an engine's answer, or 502 for one that an answer cannot have. */
export function passedStatus(answer: IncomingMessage): number {
  const status = answer.statusCode ?? 0;
  return status >= 200 && status <= 599 ? status : 502;
}

/** Answers with JSON of the guard's own. */
export function replyJson(client: ClientEnd, status: number, body: JsonValue, headers: AnswerHeaders = {}): void {
  const bytes = Buffer.from(`${serializeJson(body)}\n`);
  client.reply(status, { "Content-Type": "application/json", ...headers }, bytes);
}

// After these the connection may be out of step, or is one too many.
const closing = [400, 408, 413, 429];

/** Refuses in the form in which the engine does, so that clients show the message. */
export function replyRefusal(client: ClientEnd, status: number, message: string): void {
  const headers: AnswerHeaders = closing.includes(status) ? { Connection: "close" } : {};
  replyJson(client, status, new Map([["message", message]]), headers);
}
