import { keptText, parseKept } from "../../core/setup/kept-answers.ts";
import type { Answers } from "../../core/setup/question.ts";
import { joinPath } from "../../core/stack/stack.ts";
import { FileReadError } from "../../files.ts";
import type { World } from "../../world.ts";

/** Where answers are while there is a question open. */
export function keptPath(statePath: string): string {
  return joinPath(statePath, "setup-answers.json");
}

/** The answers of a run that was interrupted; none where there was no such run. */
export async function readKept(world: World, statePath: string): Promise<Answers> {
  const text = await world.files.read(keptPath(statePath)).catch((error: unknown) => {
    if (error instanceof FileReadError) return undefined;
    throw error;
  });
  return text === undefined ? {} : parseKept(text);
}

/** Keeps answers for the next run, for this user alone. */
export async function keepAnswers(world: World, statePath: string, answers: Answers): Promise<void> {
  await world.files.makeDirectory(statePath, 0o700);
  const text = keptText(answers, world.now().toISOString());
  await world.files.writeAtomic(keptPath(statePath), text, { mode: 0o600, own: true });
}
