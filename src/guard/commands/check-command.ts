import { performance } from "node:perf_hooks";
import { printable } from "../audit/printable.ts";
import type { ClientRequest, EngineRequest, Facts, Question } from "../decision/decision.ts";
import { type Decide, type Outcome, settle } from "../engine/deciding.ts";
import { beginInquiry, type Inquiry, lookUpImage } from "../engine/facts.ts";
import { pinImages } from "../engine/pinned-images.ts";
import { countCreates } from "../engine/quotas.ts";
import { engineAt } from "../engine/upstream.ts";
import type { Policy } from "../policy/policy.ts";
import { type JsonValue, serializeJson } from "../request/json.ts";
import { engineVersion } from "../serve/start.ts";
import { usualTimeouts } from "../serve/timeouts.ts";

/** What would become of a request, and what was asked to find out. */
export interface Checked {
  readonly outcome: Outcome;
  readonly asked: readonly Question[];
}

/** Decides with facts that somebody else has found. */
export async function checkWithFacts(
  decide: Decide,
  request: ClientRequest,
  policy: Policy,
  facts: Facts,
): Promise<Checked> {
  return check(decide, request, policy, { facts, establish: async () => {}, turn: () => undefined });
}

/** Decides with the facts of an engine, which is only asked. */
export async function checkWithEngine(
  decide: Decide,
  request: ClientRequest,
  policy: Policy,
  upstreamPath: string,
): Promise<Checked> {
  const engine = engineAt(upstreamPath, usualTimeouts.questionMs);
  const apiVersion = await engineVersion(engine);
  const pins = await pinImages(policy.images, (image) => lookUpImage(engine, apiVersion, image));
  const creates = countCreates(() => performance.now());
  const sources = { engine, apiVersion, pinnedImages: pins.ids, owner: policy.owner, creates };
  return check(decide, request, policy, beginInquiry(sources, new AbortController().signal));
}

async function check(decide: Decide, request: ClientRequest, policy: Policy, inquiry: Inquiry): Promise<Checked> {
  const asked: Question[] = [];
  const outcome = await settle(decide, request, policy, {
    ...inquiry,
    establish(questions) {
      asked.push(...questions);
      return inquiry.establish(questions);
    },
  });
  return { outcome, asked };
}

/** The answer for a person: what was decided, by which rule, and what would be sent. */
export function checkedText({ outcome, asked }: Checked): string {
  const { rewrites = [], environmentNames: _, ...notes } = outcome.notes;
  const rows: [string, string][] = [
    ...Object.entries(notes).flatMap(([name, value]): [string, string][] =>
      value === undefined ? [] : [[name, typeof value === "string" ? value : value.join(", ")]],
    ),
    ...asked.map((question): [string, string] => ["asked", questionText(question)]),
    ...rewrites.map((rewrite): [string, string] => ["changed", rewrite]),
  ];
  const lines = rows.map(([name, value]) => `  ${name.padEnd(10)} ${printable(value)}\n`).join("");
  switch (outcome.kind) {
    case "deny":
      return `refused by ${outcome.rule}, with status ${outcome.status}\n  message    ${printable(outcome.message)}\n${lines}`;
    case "answer":
      return `answered by the guard itself, by ${outcome.rule}\n${lines}${indented(pretty(outcome.body))}`;
    case "forward":
      return `allowed by ${outcome.rule}\n${lines}${sentText(outcome.request)}`;
  }
}

function sentText({ method, target, body, stream }: EngineRequest): string {
  const kind = stream === "none" ? "" : ` (${stream})`;
  const line = `  sent       ${method} ${printable(target, 4096)}${kind}\n`;
  if (body === undefined) return line;
  return line + ("tar" in body ? `  an archive of ${body.tar.length} bytes\n` : indented(pretty(body)));
}

function questionText(question: Question): string {
  switch (question.kind) {
    case "container":
    case "image":
      return `the engine for the ${question.kind} ${question.reference}`;
    case "exec":
      return `the engine for the exec ${question.id}`;
    case "path":
      return `where ${question.path} leads`;
    case "sandboxes":
      return "how many sandboxes there are";
  }
}

function pretty(value: JsonValue): string {
  return JSON.stringify(JSON.parse(serializeJson(value)), undefined, 2);
}

function indented(text: string): string {
  return text.replace(/^/gm, "    ") + "\n";
}
