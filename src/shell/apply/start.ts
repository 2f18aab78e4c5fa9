import { judgeHealth, waitingText } from "../../core/containers/health.ts";
import type { Step } from "../../core/plan/plan-steps.ts";
import { readStartLines } from "../../core/progress/start-lines.ts";
import { composeEnvironment, upArgv } from "../../core/stack/compose-argv.ts";
import type { Stack } from "../../core/stack/stack.ts";
import { DeployError } from "../../errors.ts";
import type { Progress, RunResult, World } from "../../world.ts";
import { docker, projectContainers } from "../engine/engine.ts";
import { stopUnlessDone } from "../processes/child-failure.ts";
import { eachLine } from "../processes/child-output.ts";
import { waitUntilHealthy } from "./verify.ts";

const pauseMilliseconds = 1_000;

/** Most starts are over sooner. */
const lookMilliseconds = 2_000;

/** After so many seconds a dependency that fell once has recovered. */
const recoveredSeconds = 3;

/** What Compose says when it leaves dependents created but not started. */
const gaveUp = /dependency failed to start: container (\S+) (?:is unhealthy|exited \(\d+\))/;

/**
 * Starts services. Compose gives up at the first unhealthy look at a dependency, and its dependents would never start: so it
 * is told again once that one has recovered, within `waitSeconds` of the first failure. D070 if the dependency does not
 * recover, D074 if Compose fails in another way.
 */
export async function startServices(
  world: World,
  stack: Stack,
  step: Extract<Step, { kind: "start" }>,
  waitSeconds: number,
  progress: Progress,
): Promise<void> {
  const names = step.services.map(({ service }) => service);
  let deadline: number | undefined;
  // Only the first time: all containers are made before the first one starts, and a recovered one is not to begin anew.
  for (let recreate = step.recreate; ; recreate = false) {
    const [compose = "", ...rest] = upArgv(stack, names, recreate);
    const command = [compose, "--progress", "plain", ...rest];
    const env = composeEnvironment(stack, world.env);
    const result = await whileTelling(world, stack.project, names, progress, () =>
      docker(world, command, { env, onOutput: eachLine(progress, readStartLines()) }),
    );
    if (result.exitCode === 0) return;
    const now = world.now().getTime();
    deadline ??= now + waitSeconds * 1000;
    const service = await failedDependency(world, stack.project, result);
    if (service === undefined || now >= deadline) return stopUnlessDone(result, "docker compose up failed");
    const left = Math.ceil((deadline - now) / 1000);
    const wait = { project: stack.project, services: [service], waitSeconds: left, settleSeconds: recoveredSeconds };
    await waitUntilHealthy(world, wait, progress);
    await world.sleep(pauseMilliseconds);
  }
}

/** Compose waits for dependencies without a word: meanwhile `progress` hears for which, and why. */
async function whileTelling<T>(
  world: World,
  project: string,
  services: readonly string[],
  progress: Progress,
  work: () => Promise<T>,
): Promise<T> {
  const done = new AbortController();
  const telling = tellWaiting(world, project, services, progress, done.signal);
  try {
    return await work();
  } finally {
    done.abort();
    await telling;
  }
}

async function tellWaiting(
  world: World,
  project: string,
  services: readonly string[],
  progress: Progress,
  done: AbortSignal,
): Promise<void> {
  try {
    for (;;) {
      await world.sleep(lookMilliseconds, done);
      const { containers } = await projectContainers(world, project);
      const running = containers.filter(({ state }) => state.status === "running");
      const begun = services.filter((name) => running.some(({ service }) => service === name));
      const line = waitingText(judgeHealth(begun, running));
      if (line !== "" && !done.aborted) progress(line);
    }
  } catch (error) {
    // It only looks on: that the work was done or interrupted, or why the engine is away, whoever works there says.
    if (!done.aborted && !world.signal.aborted && !(error instanceof DeployError)) throw error;
  }
}

async function failedDependency(world: World, project: string, { stderr }: RunResult): Promise<string | undefined> {
  const named = gaveUp.exec(stderr)?.[1];
  if (named === undefined) return undefined;
  const { containers } = await projectContainers(world, project);
  return containers.find(({ name }) => name === named)?.service;
}
