import { type Finding, shownFinding } from "../core/findings/finding.ts";
import { createRedactor, createStreamRedactor, type StreamRedactor } from "../core/secrets/redact.ts";
import { redactedDocument } from "../core/secrets/redacted-document.ts";
import { formatFindings } from "../core/stack/docker-failures.ts";
import { fitted, type Text } from "../core/text/fitted-text.ts";
import { visibleLog, visibleText } from "../core/text/visible-text.ts";
import type { ExitCode } from "../errors.ts";
import type { Prompt, Question, Reporter, Task } from "../world.ts";

/** Where a reporter writes and what the terminal there can do. */
export interface Terminal {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly json: boolean;
  readonly color: boolean;
  /** How wide the terminal is to which each of them leads now; undefined where it leads to none. */
  readonly columns: (stream: "stdout" | "stderr") => number | undefined;
  /** Shows a finding in another way than as text. */
  readonly annotate?: (finding: Finding) => void;
}

/** How tasks are shown while they run. */
export type TaskRunner = (
  tasks: readonly Task[],
  show: (line: string) => void,
  redact: (line: string) => string,
) => Promise<void>;

/** What is said when the end after a signal takes its time. */
export const stillEnding = "interrupted: what was begun is coming to its end; press Ctrl-C again to stop it at once";

/** How a person is asked; undefined where nobody can be. */
export type Asker =
  | {
      readonly confirm: (question: Question) => Promise<boolean>;
      readonly prompt: (prompt: Prompt) => Promise<string>;
      readonly secret: (text: string) => Promise<string>;
    }
  | undefined;

/** Builds the one place through which everything that is shown passes, redacted. */
export function createReporter(terminal: Terminal, runTasks: TaskRunner, ask: Asker): Reporter {
  const secrets = new Set<string>();
  let redactor: ((text: string) => string) | undefined;
  let streamed: StreamRedactor | undefined;
  const redact = (text: string) => {
    redactor ??= createRedactor(secrets);
    return redactor(text);
  };
  const shown = (text: string) => visibleText(redact(text));
  const laidOut = (text: Text, stream: "stdout" | "stderr") => fitted(text, terminal.columns(stream), shown);
  const say = (line: Text) => terminal.stderr(`${laidOut(line, "stderr")}\n`);
  const sayDocument = (document: unknown) =>
    terminal.stdout(`${JSON.stringify(redactedDocument(document, redact), null, 2)}\n`);
  return {
    result(text, document) {
      if (terminal.json) sayDocument(document);
      else if (text !== "") terminal.stdout(`${laidOut(text, "stdout")}\n`);
    },
    reveal(secret, document, warning) {
      if (terminal.json) terminal.stdout(`${JSON.stringify(document, null, 2)}\n`);
      else terminal.stdout(`${secret}\n`);
      if (!terminal.json && terminal.columns("stdout") !== undefined) say(warning);
    },
    note: say,
    findings(findings: readonly Finding[], exitCode: ExitCode) {
      if (terminal.json && exitCode !== 0) sayDocument({ version: 1, exitCode, findings });
      if (findings.length === 0) return;
      const { annotate } = terminal;
      if (annotate !== undefined) {
        for (const finding of findings) annotate(shownFinding(finding, shown));
        return;
      }
      const text = laidOut(formatFindings(findings, terminal.columns("stderr")), "stderr");
      terminal.stderr(`${paint(text, terminal.color)}\n`);
    },
    tasks: (tasks) => runTasks(tasks, say, shown),
    confirm: async (question) => (ask ? ask.confirm({ ...question, text: shown(question.text) }) : undefined),
    asks: ask !== undefined,
    ask: async (prompt) => (ask ? ask.prompt({ ...prompt, about: prompt.about.map(shown) }) : undefined),
    askSecret: async (text) => (ask ? ask.secret(shown(text)) : undefined),
    stream(chunk) {
      // What is hidden while a stream runs is unknown to the stream's own redactor.
      streamed ??= createStreamRedactor(secrets, (text) => terminal.stdout(visibleLog(redact(text))));
      streamed.write(chunk);
    },
    endStream() {
      streamed?.flush();
      streamed = undefined;
    },
    hide(values) {
      const before = secrets.size;
      for (const value of values) if (value !== "") secrets.add(value);
      if (secrets.size > before) redactor = undefined;
    },
    hidden: () => secrets,
    planned: () => undefined,
    conclude: async () => undefined,
  };
}

/** Colours the severity of each finding; the words stay the same, so nothing is lost without colour. */
function paint(text: string, color: boolean): string {
  if (!color) return text;
  const codes = { error: 31, warning: 33, info: 36 } as const;
  return text.replace(
    /\b(error|warning|info)\s+(D\d{3})\b/g,
    (whole, severity: keyof typeof codes) => `\u001b[${codes[severity]}m${whole}\u001b[39m`,
  );
}
