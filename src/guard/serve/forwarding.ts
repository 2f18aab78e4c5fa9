import type { IncomingMessage } from "node:http";
import type { AuditEntry } from "../audit/audit.ts";
import type { Outcome } from "../engine/deciding.ts";
import type { Turn } from "../engine/quotas.ts";
import type { Opened } from "../engine/upstream.ts";
import { errorCode, Failure } from "../failure.ts";
import { passedHeaders, passedStatus, replyRefusal } from "./answers.ts";
import { clientGone } from "./client-end.ts";
import type { Guard, Operation } from "./operation.ts";
import { collectAnswer, copyAnswer, join } from "./streams.ts";

/** A decision that something is sent. */
export type Forward = Extract<Outcome, { readonly kind: "forward" }>;

type Ending = Pick<AuditEntry, "status" | "bytesIn" | "bytesOut" | "message">;

/** The audit of what is sent. What cannot be written down before it happens does not happen. */
interface Record {
  readonly begin: () => void;
  /** After a beginning it never throws: what happened cannot be taken back. */
  readonly end: (ending: Ending) => void;
}

// A plain answer up to this size is written down before it is given; a longer one is a stream.
const plainBytesMax = 256 * 1024;

/**
 * Sends what was decided, and gives the client what comes back. What changes something or lasts is written down before
 * it is sent, and again when it has ended; what only reads, once, before the client gets a byte of it.
 */
export async function forward(
  guard: Guard,
  operation: Operation,
  decision: Forward,
  turn: Turn | undefined,
): Promise<void> {
  const { method, stream } = decision.request;
  const record = startRecord(guard, operation, decision);
  if (stream !== "none" || (method !== "GET" && method !== "HEAD")) record.begin();
  guard.tally.allow();
  let opened: Opened | undefined;
  try {
    turn?.created();
    opened = await send(guard, operation, decision, turn);
    if (opened.kind === "raw") await joinBoth(guard, operation, opened, record);
    else if (stream === "none") await givePlain(guard, operation, opened.answer, record, turn);
    else await giveStream(guard, operation, opened.answer, Buffer.alloc(0), record);
  } catch (error) {
    const failure = operation.client.gone.aborted ? clientGone() : error;
    if (!(failure instanceof Failure) || failure.rule.startsWith("audit.")) throw failure;
    if (failure.rule === "engine.unreachable") turn?.refused();
    record.end({ status: failure.status, bytesOut: 0, message: failure.message });
    if (!operation.client.gone.aborted) replyRefusal(operation.client, failure.status, failure.message);
  } finally {
    opened?.answer.destroy();
  }
}

function startRecord(guard: Guard, { note }: Operation, { rule, notes }: Forward): Record {
  let begun = false;
  return {
    begin() {
      note("begin", { ...notes, decision: "allow", rule });
      begun = true;
    },
    end(ending) {
      if (!begun) return note("done", { ...notes, decision: "allow", rule, ...ending });
      const { route, container } = notes;
      const named = { ...(route === undefined ? {} : { route }), ...(container === undefined ? {} : { container }) };
      try {
        note("end", { ...named, decision: "allow", rule, ...ending });
      } catch (error) {
        guard.complain(errorCode(error));
      }
    },
  };
}

function send(guard: Guard, { client }: Operation, { request }: Forward, turn: Turn | undefined): Promise<Opened> {
  const stopMs = guard.policy.limits.stopSeconds * 1000;
  return guard.engine.send(request, client.upgrade && request.stream === "duplex", {
    silenceMs: request.stream === "none" ? guard.timeouts.silenceMs + stopMs : undefined,
    // Whoever leaves in the middle of a create would otherwise let the next one in before the engine is done with it.
    signal: turn === undefined ? client.gone : new AbortController().signal,
  });
}

async function givePlain(
  guard: Guard,
  operation: Operation,
  answer: IncomingMessage,
  record: Record,
  turn: Turn | undefined,
): Promise<void> {
  const collected = await collectAnswer(answer, plainBytesMax).catch((error) => {
    throw new Failure("engine.broken", 502, `the Docker engine broke off its answer (${errorCode(error)})`);
  });
  const status = passedStatus(answer);
  if (status >= 300) turn?.refused();
  if (!collected.whole) {
    record.begin();
    return giveStream(guard, operation, answer, collected.bytes, record);
  }
  record.end({ status, bytesOut: collected.bytes.length });
  operation.client.reply(status, passedHeaders(answer), collected.bytes);
}

async function giveStream(
  guard: Guard,
  { client }: Operation,
  answer: IncomingMessage,
  head: Buffer,
  record: Record,
): Promise<void> {
  const ended = guard.tally.stream();
  const cut = (): void => void answer.destroy();
  guard.stopping.addEventListener("abort", cut);
  if (guard.stopping.aborted) cut();
  const status = passedStatus(answer);
  const into = client.begin(status, passedHeaders(answer));
  if (head.length > 0) into.write(head);
  const { bytesOut, whole } = await copyAnswer(answer, into);
  guard.stopping.removeEventListener("abort", cut);
  ended();
  const message = whole ? {} : { message: client.gone.aborted ? "the client left" : "the engine broke off its answer" };
  record.end({ status, bytesOut: head.length + bytesOut, ...message });
}

async function joinBoth(
  guard: Guard,
  { client }: Operation,
  { answer, connection, head }: Extract<Opened, { readonly kind: "raw" }>,
  record: Record,
): Promise<void> {
  const ended = guard.tally.stream();
  const carried = await join(
    client.takeOver(passedHeaders(answer)["Content-Type"] ?? ""),
    connection,
    head,
    guard.stopping,
  );
  ended();
  record.end({ status: 101, ...carried });
}
