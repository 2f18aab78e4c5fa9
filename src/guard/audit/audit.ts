import type { AuditNotes } from "../decision/decision.ts";
import { errorCode, Failure } from "../failure.ts";
import { printable } from "./printable.ts";

/** Which part of an operation a line is about. */
export type AuditEvent =
  /** All of it: refused, or read and answered. */
  | "done"
  /** It is sent to the engine now; a line with the same id follows when it has ended. */
  | "begin"
  | "end"
  /** Something that the guard noticed by itself, such as a container that the policy would no longer allow. */
  | "note";

/** One line of the audit. Names and numbers: no value of a variable, no command, no content. */
export interface AuditEntry extends AuditNotes {
  readonly id: string;
  readonly event: AuditEvent;
  readonly decision: "allow" | "deny";
  readonly rule: string;
  readonly method?: string;
  /** As the client sent it. */
  readonly target?: string;
  /** The status of the answer; undefined: there was none. */
  readonly status?: number;
  readonly bytesIn?: number;
  readonly bytesOut?: number;
  readonly ms?: number;
  /** What went wrong, or what a note says. */
  readonly message?: string;
}

/** Where audit lines go. */
export interface Audit {
  /** Writes a line, or throws a `Failure`: what cannot be written down does not happen. */
  readonly write: (entry: AuditEntry) => void;
  /** Why the last line could not be written; undefined: it could. */
  readonly problem: () => string | undefined;
}

/** What takes lines: a file, or standard output. Throws where it cannot take them whole. */
export type LineSink = (line: string) => void;

const itemsMax = 64;

/** An audit that stamps each entry with the time and the hash of the policy that decided. */
export function auditTo(sink: LineSink, policyHash: string, now: () => Date = () => new Date()): Audit {
  let problem: string | undefined;
  return {
    problem: () => problem,
    write(entry) {
      try {
        sink(auditLine(entry, policyHash, now()));
        problem = undefined;
      } catch (error) {
        problem = errorCode(error);
        throw new Failure(
          "audit.unwritable",
          503,
          `the audit cannot be written (${problem}), so nothing is let through`,
        );
      }
    },
  };
}

/** The entry as one line of JSON, with everything in it made printable. */
export function auditLine(entry: AuditEntry, policyHash: string, time: Date): string {
  const { id, event, decision, rule, method, target, status, bytesIn, bytesOut, ms, message, ...notes } = entry;
  const line = {
    ...{ time: time.toISOString(), id, event, decision, rule, route: notes.route, method: short(method), target },
    ...{ container: short(notes.container), image: short(notes.image), field: short(notes.field) },
    ...{ rewrites: list(notes.rewrites), environmentNames: list(notes.environmentNames) },
    ...{ mounts: list(notes.mounts), ports: list(notes.ports) },
    ...{ status, bytesIn, bytesOut, ms: ms === undefined ? undefined : Math.round(ms * 10) / 10 },
    ...{ message: short(message), policy: policyHash },
  };
  return `${JSON.stringify({ ...line, target: target === undefined ? undefined : printable(target, 2048) })}\n`;
}

function short(text: string | undefined): string | undefined {
  return text === undefined ? undefined : printable(text, 256);
}

function list(items: readonly string[] | undefined): readonly string[] | undefined {
  if (items === undefined || items.length === 0) return undefined;
  const shown = items.slice(0, itemsMax).map((item) => printable(item, 256));
  return items.length > itemsMax ? [...shown, `... (${items.length} in all)`] : shown;
}
