import type { Writable } from "node:stream";
import { elapsedLine } from "../core/progress/elapsed-line.ts";
import type { Task } from "../world.ts";
import type { Clock } from "./plain-tasks.ts";
import { stillEnding, type TaskRunner } from "./reporter.ts";

/** What the list keeps for itself beside the line below a task, as it was seen to break lines. */
const frameColumns = 8;

/** How the list is shown. */
export interface LiveOptions {
  /** Aborted when the end after a signal takes its time. */
  readonly slow: AbortSignal;
  readonly clock: Clock;
  /** How wide the terminal is now. */
  readonly columns: () => number;
}

/**
 * A list that redraws itself, for a terminal: each task with a spinner and, in one line, where it stands and for how long it
 * has worked. Once `slow` is aborted that line says how to end it all: while the list is there, nothing else reaches the screen.
 */
export function liveTasks(stream: NodeJS.WriteStream & Writable, options: LiveOptions): TaskRunner {
  const { slow } = options;
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
          return runShown(task, (line) => show(redact(line)), options);
        },
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

async function runShown(task: Task, show: (line: string) => void, options: LiveOptions): Promise<void> {
  const { clock, slow, columns } = options;
  const begun = clock.elapsedSeconds();
  let state = "";
  const draw = () => {
    const line = elapsedLine(state, clock.elapsedSeconds() - begun, columns() - frameColumns);
    if (line !== "" && !slow.aborted) show(line);
  };
  const stop = clock.everySecond(draw);
  try {
    await task.run((line, kind) => {
      if (kind === "output") return;
      state = line;
      draw();
    });
  } finally {
    stop();
  }
}
