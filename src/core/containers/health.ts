import type { Container } from "./container.ts";

/** Where one service stands after its start. */
export type ServiceHealth =
  | { readonly kind: "ready"; readonly service: string }
  | { readonly kind: "waiting"; readonly service: string; readonly reason: string }
  | { readonly kind: "failed"; readonly service: string; readonly reason: string };

/** Restarts after which a container counts as crashing in a loop; Docker doubles its pause each time, so this is some seconds in. */
const crashLoopRestarts = 4;

/** What the engine gives a container whose program cannot be run or found: no restart helps. */
const cannotRun: readonly number[] = [126, 127];

/** Failed checks in a row after which an unhealthy service will not recover by waiting. */
const hopelessChecks = 10;

/** Whether a container did what it was started for, such as a migration; what publishes a port is meant to go on. */
export function isFinished({ state, access, ports }: Container): boolean {
  const stays = access.RestartPolicy === "no" || access.RestartPolicy === "on-failure";
  return state.status === "exited" && state.exitCode === 0 && stays && ports.length === 0;
}

/** Points in time that judging needs, RFC 3339 in UTC as the engine writes them, so that they compare as text. */
export interface HealthClock {
  /** A container counts as ready once it has run since before this: many a program ends some seconds after its start. */
  readonly settledBefore: string;
  /** Restarts tell of a loop while the last start is later than this: the engine never forgets to count. */
  readonly recentSince: string;
  /**
   * When somebody began to wait. A loop from before may have been mended since, and the engine pauses for up to a minute:
   * only another crash tells.
   */
  readonly began?: string;
}

const timeless: HealthClock = { settledBefore: "9999", recentSince: "" };

/** Judges every service by its containers. One early `unhealthy`, a crash that recovers and a one-shot that exits 0 are no failures. */
export function judgeHealth(
  services: readonly string[],
  containers: readonly Container[],
  clock: HealthClock = timeless,
): ServiceHealth[] {
  return services.map((service) => {
    const mine = containers.filter((container) => container.service === service);
    if (mine.length === 0) return { kind: "waiting", service, reason: "its container has not been created yet" };
    const judged = mine.map((container) => judgeContainer(service, container, clock));
    return (
      judged.find(({ kind }) => kind === "failed") ??
      judged.find(({ kind }) => kind === "waiting") ?? { kind: "ready", service }
    );
  });
}

/** The container that a judgement is about: where a service has several, the first that stands as it says. */
export function judgedContainer(
  { service, kind }: ServiceHealth,
  containers: readonly Container[],
): Container | undefined {
  const mine = containers.filter((container) => container.service === service);
  return mine.find((container) => judgeContainer(service, container, timeless).kind === kind) ?? mine[0];
}

/** Which services are waited for, and why; empty where none is. */
export function waitingText(judged: readonly ServiceHealth[]): string {
  return judged.flatMap((each) => (each.kind === "waiting" ? [`${each.service}: ${each.reason}`] : [])).join("; ");
}

function judgeContainer(service: string, container: Container, clock: HealthClock): ServiceHealth {
  const { state, access } = container;
  const { restartCount } = state;
  const waiting = (reason: string): ServiceHealth => ({ kind: "waiting", service, reason });
  const failed = (reason: string): ServiceHealth => ({ kind: "failed", service, reason });
  switch (state.status) {
    case "running":
      return judgeRunning(service, state, clock);
    case "restarting":
      return restartCount >= crashLoopRestarts && state.startedAt >= (clock.began ?? "")
        ? failed(`it crashes in a loop: ${ending(state)}, ${restartCount} restarts`)
        : waiting(`it restarts: ${ending(state)}`);
    case "exited":
      if (isFinished(container)) return { kind: "ready", service };
      return access.RestartPolicy === "no" ||
        access.RestartPolicy === "on-failure" ||
        cannotRun.includes(state.exitCode)
        ? failed(ending(state))
        : waiting(ending(state));
    case "dead":
      return failed("the engine reports its container as dead");
    case "created":
      return state.error ? failed(state.error) : waiting("its container is created but not started");
    default:
      return waiting(`its container is ${state.status}`);
  }
}

function judgeRunning(service: string, state: Container["state"], clock: HealthClock): ServiceHealth {
  const { health, restartCount, startedAt } = state;
  const waiting = (reason: string): ServiceHealth => ({ kind: "waiting", service, reason });
  const failed = (reason: string): ServiceHealth => ({ kind: "failed", service, reason });
  const loops = restartCount >= crashLoopRestarts && startedAt >= clock.recentSince;
  const settled = startedAt < clock.settledBefore;
  if (health?.status === "healthy" && settled) return { kind: "ready", service };
  if (loops && clock.began === undefined) return failed(`it crashes in a loop: ${restartCount} restarts`);
  if (loops) return waiting(`it has only just started, after ${restartCount} restarts`);
  if (!health || health.status === "none" || health.status === "healthy")
    return settled ? { kind: "ready", service } : waiting("it has only just started");
  const output = health.log.at(-1)?.output.trim().split("\n").at(-1);
  const last = output ? `: ${output}` : "";
  return health.failingStreak >= hopelessChecks
    ? failed(`${health.failingStreak} health checks in a row failed${last}`)
    : waiting(`${health.status}${last}`);
}

function ending({ exitCode, oomKilled, error }: Container["state"]): string {
  if (error) return error;
  return oomKilled ? "it ran out of its memory limit" : `it ended with exit code ${exitCode}`;
}
