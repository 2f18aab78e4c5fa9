import type { TaskRunner } from "./reporter.ts";

/** How the lines of one task are folded in the log of a pipeline. */
export interface Fold {
  open(title: string): void;
  /** Called before what a child process says, which is nobody's command. */
  readonly beforeChild?: () => void;
  close(): void;
}

/** A part of the log for each task, with all that its child processes say: nobody can ask a pipeline again for more. */
export function foldedTasks(fold: Fold, elapsedSeconds: () => number): TaskRunner {
  return async (tasks, show, redact) => {
    for (const task of tasks) {
      const begun = elapsedSeconds();
      fold.open(redact(task.title));
      try {
        await task.run((line, kind) => {
          if (kind === "summary") return;
          fold.beforeChild?.();
          show(`    ${line}`);
        });
        show(`  done in ${(elapsedSeconds() - begun).toFixed(1)} s`);
      } finally {
        fold.close();
      }
    }
  };
}
