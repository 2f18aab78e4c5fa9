import { elapsedLine } from "../core/progress/elapsed-line.ts";
import type { Progress } from "../world.ts";
import type { TaskRunner } from "./reporter.ts";

/** After so many seconds without a line, one says where a task stands: a log stays short, and nobody takes it for dead. */
const sparseSeconds = 15;

/** The time, and what makes itself heard from time to time. */
export interface Clock {
  readonly elapsedSeconds: () => number;
  /** Calls again and again, about every second, until what it returns is called. */
  readonly everySecond: (tick: () => void) => () => void;
}

/** Plain lines, for pipes and CI: one when a task starts, few of what it says unless all of it is wanted, one when it is done. */
export function plainTasks(verbose: boolean, clock: Clock): TaskRunner {
  return async (tasks, show) => {
    for (const task of tasks) {
      const begun = clock.elapsedSeconds();
      const elapsed = () => clock.elapsedSeconds() - begun;
      show(`- ${task.title}`);
      const { progress, tick } = verbose ? allOf(show) : sparse(show, elapsed);
      const stop = clock.everySecond(tick);
      try {
        await task.run(progress);
      } finally {
        stop();
      }
      show(`  done in ${elapsed().toFixed(1)} s`);
    }
  };
}

interface Shown {
  readonly progress: Progress;
  readonly tick: () => void;
}

function allOf(show: (line: string) => void): Shown {
  const progress: Progress = (line, kind) => {
    if (kind !== "summary") show(`    ${line}`);
  };
  return { progress, tick: () => undefined };
}

function sparse(show: (line: string) => void, elapsed: () => number): Shown {
  let state = "";
  let shownAt = 0;
  const tick = () => {
    if (elapsed() - shownAt < sparseSeconds) return;
    shownAt = elapsed();
    show(`  ${elapsedLine(state, shownAt, Number.POSITIVE_INFINITY)}`);
  };
  const progress: Progress = (line, kind) => {
    if (kind !== "output") state = line;
    tick();
  };
  return { progress, tick };
}
