import { type Given, nextQuestion, wrongAnswer } from "../../core/setup/answers.ts";
import type { Answers, Question } from "../../core/setup/question.ts";
import { resolvePath } from "../../core/stack/stack.ts";
import { DeployError } from "../../errors.ts";
import { checkAnswer, clusterProblem, dockerProblem } from "../../shell/setup/checks.ts";
import type { World } from "../../world.ts";
import type { Place } from "./place.ts";

/** What an interview goes by. */
export interface Interview {
  readonly place: Place;
  /** Answers that were given beforehand: nobody is asked for them. */
  readonly given: Given;
  /** Answers of an earlier run, which are taken as they are. */
  readonly kept: Answers;
  /** What Enter gives in place of what is there. */
  readonly before: Answers;
  /** Hears of every answer, so that none is lost. */
  readonly answered: (answers: Answers) => void;
}

/** Asks every question that has to be asked, until each has an answer that fits. */
export async function interview(world: World, by: Interview): Promise<Answers> {
  let answers: Answers = {};
  for (;;) {
    const question = nextQuestion(answers, by.place.found);
    if (question === undefined) return answers;
    const value = givenAnswer(by, question, answers) ?? (await askUntilItFits(world, by, question, answers));
    answers = { ...answers, [question.id]: value };
    by.answered(answers);
  }
}

function givenAnswer({ given, kept, place }: Interview, question: Question, answers: Answers): string | undefined {
  const { id, problemOf } = question;
  const written = given.get(id);
  const problem = written && problemOf(written.value, answers);
  if (written && problem !== undefined) throw new DeployError([wrongAnswer(written, problem)]);
  const before = stillMeant(question, kept, answers, place);
  return written?.value ?? (before !== undefined && problemOf(before, answers) === undefined ? before : undefined);
}

/** An answer of before, unless what is usual there is another by now: memory of a sandbox is none of the gateway's. */
function stillMeant(
  { id, standard }: Question,
  before: Answers,
  answers: Answers,
  { found }: Place,
): string | undefined {
  return standard(before, found) === standard(answers, found) ? before[id] : undefined;
}

async function askUntilItFits(world: World, by: Interview, question: Question, answers: Answers): Promise<string> {
  const { found, setting } = by.place;
  const standard = stillMeant(question, by.before, answers, by.place) ?? question.standard(answers, found);
  const byEnter = standard && !question.choices ? [`Enter takes ${standard}.`] : [];
  let about = [...(await aboutQuestion(world, by.place, question)), ...byEnter];
  for (;;) {
    const choices = question.choices?.map(({ value }) => value);
    const { title } = question;
    const value = (await world.reporter.ask({ about, title, standard, ...(choices ? { choices } : {}) })) ?? "";
    const problem = question.problemOf(value.trim(), answers);
    about = [`That does not fit: it ${problem}.`];
    if (problem !== undefined) continue;
    const doubt = await checkAnswer(world, question, value.trim(), answers, { ...setting, env: found.env });
    if (doubt === undefined || (await keepAnyway(world, doubt, value.trim()))) return value.trim();
    about = ["Then another one:"];
  }
}

/** The operator may know better, or be about to change what a check has found. */
export async function keepAnyway(world: World, doubt: string, value: string): Promise<boolean> {
  const text = `${doubt.charAt(0).toUpperCase()}${doubt.slice(1)}. Keep ${value} all the same?`;
  return (await world.reporter.confirm({ text, flag: "--yes" })) === true;
}

async function aboutQuestion(
  world: World,
  place: Place,
  { id, explanation, choices = [] }: Question,
): Promise<string[]> {
  const here = id === "mode" ? await possibleHere(world, place) : new Map<string, string>();
  return [
    explanation,
    ...choices.map(({ value, follows }) => [`${value}: ${follows}`, here.get(value) ?? ""].join(" ")),
  ];
}

/** What this machine has of what the modes need. */
async function possibleHere(world: World, { setting, found }: Place): Promise<ReadonlyMap<string, string>> {
  const { territory } = setting;
  const kubeconfig = resolvePath(territory.root, world.home, found.kubeconfig);
  const [docker, cluster] = await Promise.all([
    dockerProblem(world, territory.socketPath),
    clusterProblem(world, kubeconfig, found.env),
  ]);
  const sentence = (problem: string | undefined, good: string) =>
    problem === undefined ? `This machine can: ${good}.` : `Not as it is now: ${problem}.`;
  return new Map([
    ["aio", sentence(docker, `Docker answers at ${territory.socketPath}`)],
    ["provisioner", sentence(cluster, `the cluster of ${found.kubeconfig} answers`)],
  ]);
}
