import { InterruptedError } from "../errors.ts";
import type { Asker } from "./reporter.ts";

/** Asks on the terminal, with No as the answer that Enter gives. Ctrl-C is an interruption, not a No. */
export function createAsker(stdin: NodeJS.ReadStream, stdout: NodeJS.WriteStream): NonNullable<Asker> {
  return async ({ text }) => {
    const { default: enquirer } = await import("enquirer");
    try {
      // The streams are options of every prompt that enquirer's types leave out.
      const streams = { stdin, stdout };
      const answer: { answer?: unknown } = await enquirer.prompt({
        type: "confirm",
        name: "answer",
        message: text,
        initial: false,
        ...streams,
      });
      return answer.answer === true;
    } catch {
      throw new InterruptedError("interrupted at a question");
    }
  };
}
