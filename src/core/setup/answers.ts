import type { Finding, Position } from "../findings/finding.ts";
import { type Answers, type Found, flagOf, type Question, type QuestionId, variableOf } from "./question.ts";
import { questions } from "./questions.ts";

/** An answer that somebody gave without being asked. */
export interface GivenAnswer {
  readonly value: string;
  /** What messages call it: the flag, the variable or the key of a file. */
  readonly source: string;
  readonly at?: Position;
}

/** Answers that were given without a question. */
export type Given = ReadonlyMap<QuestionId, GivenAnswer>;

/** The first question that these answers leave open. */
export function nextQuestion(answers: Answers, found: Found): Question | undefined {
  return questions.find((question) => answers[question.id] === undefined && question.isAsked(answers, found));
}

/** These answers without those to questions that others of them rule out. */
export function relevant(answers: Answers, found: Found): Answers {
  let kept: Answers = {};
  for (const { id, isAsked } of questions) {
    const value = answers[id];
    if (value !== undefined && isAsked(kept, found)) kept = { ...kept, [id]: value };
  }
  return kept;
}

/** The answers that nobody had to be asked for, what is wrong with them, and the questions that they leave open. */
export interface Completed {
  readonly answers: Answers;
  readonly findings: readonly Finding[];
}

/**
 * Takes what was given, and with `standard` what is there or recommended for the rest. An answer that is missing or wrong
 * is an error (D180, D181), one that has no effect a warning.
 */
export function completeAnswers(given: Given, found: Found, standard: boolean): Completed {
  let answers: Answers = {};
  const findings: Finding[] = [];
  for (const question of questions) {
    const written = given.get(question.id);
    if (!question.isAsked(answers, found)) {
      if (written) findings.push(uselessAnswer(question, written));
      continue;
    }
    const problem = written && question.problemOf(written.value, answers);
    if (written && problem !== undefined) findings.push(wrongAnswer(written, problem));
    const usual = question.standard(answers, found);
    const value = written?.value ?? (standard ? usual : undefined);
    if (value === undefined) findings.push(missingAnswer(question, standard ? undefined : usual));
    // What depends on a question without an answer is judged as if it had its usual one.
    answers = { ...answers, [question.id]: value ?? usual };
  }
  return { answers, findings };
}

function missingAnswer({ id, title, value, choices }: Question, usual: string | undefined): Finding {
  const wanted = choices?.map((choice) => choice.value).join("|") ?? `<${value}>`;
  const ways = `${flagOf(id)} ${wanted}, ${variableOf(id)}, or ${id}: in a file for --answers`;
  return {
    code: "D180",
    severity: "error",
    message: `setup needs an answer and there is nobody to ask: ${title}`,
    fix: usual === undefined ? ways : `${ways}; --yes takes ${usual}`,
  };
}

/** An answer that cannot be taken (D181). */
export function wrongAnswer({ source, at }: GivenAnswer, problem: string): Finding {
  return {
    code: "D181",
    severity: "error",
    message: `${source} ${problem}`,
    fix: "correct it; ./deploy setup --print-answers shows answers that fit this folder",
    ...(at ? { at } : {}),
  };
}

function uselessAnswer({ id }: Question, { source, at }: GivenAnswer): Finding {
  return {
    code: "D181",
    severity: "warning",
    message: `${source} has no effect here: other answers leave nothing to decide about ${id}`,
    fix: "leave it out",
    ...(at ? { at } : {}),
  };
}
