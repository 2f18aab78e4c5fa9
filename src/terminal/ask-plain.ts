import { createInterface } from "node:readline";
import { wrapText } from "../core/text/wrapped-text.ts";
import { InterruptedError } from "../errors.ts";
import type { Conversation } from "./ask.ts";
import type { Asker } from "./reporter.ts";

/**
 * Asks on a terminal that can only append (TERM=dumb): a list to choose from has numbers, an answer is a line, and nothing
 * that is written is an escape sequence. Ctrl-C, the end of the input and `signal` are an interruption.
 */
export function createPlainAsker(conversation: Conversation, signal: AbortSignal): NonNullable<Asker> {
  const { stdin, stdout, columns } = conversation;
  const say = (line: string) => void stdout.write(`${line}\n`);
  const ask = async (lead: string) => {
    signal.throwIfAborted();
    stdout.write(lead);
    return (await readLine(stdin, signal)).trim();
  };
  const wrapped = (text: string) => wrapText(text, "", "", columns());
  return {
    /** No is the answer that Enter gives. */
    async confirm({ text }) {
      const lines = wrapped(`${text} (y/N)`);
      for (const line of lines.slice(0, -1)) say(line);
      for (;;) {
        const answer = await ask(`${lines.at(-1)} `);
        if (/^(?:y|yes)$/i.test(answer)) return true;
        if (/^(?:no?)?$/i.test(answer)) return false;
        say("Answer y or n; Enter is no.");
      }
    },
    async prompt({ about, title, choices = [], standard = "" }) {
      for (const line of about.flatMap((text) => ["", ...wrapped(text)])) say(line);
      if (choices.length === 0) return (await ask(`? ${title}: `)) || standard;
      const usual = choices.includes(standard) ? standard : (choices[0] ?? "");
      for (const [index, choice] of choices.entries()) say(`  ${index + 1} ${choice}`);
      for (;;) {
        const answer = await ask(`? ${title} (a number or a word; Enter takes ${usual}): `);
        const chosen = answer === "" ? usual : (choices.find((each) => each === answer) ?? choices[Number(answer) - 1]);
        if (chosen !== undefined) return chosen;
        say(`That is none of 1 to ${choices.length}.`);
      }
    },
    async secret(text) {
      signal.throwIfAborted();
      stdout.write(`? ${text}: `);
      try {
        return await readHidden(stdin, signal);
      } finally {
        say("");
      }
    },
  };
}

const interrupted = () => new InterruptedError("interrupted at a question");

/** The terminal itself shows what is typed, and lets it be corrected. */
function readLine(stdin: NodeJS.ReadStream, signal: AbortSignal): Promise<string> {
  const lines = createInterface({ input: stdin, terminal: false });
  let end: () => void = () => undefined;
  return new Promise<string>((resolve, reject) => {
    end = () => reject(interrupted());
    lines.once("line", resolve).once("close", end);
    signal.addEventListener("abort", end);
  }).finally(() => {
    signal.removeEventListener("abort", end);
    lines.close();
  });
}

/** Without the terminal's echo nothing is shown, and its keys for correction and interruption have to be understood here. */
function readHidden(stdin: NodeJS.ReadStream, signal: AbortSignal): Promise<string> {
  let typed = "";
  stdin.setRawMode(true).setEncoding("utf8").resume();
  let hear: (chunk: string) => void = () => undefined;
  let end: () => void = () => undefined;
  return new Promise<string>((resolve, reject) => {
    end = () => reject(interrupted());
    hear = (chunk) => {
      for (const key of chunk) {
        if (key === "\r" || key === "\n") return resolve(typed);
        if (key === "\u0003" || key === "\u0004") return end();
        if (key === "\u007f" || key === "\b") typed = typed.slice(0, -1);
        else if (key === "\u0015") typed = "";
        else if (key >= " ") typed += key;
      }
    };
    stdin.on("data", hear);
    signal.addEventListener("abort", end, { once: true });
  }).finally(() => {
    stdin.off("data", hear);
    signal.removeEventListener("abort", end);
    stdin.setRawMode(false).pause();
  });
}
