import { oneOf } from "./answer-forms.ts";
import type { Choice, Question } from "./question.ts";

const formsOf = (file: string, directory: string): readonly Choice[] => [
  { value: "none", follows: "the platform gets no login of yours." },
  {
    value: "env",
    follows: "one token, as a variable of the gateway alone. Nothing is mounted; who may inspect containers sees it.",
  },
  {
    value: "file",
    follows: `${file} alone, read-only, as a copy in memory that is kept fresh. The gateway can use all that this login may.`,
  },
  {
    value: "directory",
    follows: `all of ${directory}: the login, and with it history, settings and whatever else is in there. up asks before it is lent.`,
  },
];

const claudeForms = formsOf("~/.claude/.credentials.json", "~/.claude");
const codexForms = formsOf("~/.codex/auth.json", "~/.codex");

/** Which logins of the operator's are lent to the platform, and how. */
export const credentialQuestions: readonly Question[] = [
  {
    id: "claude",
    title: "login of Claude Code",
    explanation: "May the platform use your login of Claude Code, and how does it get it?",
    value: "form",
    choices: claudeForms,
    isAsked: () => true,
    standard: (_answers, { credentials }) => credentials.claude,
    problemOf: oneOf(claudeForms),
  },
  {
    id: "codex",
    title: "login of Codex",
    explanation: "The same for your login of Codex.",
    value: "form",
    choices: codexForms,
    isAsked: () => true,
    standard: (_answers, { credentials }) => credentials.codex,
    problemOf: oneOf(codexForms),
  },
];
