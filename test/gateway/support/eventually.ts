import { setTimeout as pause } from "node:timers/promises";

/** Repeats an action until it succeeds and gives its value; fails with its last error after a generous while. */
export async function eventually<T>(action: () => Promise<T> | T, forMs = 30_000): Promise<T> {
  const end = Date.now() + forMs;
  for (;;) {
    try {
      return await action();
    } catch (error) {
      if (Date.now() > end) throw error;
      await pause(25);
    }
  }
}
