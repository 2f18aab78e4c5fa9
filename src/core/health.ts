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

/** Judges every service by its containers. One early `unhealthy`, a crash that recovers and a one-shot that exits 0 are no failures. */
export function judgeHealth(services: readonly string[], containers: readonly Container[]): ServiceHealth[] {
  return services.map((service) => {
    const mine = containers.filter((container) => container.service === service);
    if (mine.length === 0) return { kind: "waiting", service, reason: "its container has not been created yet" };
    const judged = mine.map((container) => judgeContainer(service, container));
    return (
      judged.find(({ kind }) => kind === "failed") ??
      judged.find(({ kind }) => kind === "waiting") ?? { kind: "ready", service }
    );
  });
}

function judgeContainer(service: string, container: Container): ServiceHealth {
  const { state, access } = container;
  const { restartCount } = state;
  const waiting = (reason: string): ServiceHealth => ({ kind: "waiting", service, reason });
  const failed = (reason: string): ServiceHealth => ({ kind: "failed", service, reason });
  switch (state.status) {
    case "running":
      return judgeRunning(service, state);
    case "restarting":
      return restartCount >= crashLoopRestarts
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

function judgeRunning(service: string, { health, restartCount }: Container["state"]): ServiceHealth {
  if (health?.status === "healthy") return { kind: "ready", service };
  if (!health || health.status === "none") {
    return restartCount >= crashLoopRestarts
      ? { kind: "failed", service, reason: `it has crashed ${restartCount} times` }
      : { kind: "ready", service };
  }
  const output = health.log.at(-1)?.output.trim().split("\n").at(-1);
  const last = output ? `: ${output}` : "";
  if (health.failingStreak >= hopelessChecks)
    return { kind: "failed", service, reason: `${health.failingStreak} health checks in a row failed${last}` };
  if (restartCount >= crashLoopRestarts)
    return { kind: "failed", service, reason: `it crashes in a loop: ${restartCount} restarts` };
  return { kind: "waiting", service, reason: `${health.status}${last}` };
}

function ending({ exitCode, oomKilled, error }: Container["state"]): string {
  if (error) return error;
  return oomKilled ? "it ran out of its memory limit" : `it ended with exit code ${exitCode}`;
}
