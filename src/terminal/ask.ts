import { wrapText } from "../core/text/wrapped-text.ts";
import { InterruptedError } from "../errors.ts";
import type { Asker } from "./reporter.ts";

/** What the prompt puts around its text: a mark before it, and `(y/N) · Yes` behind it. */
const promptColumns = 16;

/** What enquirer's types leave out of a prompt. */
interface Prompt {
  readonly state: { readonly cancelled?: boolean; readonly submitted?: boolean };
  cancel(): Promise<void>;
  /** Takes a key that has no meaning of its own. */
  dispatch(key: string): unknown;
  input: unknown;
  isValue(key: string): boolean;
  alert(): unknown;
  render(): unknown;
}

/** The terminal on which questions are asked. */
export interface Conversation {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  /** How wide the terminal is now; some do not say it themselves. */
  readonly columns: () => number;
  /** The environment of this process. */
  readonly env: NodeJS.ProcessEnv;
  readonly color: boolean;
}

/** Asks on the terminal. Ctrl-C or `signal` is an interruption, not a No and not an empty text. */
export function createAsker(conversation: Conversation, signal: AbortSignal): NonNullable<Asker> {
  return {
    /** No is the answer that Enter gives. */
    async confirm({ text }) {
      const lines = questionLines(text, conversation.columns());
      const message = lines.pop() ?? "";
      const answer = await prompted(conversation, signal, lines, (asked) => {
        asked.byEnter = true;
        const format = (value: unknown) => (asked.prompt?.state.cancelled ? "" : value === true ? "Yes" : "No");
        return { type: "confirm", message, initial: false, format };
      });
      return answer === true;
    },
    async prompt({ about, title, choices, standard = "" }) {
      const lines = about.flatMap((text) => ["", ...wrapText(text, "", "", conversation.columns())]);
      const answer = await prompted(conversation, signal, lines, (asked) =>
        choices === undefined ? textQuestion(title, standard, asked) : choiceQuestion(title, choices, standard),
      );
      return typeof answer === "string" && answer !== "" ? answer : standard;
    },
    async secret(text) {
      const answer = await prompted(conversation, signal, [], () => ({ type: "invisible", message: text }));
      return typeof answer === "string" ? answer : "";
    },
  };
}

/** What is typed, and once it was sent also what Enter alone has given. */
function textQuestion(message: string, standard: string, asked: Asked) {
  const format = (value: unknown) => {
    const { submitted = false, cancelled = false } = asked.prompt?.state ?? {};
    return String(value ?? "") || (submitted && !cancelled ? standard : "");
  };
  return { type: "input", message, format };
}

function choiceQuestion(message: string, choices: readonly string[], standard: string) {
  const initial = Math.max(choices.indexOf(standard), 0);
  return { type: "select", message, choices: choices.map((name) => ({ name })), initial };
}

interface Asked {
  prompt?: Prompt;
  /** Whether a key alone, which would be an answer otherwise, has to wait for Enter. */
  byEnter?: true;
}

/** Who types y and Enter has answered one question: by the key alone, Enter would be the answer to the next one. */
function answerByEnter(prompt: Prompt): void {
  prompt.dispatch = (key) => {
    if (!prompt.isValue(key)) return prompt.alert();
    prompt.input = key;
    return prompt.render();
  };
}

async function prompted(
  conversation: Conversation,
  signal: AbortSignal,
  lines: readonly string[],
  question: (asked: Asked) => { readonly type: string; readonly message: string },
): Promise<unknown> {
  const { stdin, stdout } = conversation;
  const Enquirer = await loadEnquirer(conversation);
  signal.throwIfAborted();
  for (const line of lines) stdout.write(`${line}\n`);
  const enquirer = new Enquirer<{ answer?: unknown }>();
  const asked: Asked = {};
  enquirer.on("prompt", (prompt: Prompt) => {
    asked.prompt = prompt;
    if (asked.byEnter) answerByEnter(prompt);
  });
  const cancel = () => void asked.prompt?.cancel();
  signal.addEventListener("abort", cancel);
  try {
    const answers = await enquirer.prompt({ name: "answer", ...question(asked), ...untyped(stdin, stdout) });
    return answers.answer;
  } catch (error) {
    throw asked.prompt?.state.cancelled ? new InterruptedError("interrupted at a question") : error;
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}

/** Enquirer's colours know nothing of NO_COLOR: they ask once, when they are loaded, for FORCE_COLOR and for nothing else. */
async function loadEnquirer({ env, color }: Conversation) {
  const { FORCE_COLOR: before } = env;
  if (!color) env["FORCE_COLOR"] = "0";
  try {
    return (await import("enquirer")).default;
  } finally {
    if (before === undefined) delete env["FORCE_COLOR"];
    else env["FORCE_COLOR"] = before;
  }
}

/** The statement first, then what is asked, of which only the last line is the prompt's: it cannot redraw more than one. */
function questionLines(text: string, columns: number): string[] {
  const statementEnd = text.lastIndexOf(". ") + 1;
  const narrow = Math.max(columns - promptColumns, promptColumns);
  return [
    ...wrapText(text.slice(0, statementEnd), "", "", columns),
    ...wrapText(text.slice(statementEnd), "", "", narrow),
  ];
}

/** Options of every prompt that enquirer's types leave out. */
function untyped(stdin: NodeJS.ReadStream, stdout: NodeJS.WriteStream) {
  // To hide the cursor, enquirer takes signals for itself and ends the process on them.
  return { stdin, stdout, cursorHide: () => undefined };
}
