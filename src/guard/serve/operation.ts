import { randomBytes } from "node:crypto";
import { performance } from "node:perf_hooks";
import type { Audit, AuditEntry, AuditEvent } from "../audit/audit.ts";
import type { AuditNotes, ClientRequest } from "../decision/decision.ts";
import { type Decide, type Outcome, settle } from "../engine/deciding.ts";
import { beginInquiry, type Inquiry, type Sources } from "../engine/facts.ts";
import type { PinnedImages } from "../engine/pinned-images.ts";
import type { Engine } from "../engine/upstream.ts";
import { Failure } from "../failure.ts";
import type { Policy } from "../policy/policy.ts";
import { bodyLimitBytes } from "../request/body.ts";
import { replyJson, replyRefusal } from "./answers.ts";
import type { BodyShare } from "./body-memory.ts";
import type { ClientEnd } from "./client-end.ts";
import { forward } from "./forwarding.ts";
import type { Tally } from "./tally.ts";
import type { Timeouts } from "./timeouts.ts";

/** All that a request needs on its way through the guard. */
export interface Guard {
  readonly policy: Policy;
  readonly timeouts: Timeouts;
  readonly decide: Decide;
  readonly engine: Engine;
  readonly sources: Sources;
  readonly pins: PinnedImages;
  readonly audit: Audit;
  readonly tally: Tally;
  readonly bodyMemory: () => BodyShare;
  /** Aborted when the guard ends: streams end with it. */
  readonly stopping: AbortSignal;
  /** Tells whoever runs the guard of something that should not happen. */
  readonly complain: (text: string) => void;
}

/** One request on its way. */
export interface Operation {
  readonly client: ClientEnd;
  /** Writes a line of the audit about it; throws a `Failure` where that cannot be done. */
  readonly note: (event: AuditEvent, rest: Pick<AuditEntry, "decision" | "rule"> & Partial<AuditEntry>) => void;
  /** The length of its body; undefined until the request was read whole. */
  bytesIn: number | undefined;
}

/** Carries one request of a client from its first byte to the last one of its answer. Never throws. */
export async function carryOut(guard: Guard, client: ClientEnd): Promise<void> {
  const operation = begin(guard, client);
  const inquiry = beginInquiry(guard.sources, client.gone);
  const share = guard.bodyMemory();
  try {
    const outcome = await decideAbout(guard, operation, inquiry, share);
    await follow(guard, operation, outcome, inquiry);
  } catch (error) {
    const { rule, status, message } = asFailure(guard, error);
    // Who leaves in the middle of a request has asked for nothing.
    if (operation.bytesIn !== undefined || rule !== "client.gone") refuse(guard, operation, rule, status, message, {});
  } finally {
    share.giveBack();
    inquiry.turn()?.release();
  }
}

/** Refuses before anything was read, for a reason of the guard's own. */
export function turnAway(guard: Guard, client: ClientEnd, failure: Failure): void {
  refuse(guard, begin(guard, client), failure.rule, failure.status, failure.message, {});
}

function begin(guard: Guard, client: ClientEnd): Operation {
  const id = randomBytes(6).toString("hex");
  const { method = "", url: target = "" } = client.request;
  const startedAt = performance.now();
  const operation: Operation = {
    client,
    bytesIn: undefined,
    note(event, rest) {
      const { bytesIn = 0 } = operation;
      guard.audit.write({ bytesIn, ...rest, id, event, method, target, ms: performance.now() - startedAt });
    },
  };
  return operation;
}

async function decideAbout(guard: Guard, operation: Operation, inquiry: Inquiry, share: BodyShare): Promise<Outcome> {
  const request = await readRequest(guard, operation.client, share);
  operation.bytesIn = request.body.length;
  if (request.method === "POST" && guard.pins.missing().length > 0) await guard.pins.complete();
  const outcome = await settle(guard.decide, request, guard.policy, inquiry);
  // A stream outlives its request by far; only an archive is held until it has been sent.
  if (outcome.kind !== "forward" || request.method !== "PUT") share.giveBack();
  return outcome;
}

async function readRequest(guard: Guard, client: ClientEnd, share: BodyShare): Promise<ClientRequest> {
  const { method = "", url = "", httpVersion, rawHeaders } = client.request;
  if (httpVersion !== "1.1")
    throw new Failure("framing.version", 400, `only HTTP/1.1 is spoken here, and not ${httpVersion}`);
  const headers = rawHeaders.flatMap((name, index): [string, string][] =>
    index % 2 === 0 ? [[name, rawHeaders[index + 1] ?? ""]] : [],
  );
  // Archives are long; they are not even read where the policy takes none.
  const bytesMax = bodyLimitBytes(method === "PUT" && !guard.policy.operations.archive ? "POST" : method);
  const body = await client.readBody({ bytesMax, withinMs: guard.timeouts.requestMs, share });
  return { method, target: url, headers, body };
}

async function follow(guard: Guard, operation: Operation, outcome: Outcome, inquiry: Inquiry): Promise<void> {
  switch (outcome.kind) {
    case "deny":
      return refuse(guard, operation, outcome.rule, outcome.status, outcome.message, outcome.notes);
    case "answer":
      operation.note("done", { ...outcome.notes, decision: "allow", rule: outcome.rule, status: 200 });
      guard.tally.allow();
      return replyJson(operation.client, 200, outcome.body);
    case "forward":
      return forward(guard, operation, outcome, inquiry.turn());
  }
}

/** Says no. That it could not be written down makes no difference: nothing was let through. */
function refuse(
  guard: Guard,
  { client, note }: Operation,
  rule: string,
  status: number,
  message: string,
  notes: AuditNotes,
): void {
  if (!client.gone.aborted) guard.tally.deny(rule, status);
  try {
    note("done", { ...notes, decision: "deny", rule, status, message });
  } catch (error) {
    guard.complain(asFailure(guard, error).message);
  }
  if (!client.gone.aborted) replyRefusal(client, status, message);
}

function asFailure(guard: Guard, error: unknown): Failure {
  if (error instanceof Failure) return error;
  guard.complain(`a request failed by a bug of the guard: ${error instanceof Error ? error.stack : String(error)}`);
  return new Failure("guard.bug", 500, "the guard has a bug here, so nothing is let through; its log says more");
}
