import { randomBytes } from "node:crypto";
import { performance } from "node:perf_hooks";
import { type Provider, stoppingError } from "./provider.ts";
import type { HistoryEntry, RunResult } from "./run.ts";
import type { RunBody } from "./run-body.ts";
import { type Store, StoreError } from "./store.ts";

/** Runs that are going on, and the way to end them. */
export interface Runs {
  /** Undefined when as many runs as allowed are going on. */
  readonly start: (body: RunBody) => Promise<RunResult> | undefined;
  readonly active: () => number;
  readonly isStopping: () => boolean;
  /** Refuses new runs from now on and, after the grace time, ends those that still go on. */
  readonly stop: (graceMs: number) => void;
}

/** Runs snippets one by one up to `concurrencyMax` at a time and records each before its result is given out. */
export function createRuns(provider: Provider, store: Store, concurrencyMax: number): Runs {
  const stopping = new AbortController();
  let active = 0;
  let refusing = false;

  const run = async (body: RunBody): Promise<RunResult> => {
    active += 1;
    try {
      if (refusing) throw stoppingError();
      // A run that could not be recorded must not take place.
      await store.check();
      const startedAt = new Date().toISOString();
      const start = performance.now();
      const id = randomBytes(8).toString("hex");
      const outcome = await provider.run({ id, ...body }, stopping.signal);
      const result: RunResult = { id, ...outcome, durationMs: Math.round(performance.now() - start) };
      await record(store, { ...result, startedAt, language: body.language, code: body.code });
      return result;
    } finally {
      active -= 1;
    }
  };

  return {
    start: (body) => (active >= concurrencyMax ? undefined : run(body)),
    active: () => active,
    isStopping: () => refusing,
    stop(graceMs) {
      refusing = true;
      setTimeout(() => stopping.abort(), graceMs).unref();
    },
  };
}

async function record(store: Store, entry: HistoryEntry): Promise<void> {
  await store.appendHistory(entry).catch((error: unknown) => {
    const reason = "the run took place but could not be recorded, so its result is not given out";
    throw error instanceof StoreError ? new StoreError(`${error.message}; ${reason}`, error) : error;
  });
}
