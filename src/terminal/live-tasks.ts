import type { Writable } from "node:stream";
import { stillEnding, type TaskRunner } from "./reporter.ts";

/**
 * A list that redraws itself, for a terminal: each task with a spinner and the last line of what it says. Once `slow` is
 * aborted that line says how to end it all: while the list is there, nothing else reaches the screen.
 */
export function liveTasks(stream: NodeJS.WriteStream & Writable, verbose: boolean, slow: AbortSignal): TaskRunner {
  const outside = (line: string) => void stream.write(`${line}\n`);
  let show = outside;
  slow.addEventListener("abort", () => show(stillEnding));
  return async (tasks, _show, redact) => {
    if (tasks.length === 0) return;
    const { Listr, ListrLogger, ProcessOutput } = await import("listr2");
    const logger = new ListrLogger({ processOutput: new ProcessOutput(stream, stream) });
    const list = new Listr(
      tasks.map((task) => ({
        title: task.title,
        task: (_context: unknown, wrapper: { output: string }) => {
          show = (line) => {
            wrapper.output = line;
          };
          return task.run((line) => {
            if (!slow.aborted) show(redact(line));
          });
        },
        rendererOptions: { persistentOutput: verbose },
      })),
      {
        concurrent: false,
        registerSignalListeners: false,
        // Failures are shown once, as findings, by the caller.
        rendererOptions: { logger, showErrorMessage: false, collapseErrors: false },
      },
    );
    try {
      await list.run();
    } finally {
      show = outside;
    }
  };
}
