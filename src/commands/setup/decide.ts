import type { Given } from "../../core/setup/answers.ts";
import { type Answers, questionIds } from "../../core/setup/question.ts";
import type { Secrets } from "../../core/setup/secret-questions.ts";
import { relativePath } from "../../core/stack/stack.ts";
import { InterruptedError } from "../../errors.ts";
import { keepAnswers, keptPath, readKept } from "../../shell/setup/kept.ts";
import type { World } from "../../world.ts";
import { askSecrets } from "./ask-secrets.ts";
import { type Draft, draftOf, type PlanFlags } from "./draft.ts";
import type { SetupFlags } from "./given.ts";
import { interview } from "./interview.ts";
import type { Place } from "./place.ts";

/**
 * Asks on the terminal, shows what follows from the answers, and lets them be changed until they are to be written;
 * undefined where nothing is. What interrupts it leaves the answers for the next time.
 */
export async function decide(
  world: World,
  flags: PlanFlags & SetupFlags,
  place: Place,
  given: Given,
): Promise<Draft | undefined> {
  const { statePath } = place.setting.territory;
  const kept = await readKept(world, statePath);
  if (Object.keys(kept).length > 0) world.reporter.note(`going on with your answers of before: ${listed(kept)}`);
  let answers: Answers = kept;
  let secrets: Secrets = new Map();
  const answered = (now: Answers) => {
    answers = { ...answers, ...now };
  };
  try {
    let by = { place, given, kept, before: {} as Answers, answered };
    for (;;) {
      answers = await interview(world, by);
      secrets = await askSecrets(world, flags, place, answers, secrets);
      const draft = await draftOf(world, flags, place, answers, secrets);
      world.reporter.note(draft.text);
      const next = draft.changes.length === 0 ? "write" : await world.reporter.ask(whatNow);
      if (next === "write") return draft;
      if (next === "leave") {
        await keepAnswers(world, statePath, answers);
        return undefined;
      }
      by = { place, given: new Map(), kept: {}, before: answers, answered };
    }
  } catch (error) {
    if (!world.signal.aborted && !(error instanceof InterruptedError)) throw error;
    throw await interrupted(world, place, answers);
  }
}

const whatNow = {
  about: [
    "write: these files as they are shown.",
    "change: go through the questions once more; Enter keeps an answer.",
    "leave: write nothing. The answers stay for the next time.",
  ],
  title: "what now",
  choices: ["write", "change", "leave"],
};

function listed(answers: Answers): string {
  return questionIds.flatMap((id) => (answers[id] === undefined ? [] : [`${id} ${answers[id]}`])).join(", ");
}

async function interrupted(world: World, { setting }: Place, answers: Answers): Promise<InterruptedError> {
  const { root, statePath } = setting.territory;
  if (Object.keys(answers).length === 0) return new InterruptedError("at a question", "nothing was written");
  await keepAnswers(world, statePath, answers);
  const where = relativePath(root, keptPath(statePath));
  return new InterruptedError(
    "at a question",
    `nothing was written; your answers are in ${where}, without secrets, and the next ./deploy setup goes on from them`,
  );
}
