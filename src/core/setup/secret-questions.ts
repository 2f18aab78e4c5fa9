import { type CredentialName, tokenVariables } from "../credentials/credential.ts";
import type { Finding } from "../findings/finding.ts";
import type { Answers, Found } from "./question.ts";

/** Questions whose answers are secrets. */
export const secretIds = ["claude-token", "codex-token"] as const;
/** One of them. */
export type SecretId = (typeof secretIds)[number];

/** Secrets that were given, by the variable of the environment file that is to hold each. They are never kept anywhere else. */
export type Secrets = ReadonlyMap<string, string>;

/** A question whose answer is typed without being shown, or comes by a variable, a file or standard input. */
export interface SecretQuestion {
  readonly id: SecretId;
  readonly login: CredentialName;
  readonly title: string;
  readonly explanation: string;
}

/** The questions about secrets, asked after all others. */
export const secretQuestions: readonly SecretQuestion[] = [
  {
    id: "claude-token",
    login: "claude",
    title: "token of Claude Code",
    explanation:
      "Paste a token (claude setup-token makes one) or an API key. It is not shown, and goes into the environment file alone. Enter leaves it for later: ./deploy secrets set.",
  },
  {
    id: "codex-token",
    login: "codex",
    title: "API key of Codex",
    explanation:
      "Paste the key. It is not shown, and goes into the environment file alone. Enter leaves it for later: ./deploy secrets set.",
  },
];

/** Whether a secret is needed that nobody has given yet. */
export function isSecretAsked({ login }: SecretQuestion, answers: Answers, { present }: Found): boolean {
  return answers[login] === "env" && !tokenVariables(login).some((name) => present.has(name));
}

/** The flag that names the file with a secret; the secret itself never stands in a command line. */
export function secretFlagOf(id: SecretId): string {
  return `--${id}-file`;
}

/** The environment variable that holds a secret for setup. */
export function secretVariableOf(id: SecretId): string {
  return `DEPLOY_SETUP_${id.replaceAll("-", "_").toUpperCase()}`;
}

/** The variable that the program looks for, by the shape of the token. */
export function holderOf({ login }: SecretQuestion, token: string): string {
  if (login === "codex") return "OPENAI_API_KEY";
  if (/^sk-ant-oat/.test(token)) return "CLAUDE_CODE_OAUTH_TOKEN";
  return /^sk-ant-/.test(token) ? "ANTHROPIC_API_KEY" : "ANTHROPIC_AUTH_TOKEN";
}

/** Why a text is no token at all, as the end of a sentence that begins with its name. */
export function tokenProblem(token: string): string | undefined {
  if (/[\s\p{Cc}]/u.test(token)) return "has a blank or a line break in it, which no token has";
  if (!/^[\x21-\x7e]+$/.test(token)) return "has characters in it that no token has";
  if (/^[*•●·.x]{3,}$/i.test(token)) return "is a mask that stands for a hidden value";
  return token.length < 16 ? "is too short for a token" : undefined;
}

/** What looks odd about a token that may be right all the same. */
export function tokenDoubt({ login }: SecretQuestion, token: string): string | undefined {
  const usual = login === "codex" ? /^sk-(?!ant-)/ : /^sk-ant-/;
  return usual.test(token)
    ? undefined
    : `this does not begin as ${login === "codex" ? "an API key of OpenAI" : "a token of Anthropic"} does`;
}

/** A secret that setup needs and nobody gave (D180). */
export function missingSecret({ id, title }: SecretQuestion): Finding {
  return {
    code: "D180",
    severity: "error",
    message: `setup needs an answer and there is nobody to ask: ${title}`,
    fix: `${secretFlagOf(id)} <file> (- is standard input), or ${secretVariableOf(id)}; --yes leaves it for ./deploy secrets set`,
  };
}
