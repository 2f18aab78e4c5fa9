import { deny } from "../decision/body-decision.ts";
import type { Known, Question, Refusal } from "../decision/decision.ts";
import { serializeJson } from "./json.ts";

/** What a part of a request was understood as, or why it goes no further. */
export type Reading<Value> = { readonly kind: "read"; readonly value: Value } | Refusal;

/** The good end of a reading. */
export function read<Value>(value: Value): Reading<Value> {
  return { kind: "read", value };
}

/** A refusal of what is no well-formed request: status 400. */
export function malformed(rule: string, what: string): Refusal {
  return deny(rule, what, {}, 400);
}

/** What does not exist for this client: Docker's own text, so that clients go on as they do without a guard. */
export function absent(rule: string, message: string): Refusal {
  return { kind: "deny", rule, status: 404, message, notes: {} };
}

/** The value of a fact, or the question that it takes. */
export function known<Value>(fact: Known<Value>): Reading<Value> {
  if (fact.known) return read(fact.value);
  const questions: readonly [Question, ...Question[]] = [fact.question];
  return { kind: "ask", questions };
}

/** Text of a client for a message: in quotes, ASCII and short, so that it can neither forge a line nor fill a screen. */
export function quoted(text: string): string {
  return serializeJson(text.length > 60 ? `${text.slice(0, 60)}...` : text);
}
