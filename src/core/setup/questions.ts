import { credentialQuestions } from "./credential-questions.ts";
import { limitQuestions } from "./limit-questions.ts";
import { modeQuestions } from "./mode-questions.ts";
import type { Question } from "./question.ts";
import { reachQuestions } from "./reach-questions.ts";

/** Every question, in the order in which they are asked; each depends only on answers before it. */
export const questions: readonly Question[] = [
  ...modeQuestions,
  ...reachQuestions,
  ...credentialQuestions,
  ...limitQuestions,
];
