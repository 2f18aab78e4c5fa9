import { LockedError } from "../errors.ts";
import type { World } from "../world.ts";

const pollMilliseconds = 500;

/**
 * Runs a command, and where somebody else holds the lock waits until it is free and runs the command again from its
 * beginning: all that it has read, and every question, was about a situation that is over. LockedError when time is up.
 */
export async function waitingForLock<T>(world: World, seconds: number, command: () => Promise<T>): Promise<T> {
  const deadline = world.now().getTime() + seconds * 1000;
  for (;;) {
    try {
      return await command();
    } catch (error) {
      if (!(error instanceof LockedError)) throw error;
      await untilFree(world, error, deadline);
      world.forgetEarlyAnswers();
    }
  }
}

async function untilFree(world: World, locked: LockedError, deadline: number): Promise<void> {
  const left = () => deadline - world.now().getTime();
  if (left() <= 0) throw locked;
  const [held] = locked.findings;
  world.reporter.note(`waiting, ${Math.ceil(left() / 1000)} s at most: ${held?.message ?? locked.message}`);
  do {
    if (left() <= 0) throw locked;
    await world.sleep(Math.min(pollMilliseconds, left()));
  } while (!(await locked.isFree()));
}
