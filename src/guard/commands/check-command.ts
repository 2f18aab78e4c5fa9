import { performance } from "node:perf_hooks";
import { printable } from "../audit/printable.ts";
import type { AuditNotes, ClientRequest, Decision, EngineRequest, Facts, Question } from "../decision/decision.ts";
import { type Decide, settle } from "../engine/deciding.ts";
import { beginInquiry, type Inquiry, lookUpImage } from "../engine/facts.ts";
import { pinImages } from "../engine/pinned-images.ts";
import { countCreates } from "../engine/quotas.ts";
import { type Engine, engineAt } from "../engine/upstream.ts";
import { Failure } from "../failure.ts";
import type { Policy } from "../policy/policy.ts";
import { type JsonValue, serializeJson } from "../request/json.ts";
import { engineVersion } from "../serve/start.ts";
import { usualTimeouts } from "../serve/timeouts.ts";
import { unknownFacts } from "./check-facts.ts";

/** What would become of a request, and what was asked to find out. It stays a question where nobody could answer. */
export interface Checked {
  readonly decision: Decision;
  readonly asked: readonly Question[];
  /** Why nobody could be asked. */
  readonly unasked?: string;
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

/** Decides with the facts of an engine, which is only asked; without them where it does not answer. */
export async function checkWithEngine(
  decide: Decide,
  request: ClientRequest,
  policy: Policy,
  upstreamPath: string,
): Promise<Checked> {
  try {
    return await check(
      decide,
      request,
      policy,
      await askEngine(engineAt(upstreamPath, usualTimeouts.questionMs), policy),
    );
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return checkAlone(decide, request, policy, error.message.replace(/^sandbox guard: | \(rule [^)]*\)$/g, ""));
  }
}

async function askEngine(engine: Engine, policy: Policy): Promise<Inquiry> {
  const apiVersion = await engineVersion(engine);
  const pins = await pinImages(policy.images, (image) => lookUpImage(engine, apiVersion, image));
  const creates = countCreates(() => performance.now());
  const sources = { engine, apiVersion, pinnedImages: pins.ids, owner: policy.owner, creates };
  return beginInquiry(sources, new AbortController().signal);
}

/** Decides as far as request and policy go by themselves; `unasked` says why nobody is asked for more. */
export function checkAlone(decide: Decide, request: ClientRequest, policy: Policy, unasked: string): Checked {
  return { decision: decide(request, policy, unknownFacts(request)), asked: [], unasked };
}

async function check(decide: Decide, request: ClientRequest, policy: Policy, inquiry: Inquiry): Promise<Checked> {
  const asked: Question[] = [];
  const decision = await settle(decide, request, policy, {
    ...inquiry,
    establish(questions) {
      asked.push(...questions);
      return inquiry.establish(questions);
    },
  });
  return { decision, asked };
}

/** The answer for a person: what was decided, by which rule, and what would be sent. */
export function checkedText({ decision, asked, unasked }: Checked): string {
  const asking = asked.map((question): Row => ["asked", questionText(question)]);
  switch (decision.kind) {
    case "deny": {
      const rows: Row[] = [["message", decision.message], ...noteRows(decision.notes), ...asking];
      return `refused by ${decision.rule}, with status ${decision.status}\n${rowsText(rows)}`;
    }
    case "answer":
      return `answered by the guard itself, by ${decision.rule}\n${rowsText(asking)}${indented(pretty(decision.body))}`;
    case "forward": {
      const rows = [...noteRows(decision.notes), ...asking];
      return `allowed by ${decision.rule}\n${rowsText(rows)}${sentText(decision.request)}`;
    }
    case "ask": {
      const rows = decision.questions.map((question): Row => ["unknown", questionText(question)]);
      return `not decided, though the policy alone does not refuse it: ${unasked}\n${rowsText(rows)}`;
    }
  }
}

type Row = readonly [name: string, value: string];

function noteRows({ rewrites = [], environmentNames: _, ...notes }: AuditNotes): Row[] {
  const said = Object.entries(notes).flatMap(([name, value = ""]): Row[] => {
    const text = typeof value === "string" ? value : value.join(", ");
    return text === "" ? [] : [[name, text]];
  });
  return [...said, ...rewrites.map((rewrite): Row => ["changed", rewrite])];
}

function rowsText(rows: readonly Row[]): string {
  return rows.map(([name, value]) => `  ${name.padEnd(10)} ${printable(value)}\n`).join("");
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
