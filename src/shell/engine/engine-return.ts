import { DeployError } from "../../errors.ts";
import type { World } from "../../world.ts";

const pollMilliseconds = 1_000;

/**
 * Asks the engine, again and again until the deadline (milliseconds since 1970) while it does not answer: one that is
 * restarted in the middle of a deployment answers again some seconds later. Any other error goes on at once.
 */
export async function onceEngineAnswers<T>(
  world: Pick<World, "now" | "sleep">,
  deadline: number,
  progress: (line: string) => void,
  question: () => Promise<T>,
): Promise<T> {
  for (let isFirst = true; ; isFirst = false) {
    try {
      return await question();
    } catch (error) {
      if (!isEngineAway(error) || world.now().getTime() >= deadline) throw error;
      if (isFirst) progress("the engine does not answer, as while it is restarted; waiting for it");
      await world.sleep(pollMilliseconds);
    }
  }
}

/** Whether an error says that no engine answers, D041. */
export function isEngineAway(error: unknown): boolean {
  return error instanceof DeployError && error.findings.some(({ code }) => code === "D041");
}
