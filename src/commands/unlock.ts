import { auditWords } from "../core/deployment/audit.ts";
import { type Holding, heldFinding, holderText } from "../core/deployment/lock-holder.ts";
import { type AcceptName, heldLock, type PlanQuestion } from "../core/plan/plan.ts";
import { DeployError, exitCodes } from "../errors.ts";
import { FileReadError } from "../files.ts";
import { type FoundLock, readLocks } from "../shell/lock/lock.ts";
import { readReceipt } from "../shell/records/receipt.ts";
import type { World } from "../world.ts";
import { audited } from "./change.ts";
import { consent } from "./consent.ts";
import { type GlobalFlags, readSetting, statePathOf } from "./prepare.ts";

/** Flags of `unlock`. */
export interface UnlockFlags extends GlobalFlags {
  readonly force?: boolean;
  readonly accept?: readonly AcceptName[];
}

/** Removes the locks of owners that are certainly dead; with --force, and consent, also those of owners that may still run. */
export async function unlock(world: World, flags: UnlockFlags): Promise<void> {
  const statePath = statePathOf(world, flags);
  const project = await projectOf(world, flags, statePath);
  const locks = await readLocks(world, { statePath, project });
  const held = locks.filter(({ fate }) => fate !== "dead");
  const now = world.now().getTime();
  if (held.length > 0 && !flags.force) {
    const findings = oneOfEach(held).map((lock) => heldFinding(lock, now));
    throw new DeployError(findings, exitCodes.locked);
  }
  await consent(world, forceQuestions(oneOfEach(held), now, flags.accept ?? []));
  const words = auditWords("unlock", flags);
  await audited(world, { statePath, project: project ?? "", words, changes: held.length > 0 }, async () => {
    for (const { remove } of locks) await remove();
  });
  const removed = locks.map(({ where, fate, holder }) => ({ where, fate, holder: holder ?? null }));
  const lines = locks.map((lock) => `removed   ${lock.where}: ${holderText(lock, now)}`);
  const scope = project === undefined ? "; no project is known here, so the engine was not asked" : "";
  world.reporter.result(lines.length === 0 ? `nothing holds the lock${scope}` : lines.join("\n"), {
    version: 1,
    exitCode: 0,
    project: project ?? null,
    removed,
  });
}

/** The project of the flag, of the configuration or of the last receipt, whichever can be read. */
async function projectOf(world: World, flags: GlobalFlags, statePath: string): Promise<string | undefined> {
  try {
    return (await readSetting(world, flags)).project;
  } catch (error) {
    if (!(error instanceof DeployError || error instanceof FileReadError)) throw error;
    return flags.project ?? (await readReceipt(world, statePath))?.project;
  }
}

/** An owner holds a lock in the folder and one on the engine: one of them stands for both. */
function oneOfEach(held: readonly FoundLock[]): readonly Holding[] {
  return [...new Map(held.map((lock) => [lock.holder?.token || lock.where, lock])).values()];
}

function forceQuestions(held: readonly Holding[], now: number, accept: readonly AcceptName[]): PlanQuestion[] {
  const acceptance = accept.includes(heldLock) ? { acceptedBy: `--accept ${heldLock}` } : {};
  return held.map((lock) => {
    const text = lock.fate === "alive" ? `${holderText(lock, now)}, and its process runs` : holderText(lock, now);
    return { kind: heldLock, name: heldLock, text: `${lock.where}: ${text}`, ...acceptance };
  });
}
