import type { Mode } from "../detect/mode.ts";

/** The questions of `setup`, in the order in which they are asked. */
export const questionIds = [
  "mode",
  "provisioner-image",
  "kubeconfig",
  "exposure",
  "domain",
  "tls",
  "acme-email",
  "certificate",
  "certificate-key",
  "address",
  "port",
  "claude",
  "codex",
  "memory",
  "cpus",
  "pids",
  "sandboxes",
] as const;
/** One of the questions. */
export type QuestionId = (typeof questionIds)[number];

/** Answers as texts, by the question that they answer. */
export type Answers = Readonly<Partial<Record<QuestionId, string>>>;

/** What is in the operator's folder already, as far as questions depend on it. */
export interface Found {
  /** The stack is the operator's own: ports and containers are what its Compose files say, not what variables do. */
  readonly ownStack: boolean;
  /** The mode that the platform's configuration leads to; undefined where it does not lead to one. */
  readonly mode: Mode | undefined;
  /** The variables of the environment file, and the defaults of those that it lacks. */
  readonly env: ReadonlyMap<string, string>;
  /** The kubeconfig as the configuration names it. */
  readonly kubeconfig: string;
  /** What the guard would let sandboxes have; undefined where the gateway gets the socket itself. */
  readonly guard: GuardLimits | undefined;
  readonly reach: Reach;
  /** Which logins are lent, and how. */
  readonly credentials: { readonly claude: string; readonly codex: string };
  /** Variables that this process or the environment file gives a value. */
  readonly present: ReadonlySet<string>;
  /** The addresses at which other machines may reach this one. */
  readonly addresses: readonly string[];
}

/** How the configuration publishes the stack; `off` is plain HTTP. */
export interface Reach {
  readonly tls: string;
  readonly domain: string | undefined;
  readonly email: string | undefined;
  readonly certificate: string | undefined;
  readonly certificateKey: string | undefined;
}

/** What the guard's policy lets a sandbox have, and how many of them, as it is written. */
export interface GuardLimits {
  readonly memory: string;
  readonly cpus: string;
  readonly pids: string;
  readonly alive: string;
}

/** One of the answers that a question allows, and what follows from it. */
export interface Choice {
  readonly value: string;
  readonly follows: string;
}

/** A question as data: wizard, flags, variables, files of answers, completion and documents are made from it. */
export interface Question {
  readonly id: QuestionId;
  /** A few words: the prompt, and what help says of the flag. */
  readonly title: string;
  /** What the answer means, for whoever is asked. */
  readonly explanation: string;
  /** What stands for the value in help. */
  readonly value: string;
  readonly choices?: readonly Choice[];
  /** Whether it has to be answered, given the answers before it. */
  isAsked(answers: Answers, found: Found): boolean;
  /** What is there already, or else what is recommended; undefined where nobody can know. */
  standard(answers: Answers, found: Found): string | undefined;
  /** Why an answer cannot be taken, as the end of a sentence that begins with its name. */
  problemOf(value: string, answers: Answers): string | undefined;
}

/** The flag that answers a question. */
export function flagOf(id: QuestionId): string {
  return `--${id}`;
}

/** The environment variable that answers a question. */
export function variableOf(id: QuestionId): string {
  return `DEPLOY_SETUP_${id.replaceAll("-", "_").toUpperCase()}`;
}
