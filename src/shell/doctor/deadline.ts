import type { Known } from "../../core/doctor/check.ts";
import { DeployError } from "../../errors.ts";
import { fileFinding } from "../../files.ts";
import type { Command, HttpRequest, RunOptions, World } from "../../world.ts";

/** What lasts, in a world. */
export type LastingWorld = Pick<World, "signal" | "run" | "sleep" | "http">;

/**
 * Asks a question that has to end: what it started is ended at the deadline, and what cannot be ended is not waited for. What
 * a person is meant to know is an answer; anything else that goes wrong is a bug and passes through.
 */
export async function within<W extends LastingWorld, T>(
  world: W,
  seconds: number,
  question: (bound: W) => Promise<T>,
): Promise<Known<T>> {
  const end = new AbortController();
  const answer = question(boundTo(world, end.signal)).then((value): Known<T> => ({ kind: "known", value }), refusal);
  const deadline = world.sleep(seconds * 1000, end.signal).then((): Known<T> => ({ kind: "late", seconds }));
  // Whichever comes second is of no interest, and may fail because the other one came first.
  for (const each of [answer, deadline]) each.catch(() => undefined);
  try {
    return await Promise.race([answer, deadline]);
  } finally {
    end.abort();
  }
}

/** Asks on with what is known already; what is not known is the reason why nothing is asked. */
export async function following<T, U>(
  first: Promise<Known<T>>,
  why: string,
  next: (value: T) => Promise<Known<U>>,
): Promise<Known<U>> {
  const known = await first;
  return known.kind === "known" ? next(known.value) : { kind: "unasked", why };
}

/** Two answers, where both are known. */
export async function both<A, B>(left: Promise<Known<A>>, right: Promise<Known<B>>): Promise<Known<readonly [A, B]>> {
  const [one, other] = await Promise.all([left, right]);
  if (one.kind === "known" && other.kind === "known") return { kind: "known", value: [one.value, other.value] };
  return { kind: "unasked", why: "what it needs is not known" };
}

/** The same world, in which everything that lasts ends with a signal. */
function boundTo<W extends LastingWorld>(world: W, end: AbortSignal): W {
  const signal = AbortSignal.any([world.signal, end]);
  return {
    ...world,
    signal,
    run: (command: Command, options?: RunOptions) =>
      world.run(command, { ...options, signal: options?.signal ? AbortSignal.any([options.signal, signal]) : signal }),
    sleep: (milliseconds: number) => world.sleep(milliseconds, signal),
    http: (request: HttpRequest, until: AbortSignal) => world.http(request, AbortSignal.any([until, signal])),
  };
}

function refusal(error: unknown): { readonly kind: "refused"; readonly findings: DeployError["findings"] } {
  if (error instanceof DeployError) return { kind: "refused", findings: error.findings };
  const finding = fileFinding(error);
  if (finding === undefined) throw error;
  return { kind: "refused", findings: [finding] };
}
