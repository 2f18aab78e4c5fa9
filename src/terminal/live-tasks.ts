import type { Writable } from "node:stream";
import type { TaskRunner } from "./reporter.ts";

/** A list that redraws itself, for a terminal: each task with a spinner and the last line of what it says. */
export function liveTasks(stream: NodeJS.WriteStream & Writable, verbose: boolean): TaskRunner {
  return async (tasks, _show, redact) => {
    if (tasks.length === 0) return;
    const { Listr, ListrLogger, ProcessOutput } = await import("listr2");
    const logger = new ListrLogger({ processOutput: new ProcessOutput(stream, stream) });
    const list = new Listr(
      tasks.map((task) => ({
        title: task.title,
        task: (_context: unknown, wrapper: { output: string }) =>
          task.run((line) => {
            wrapper.output = redact(line);
          }),
        rendererOptions: { persistentOutput: verbose },
      })),
      {
        concurrent: false,
        registerSignalListeners: false,
        // Failures are shown once, as findings, by the caller.
        rendererOptions: { logger, showErrorMessage: false, collapseErrors: false },
      },
    );
    await list.run();
  };
}
