import "../../core/schema-settings.ts";
import * as z from "zod";
import { joinPath } from "../../core/stack/stack.ts";
import type { World } from "../../world.ts";

const journalSchema = z.object({
  version: z.literal(1),
  names: z.array(z.string()),
  /** `begun`: nothing is changed yet; `database`: a database may have the new password; `environment`: the file may have it
   * too; `verified`: all is done but for this journal. */
  phase: z.enum(["begun", "database", "environment", "verified"]),
  /** The environment file as it was and as it is to be: a way back after a crash needs the old values. */
  before: z.string(),
  after: z.string(),
  /** What each database kept of the old password. */
  databases: z.array(z.object({ service: z.string(), role: z.string(), verifier: z.string() })),
});

/** A rotation that has begun; it holds secrets, so its file is 0600 and goes when the rotation is over. */
export type RotationJournal = z.infer<typeof journalSchema>;

function journalPath(statePath: string): string {
  return joinPath(statePath, "rotation.json");
}

/** Removes what a rotation has left that was killed before it began: both values, though nobody reads them. */
export async function sweepJournal(world: World, statePath: string): Promise<void> {
  await world.files.sweep(journalPath(statePath));
}

/** The rotation that was begun and not ended; one that cannot be read is as good as none, and stays where it is. */
export async function readJournal(world: World, statePath: string): Promise<RotationJournal | undefined> {
  const text = await world.files.read(journalPath(statePath));
  return text === undefined ? undefined : journalSchema.safeParse(parseJson(text)).data;
}

/** Whether a rotation was begun and not ended. */
export async function isUnfinished(world: World, statePath: string): Promise<boolean> {
  return (await world.files.stat(journalPath(statePath))) !== undefined;
}

/** Notes how far a rotation is, before the step that it names is begun. */
export function writeJournal(world: World, statePath: string, journal: RotationJournal): Promise<void> {
  return world.files.writeAtomic(journalPath(statePath), `${JSON.stringify(journal)}\n`, { mode: 0o600, own: true });
}

/** The rotation is over, one way or the other. */
export function removeJournal(world: World, statePath: string): Promise<void> {
  return world.files.remove(journalPath(statePath));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
