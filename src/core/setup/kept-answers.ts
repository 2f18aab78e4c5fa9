import type { Answers } from "./question.ts";
import { questions } from "./questions.ts";

/** Answers as they are kept between two runs. Secrets are none of them: they are never among the answers. */
export function keptText(answers: Answers, time: string): string {
  return `${JSON.stringify({ version: 1, time, answers }, null, 2)}\n`;
}

/** Reads what was kept. What is damaged, or fits no question any more, is asked again. */
export function parseKept(text: string): Answers {
  const written = recordOf(recordOf(parsed(text))["answers"]);
  let answers: Answers = {};
  for (const { id, problemOf } of questions) {
    const value = written[id];
    if (typeof value === "string" && problemOf(value, answers) === undefined) answers = { ...answers, [id]: value };
  }
  return answers;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
