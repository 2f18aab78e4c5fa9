import { memoryProblem, whole } from "./answer-forms.ts";
import type { Answers, Found, Question } from "./question.ts";

/** A stack of the operator's own knows no variables of ours: only the guard limits its sandboxes. */
const limitsSandboxes = ({ mode }: Answers, { ownStack, guard }: Found) =>
  mode === "aio" && (!ownStack || guard !== undefined);
const limitsCode = (answers: Answers, found: Found) =>
  limitsSandboxes(answers, found) || (answers.mode === "local" && !found.ownStack);

/** What code may use of this machine. */
export const limitQuestions: readonly Question[] = [
  {
    id: "memory",
    title: "memory",
    explanation: "The most that code may use: each sandbox in aio mode, the whole gateway in local mode.",
    value: "size",
    isAsked: limitsCode,
    standard: ({ mode }, { env, guard, ownStack }) =>
      mode === "local" ? env.get("GATEWAY_MEMORY") : ownStack ? guard?.memory : env.get("SANDBOX_MEMORY"),
    problemOf: memoryProblem,
  },
  {
    id: "cpus",
    title: "processors",
    explanation: "How many processors the same may keep busy; parts of one are allowed, such as 0.5.",
    value: "number",
    isAsked: limitsCode,
    standard: ({ mode }, { env, guard, ownStack }) =>
      mode === "local" ? env.get("GATEWAY_CPUS") : ownStack ? guard?.cpus : env.get("SANDBOX_CPUS"),
    problemOf: (value) =>
      /^\d{1,4}(\.\d{1,2})?$/.test(value) && Number(value) >= 0.01 && Number(value) <= 1024
        ? undefined
        : "has to be a number from 0.01 to 1024, such as 1 or 0.5",
  },
  {
    id: "pids",
    title: "processes",
    explanation: "How many processes and threads there may be in a sandbox: what stops a fork bomb.",
    value: "number",
    isAsked: limitsSandboxes,
    standard: (_answers, { env, guard, ownStack }) => (ownStack ? guard?.pids : env.get("SANDBOX_PIDS")),
    problemOf: whole(2, 100_000),
  },
  {
    id: "sandboxes",
    title: "sandboxes at a time",
    explanation:
      "How many sandboxes the guard lets exist at the same time; with the memory of each, what they can cost.",
    value: "number",
    isAsked: ({ mode }, { guard }) => mode === "aio" && guard !== undefined,
    standard: (_answers, { guard }) => guard?.alive,
    problemOf: whole(1, 10_000),
  },
];
