import type { Finding } from "../../core/findings/finding.ts";
import { planDocument } from "../../core/plan/plan-document.ts";
import { type Completed, completeAnswers, type Given } from "../../core/setup/answers.ts";
import { answersText } from "../../core/setup/answers-file.ts";
import type { Answers } from "../../core/setup/question.ts";
import { questions } from "../../core/setup/questions.ts";
import { isSecretAsked, missingSecret, secretQuestions } from "../../core/setup/secret-questions.ts";
import { shownChange } from "../../core/setup/summary.ts";
import { DeployError } from "../../errors.ts";
import { checkAnswer } from "../../shell/setup/checks.ts";
import type { World } from "../../world.ts";
import { stopOnErrors } from "../prepare.ts";
import { decide } from "./decide.ts";
import { type Draft, draftOf, writeDraft } from "./draft.ts";
import { offerMissingDocker } from "./first.ts";
import { givenSecret, readGiven, type SetupFlags } from "./given.ts";
import { type Place, readPlace } from "./place.ts";

/** Takes answers about how the stack is to be, and writes them into the operator's files: all at the end, or nothing. */
export async function setup(world: World, flags: SetupFlags): Promise<void> {
  const given = await readGiven(world, flags);
  const asks = world.reporter.asks && flags.yes !== true && flags.printAnswers !== true;
  if (asks) await offerOrGoOn(world, flags);
  const place = await readPlace(world, flags);
  if (flags.printAnswers) return printAnswers(world, completeAnswers(given, place.found, true));
  const draft = asks ? await decide(world, flags, place, given) : await take(world, flags, place, given);
  if (draft === undefined) {
    world.reporter.result("nothing was written\nnext      ./deploy setup, which goes on from these answers", null);
    return;
  }
  await writeDraft(world, place, draft);
  report(world, draft);
}

/** Answers can be given before Docker is there: who does not want it installed now is told, and goes on. */
async function offerOrGoOn(world: World, flags: SetupFlags): Promise<void> {
  try {
    await offerMissingDocker(world, flags);
  } catch (error) {
    if (!(error instanceof DeployError)) throw error;
    world.reporter.findings(error.findings, 0);
    world.reporter.note("That can wait: the questions go on without it, and ./deploy up offers it again.");
  }
}

/** Where nobody is asked, what was given decides, and with --yes what is there or usual. */
async function take(world: World, flags: SetupFlags, place: Place, given: Given): Promise<Draft> {
  const completed = completeAnswers(given, place.found, flags.yes ?? false);
  const { secrets, missing } = await takeSecrets(world, flags, place, completed.answers);
  stopOnErrors([...completed.findings, ...missing]);
  const warnings = [...completed.findings, ...(await checkFindings(world, place, completed.answers))];
  if (warnings.length > 0) world.reporter.findings(warnings, 0);
  const draft = await draftOf(world, flags, place, completed.answers, secrets);
  if (!flags.json) world.reporter.note(draft.text);
  return draft;
}

/** Secrets that were given beforehand; one that is missing may wait where `--yes` says so. */
async function takeSecrets(world: World, flags: SetupFlags, place: Place, answers: Answers) {
  const secrets = new Map<string, string>();
  const missing: Finding[] = [];
  for (const question of secretQuestions) {
    const given = await givenSecret(world, flags, question);
    if (given !== undefined && answers[question.login] === "env") secrets.set(...given);
    else if (isSecretAsked(question, answers, place.found) && flags.yes !== true) missing.push(missingSecret(question));
  }
  return { secrets, missing };
}

/** A question that nobody can answer for the operator stays a comment. */
function printAnswers(world: World, { answers, findings }: Completed): void {
  stopOnErrors(findings.filter(({ code }) => code !== "D180"));
  world.reporter.result(answersText(answers), { version: 1, exitCode: 0, answers });
}

/** What checks say against answers that nobody was asked for: the answers stay. */
async function checkFindings(world: World, place: Place, answers: Answers): Promise<Finding[]> {
  const checked = { ...place.setting, env: place.found.env };
  const problems = await Promise.all(
    questions.map(async (question): Promise<Finding[]> => {
      const value = answers[question.id];
      const problem = value === undefined ? undefined : await checkAnswer(world, question, value, answers, checked);
      const fix = `see to that before ./deploy up, or choose another answer for ${question.id}`;
      return problem === undefined ? [] : [{ code: "D184", severity: "warning", message: problem, fix }];
    }),
  );
  return problems.flat();
}

function report(world: World, { answers, changes, secretNames, plan }: Draft): void {
  const files = changes.map(({ name }) => name).join(", ");
  const lines = [
    changes.length === 0 ? "nothing to change: the files say all this already" : `written   ${files}`,
    "next      ./deploy up",
  ];
  world.reporter.result(lines.join("\n"), {
    version: 1,
    exitCode: 0,
    answers,
    files: changes.map((change) => shownChange(change, secretNames)),
    plan: plan === undefined ? null : planDocument(plan),
  });
}
