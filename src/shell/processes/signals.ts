import { exitCodes, InterruptedError } from "../../errors.ts";
import type { Interruption } from "../../world.ts";
import { endDescendants } from "./descendants.ts";

/** Until then the same wish may arrive twice: `timeout` and `npm run` pass on what the terminal has sent to all already. */
const sameWishMilliseconds = 500;

/** As long as a command may take to say that it ends, once nothing that it started runs any more. */
const farewellMilliseconds = 1_000;

/**
 * The first signal interrupts: children are told to end, and what was begun is put in order. Where that takes its time, a
 * second one kills what still runs, and the process ends soon with exit 130. A lost terminal (SIGHUP) asks only once, for
 * it is often told twice.
 */
export function interruptOnSignals(process: NodeJS.Process): Interruption {
  const interruption = new AbortController();
  const slow = new AbortController();
  let asked = false;
  const hear = (signal: NodeJS.Signals) => {
    interruption.abort(new InterruptedError(signal));
    if (slow.signal.aborted && signal !== "SIGHUP") void endNow(process);
    if (!asked) setTimeout(() => slow.abort(), sameWishMilliseconds).unref();
    asked = true;
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => hear(signal));
  return { signal: interruption.signal, slow: slow.signal, abort: (reason) => interruption.abort(reason) };
}

async function endNow(process: NodeJS.Process): Promise<void> {
  setTimeout(() => process.exit(exitCodes.interrupted), farewellMilliseconds).unref();
  await endDescendants(process);
}
