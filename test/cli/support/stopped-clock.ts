import type { Clock } from "../../../src/terminal/plain-tasks.ts";

/** A clock for reporters whose progress is not looked at. */
export const stoppedClock: Clock = { elapsedSeconds: () => 0, everySecond: () => () => undefined };
