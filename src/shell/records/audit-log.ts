import { type AuditBegin, type AuditEnd, type AuditEntry, readAudit } from "../../core/deployment/audit.ts";
import { createRedactor } from "../../core/secrets/redact.ts";
import { redactedDocument } from "../../core/secrets/redacted-document.ts";
import { joinPath } from "../../core/stack/stack.ts";
import type { World } from "../../world.ts";

const limitBytes = 5 * 1024 * 1024;

/** Where the audit log is, below the folder of the tool's state. */
export function auditPath(statePath: string): string {
  return joinPath(statePath, "audit.jsonl");
}

/** Adds lines to the audit log of a folder, with nothing in them that is known as a secret. Throws FileWriteError. */
export async function writeAudit(
  world: Pick<World, "files" | "reporter">,
  statePath: string,
  lines: readonly (AuditBegin | AuditEnd)[],
): Promise<void> {
  const redact = createRedactor(world.reporter.hidden());
  const text = lines.map((line) => `${JSON.stringify(redactedDocument(line, redact))}\n`).join("");
  await world.files.makeDirectory(statePath, 0o700);
  await world.files.append(auditPath(statePath), text, { mode: 0o600, limitBytes });
}

/** What the audit log of a folder tells, oldest first, with that of before it grew too large. */
export async function readAuditLog(world: Pick<World, "files">, statePath: string): Promise<AuditEntry[]> {
  const path = auditPath(statePath);
  const [former, current] = await Promise.all([world.files.read(`${path}.1`), world.files.read(path)]);
  return readAudit(`${former ?? ""}\n${current ?? ""}`);
}
