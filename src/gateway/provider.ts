import type { Mode, RunOutcome, RunRequest } from "./run.ts";

/** Whether runs are possible now, and if not, why and what to do. */
export type Readiness = { readonly canRun: true } | { readonly canRun: false; readonly reason: string };

/** One way of running code. There is one per process, chosen by the platform's configuration. */
export interface Provider {
  readonly mode: Mode;
  /** In words, for people: what stands between the code and the machine. */
  readonly isolation: string;
  /** The network that the code sees, in words. */
  readonly network: string;
  /** The limits that hold beside time and output, in words, by name. */
  readonly limits: Readonly<Record<string, string | number>>;
  readonly readiness: () => Promise<Readiness>;
  /** Runs a snippet; throws a ProviderError when it could not run. Aborting the signal ends it and cleans up. */
  readonly run: (request: RunRequest, signal: AbortSignal) => Promise<RunOutcome>;
  /** Removes what earlier processes left behind and what has outlived its deadline. */
  readonly sweep: () => Promise<SweepReport>;
}

/** What a sweep removed and what it could not remove, by name. */
export interface SweepReport {
  readonly removed: readonly string[];
  readonly failed: readonly string[];
}

/** Why a run did not take place: 403 refused by configuration, 413 too large, 502 the other side failed, 503 not now. */
export type ProviderStatus = 403 | 413 | 502 | 503;

/** A run that did not take place; the message is for the person who asked for it and holds no secret. */
export class ProviderError extends Error {
  readonly status: ProviderStatus;

  constructor(status: ProviderStatus, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "ProviderError";
    this.status = status;
  }
}

/** The error of a run that was ended because the gateway shuts down. */
export function stoppingError(): ProviderError {
  return new ProviderError(
    503,
    "the gateway is stopping; the run was ended and its sandbox removed. Try again shortly",
  );
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
