import type { Accepted, AuditBegin, AuditEnd, AuditState } from "../core/deployment/audit.ts";
import { folderOf } from "../core/stack/stack.ts";
import { DeployError, type ExitCode, exitCodes, InterruptedError } from "../errors.ts";
import { FileWriteError, fileFinding } from "../files.ts";
import { withLock } from "../shell/lock/lock.ts";
import { auditPath, writeAudit } from "../shell/records/audit-log.ts";
import { setAsideReceipt } from "../shell/records/receipt.ts";
import { sweepJournal } from "../shell/records/rotation-journal.ts";
import type { World } from "../world.ts";

/** What a command is about to change, for those it excludes and for those who ask later. */
export interface Change {
  readonly statePath: string;
  readonly project: string;
  /** The command, its arguments and then its flags, as they may be written down. */
  readonly words: readonly string[];
  /** False where the plan has nothing to do: then it is only looked. */
  readonly changes: boolean;
  /** Only files of this folder change: nobody has to be kept from the project on its engine. */
  readonly onlyFolder?: true;
  readonly from?: AuditState;
  readonly to?: AuditState;
  readonly accepted?: readonly Accepted[];
  /** Looks, under the lock, whether what was planned still holds; throws where it does not. */
  readonly check?: () => Promise<void>;
}

/** The bracket around everything that changes something: nobody else does meanwhile, and the audit log tells of it. */
export async function withChange<T>(world: World, change: Change, work: () => Promise<T>): Promise<T> {
  const { statePath, project, words, changes, onlyFolder } = change;
  const flagsAt = words.findIndex((word) => word.startsWith("--"));
  const command = words.slice(0, flagsAt < 0 ? undefined : flagsAt).join(" ");
  return withLock(world, { statePath, project, command, changes: changes && onlyFolder !== true }, async () => {
    await setAsideReceipt(world, statePath);
    await sweepJournal(world, statePath);
    await change.check?.();
    return audited(world, change, work);
  });
}

/** Notes in the audit log that work begins and how it ended; work does not begin where that cannot be written (D049). */
export async function audited<T>(world: World, change: Change, work: () => Promise<T>): Promise<T> {
  const began = world.now();
  const begin = beginOf(world, change, began);
  if (change.changes) await writeOrStop(world, change.statePath, begin);
  const write = async (exitCode: ExitCode, codes: readonly string[]) => {
    const seconds = Math.max(0, world.now().getTime() - began.getTime()) / 1000;
    const time = world.now().toISOString();
    const end: AuditEnd = { version: 1, event: "end", id: begin.id, time, seconds, exitCode, codes: [...codes] };
    await writeOrNote(world, change.statePath, change.changes ? [end] : [begin, end]);
  };
  try {
    const value = await work();
    if (change.changes) await write(exitCodes.done, []);
    return value;
  } catch (error) {
    const { exitCode, codes } = endingOf(world, error);
    // What only looked may have stopped a container that holds more than anybody accepted.
    if (change.changes || exitCode === exitCodes.failed) await write(exitCode, codes);
    throw error;
  }
}

function beginOf(
  world: World,
  { statePath, project, words, from, to, accepted = [] }: Change,
  began: Date,
): AuditBegin {
  const sudoBy = world.env["SUDO_USER"];
  return {
    ...{ version: 1, event: "begin", id: Buffer.from(world.randomBytes(6)).toString("hex"), time: began.toISOString() },
    ...{ who: world.user, host: world.host, command: [...words], project, folder: folderOf(statePath) },
    ...(sudoBy ? { sudoBy } : {}),
    ...(from ? { from } : {}),
    ...(to ? { to } : {}),
    ...(accepted.length > 0 ? { accepted: [...accepted] } : {}),
    toolVersion: world.version,
  };
}

/** How a command ends with this error. */
function endingOf(world: World, error: unknown): { readonly exitCode: ExitCode; readonly codes: readonly string[] } {
  if (world.signal.aborted || error instanceof InterruptedError) return { exitCode: exitCodes.interrupted, codes: [] };
  if (error instanceof DeployError) return { exitCode: error.exitCode, codes: error.findings.map(({ code }) => code) };
  const finding = fileFinding(error);
  return finding ? { exitCode: exitCodes.refused, codes: [finding.code] } : { exitCode: exitCodes.bug, codes: [] };
}

async function writeOrStop(world: World, statePath: string, begin: AuditBegin): Promise<void> {
  try {
    await writeAudit(world, statePath, [begin]);
  } catch (error) {
    if (!(error instanceof FileWriteError)) throw error;
    throw new DeployError([
      {
        code: "D049",
        severity: "error",
        message: `${error.message}; the audit log tells of every change, so nothing was changed`,
        fix: `free disk space (df -h), or see to it that you may write ${auditPath(statePath)}`,
      },
    ]);
  }
}

async function writeOrNote(world: World, statePath: string, lines: readonly (AuditBegin | AuditEnd)[]): Promise<void> {
  try {
    await writeAudit(world, statePath, lines);
  } catch (error) {
    if (!(error instanceof FileWriteError)) throw error;
    world.reporter.note(`how this ended is missing in the audit log: ${error.message}`);
  }
}
