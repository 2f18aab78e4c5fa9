import { withoutLineEnd } from "../../core/secrets/secret-input.ts";
import type { Answers } from "../../core/setup/question.ts";
import {
  holderOf,
  isSecretAsked,
  type SecretQuestion,
  type Secrets,
  secretQuestions,
  tokenDoubt,
  tokenProblem,
} from "../../core/setup/secret-questions.ts";
import type { World } from "../../world.ts";
import { givenSecret, type SetupFlags } from "./given.ts";
import { keepAnyway } from "./interview.ts";
import type { Place } from "./place.ts";

/** Asks for the secrets that the answers need and nobody has given; what was typed before is not asked for again. */
export async function askSecrets(
  world: World,
  flags: SetupFlags,
  { found }: Place,
  answers: Answers,
  before: Secrets,
): Promise<Secrets> {
  const secrets = new Map<string, string>();
  for (const question of secretQuestions) {
    if (answers[question.login] !== "env") continue;
    const typed = [...before].find(([variable, value]) => holderOf(question, value) === variable);
    const given = (await givenSecret(world, flags, question)) ?? typed;
    const asked = given === undefined && isSecretAsked(question, answers, found);
    const secret = asked ? await askUntilItFits(world, question) : given;
    if (secret !== undefined) secrets.set(...secret);
  }
  return secrets;
}

async function askUntilItFits(
  world: World,
  question: SecretQuestion,
): Promise<readonly [variable: string, value: string] | undefined> {
  world.reporter.note(`\n${question.explanation}`);
  for (;;) {
    const token = withoutLineEnd((await world.reporter.askSecret(`${question.title} (not shown)`)) ?? "").trim();
    if (token === "") return undefined;
    world.reporter.hide([token]);
    const problem = tokenProblem(token);
    if (problem !== undefined) world.reporter.note(`That does not fit: it ${problem}.`);
    else {
      const doubt = tokenDoubt(question, token);
      if (doubt === undefined || (await keepAnyway(world, doubt, "it"))) return [holderOf(question, token), token];
    }
  }
}
