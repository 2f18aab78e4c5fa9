import { LockedError } from "../errors.ts";
import type { World } from "../world.ts";

const pollMilliseconds = 500;

/**
 * Runs a command, and where somebody else holds the lock waits until it is free and runs the command again from its
 * beginning: all that it has read, and every question, was about a situation that is over. LockedError when time is up,
 * which is counted by the pauses, so that a clock that is set does not change it.
 */
export async function waitingForLock<T>(world: World, seconds: number, command: () => Promise<T>): Promise<T> {
  for (let left = seconds * 1000; ; ) {
    try {
      return await command();
    } catch (error) {
      if (!(error instanceof LockedError) || left <= 0) throw error;
      const [held] = error.findings;
      world.reporter.note(`waiting, ${Math.ceil(left / 1000)} s at most: ${held?.message ?? error.message}`);
      do {
        if (left <= 0) throw error;
        await world.sleep(pollMilliseconds);
        left -= pollMilliseconds;
      } while (!(await error.isFree()));
      world.forgetEarlyAnswers();
    }
  }
}
