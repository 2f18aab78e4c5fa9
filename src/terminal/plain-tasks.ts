import type { TaskRunner } from "./reporter.ts";

/** Plain lines, for pipes and CI: one when a task starts, one for each thing it says, one when it is done. */
export function plainTasks(verbose: boolean, elapsedSeconds: () => number): TaskRunner {
  return async (tasks, show) => {
    for (const task of tasks) {
      const begun = elapsedSeconds();
      show(`- ${task.title}`);
      await task.run((line) => {
        if (verbose) show(`    ${line}`);
      });
      show(`  done in ${(elapsedSeconds() - begun).toFixed(1)} s`);
    }
  };
}
