import type { LineReader } from "../../core/progress/build-lines.ts";
import type { Progress, RunOptions } from "../../world.ts";

/** Passes output on line by line, without empty lines; where it can be read also what it means. */
export function eachLine(progress: Progress, read?: LineReader): NonNullable<RunOptions["onOutput"]> {
  // A line comes in pieces, and those of the two streams may come in turns.
  const begun = { stdout: "", stderr: "" };
  return (chunk, stream) => {
    const lines = `${begun[stream]}${chunk}`.split("\n");
    begun[stream] = lines.pop() ?? "";
    for (const line of lines) {
      if (line.trim() === "") continue;
      progress(line.trimEnd(), read ? "output" : "state");
      const meaning = read?.(line);
      if (meaning !== undefined) progress(meaning, "summary");
    }
  };
}
