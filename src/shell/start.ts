import { composeEnvironment, upArgv } from "../core/compose-argv.ts";
import type { Step } from "../core/plan-steps.ts";
import type { Stack } from "../core/stack.ts";
import type { RunResult, World } from "../world.ts";
import { stopUnlessDone } from "./child-failure.ts";
import { eachLine } from "./child-output.ts";
import { docker, projectContainers } from "./engine.ts";
import { waitUntilHealthy } from "./verify.ts";

const pauseMilliseconds = 1_000;

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
  progress: (line: string) => void,
): Promise<void> {
  const names = step.services.map(({ service }) => service);
  let deadline: number | undefined;
  // Only the first time: all containers are made before the first one starts, and a recovered one is not to begin anew.
  for (let recreate = step.recreate; ; recreate = false) {
    const [compose = "", ...rest] = upArgv(stack, names, recreate);
    const result = await docker(world, [compose, "--progress", "plain", ...rest], {
      env: composeEnvironment(stack, world.env),
      onOutput: eachLine(progress),
    });
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

async function failedDependency(world: World, project: string, { stderr }: RunResult): Promise<string | undefined> {
  const named = gaveUp.exec(stderr)?.[1];
  if (named === undefined) return undefined;
  const { containers } = await projectContainers(world, project);
  return containers.find(({ name }) => name === named)?.service;
}
