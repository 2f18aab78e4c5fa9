import type { Plan } from "../../core/plan/plan.ts";
import { describeStep } from "../../core/plan/plan-steps.ts";
import { readStartLines } from "../../core/progress/start-lines.ts";
import { composeEnvironment, downArgv } from "../../core/stack/compose-argv.ts";
import { DeployError } from "../../errors.ts";
import type { Progress, RunResult, Task, World } from "../../world.ts";
import { docker, projectContainers, projectResources, usersOf } from "../engine/engine.ts";
import { stopUnlessDone } from "../processes/child-failure.ts";
import { eachLine } from "../processes/child-output.ts";

const pollMilliseconds = 300;
const removalMilliseconds = 10_000;

/** What a `down` acts on: all that it knows for sure is names. */
export interface DownTarget {
  readonly project: string;
  readonly namePrefix: string | undefined;
}

/**
 * Tasks of a `down`. A gateway may start one more sandbox until it is gone, so they are asked for again at the end; what
 * is still there after that is an error, D075. Volumes count only if they were to go.
 */
export function downTasks(world: World, plan: Plan, target: DownTarget, volumes: boolean): Task[] {
  const tasks = plan.steps.flatMap((step): Task[] => {
    const title = describeStep(step);
    if (step.kind === "remove-sandboxes") return [{ title, run: () => removeSandboxes(world, target) }];
    if (step.kind === "remove-project")
      return [{ title, run: (progress) => removeProject(world, step.project, step.volumes, progress) }];
    return [];
  });
  const sweep = { title: "look for sandboxes that began meanwhile", run: () => removeSandboxes(world, target) };
  const check = { title: "look whether anything is left", run: () => stopOnRemains(world, target, volumes) };
  return tasks.length === 0 ? [] : [...tasks, sweep, check];
}

/** Removes a project's sandboxes, also those that began since it was planned, with their anonymous volumes. */
export async function removeSandboxes(world: World, { project, namePrefix }: DownTarget): Promise<void> {
  const { sandboxes } = await projectContainers(world, project, namePrefix);
  await remove(
    world,
    ["--volumes"],
    sandboxes.map(({ id }) => id),
  );
}

/** Removes containers of services by id; their anonymous volumes stay, for an image may keep its data in one. */
export async function removeContainers(world: World, ids: readonly string[]): Promise<void> {
  await remove(world, [], ids);
}

/** A network that something of the operator's still uses stays: it grants nothing by itself. */
export async function removeNetworks(world: World, names: readonly string[]): Promise<void> {
  await docker(world, ["network", "rm", ...names]);
}

async function remove(world: World, flags: readonly string[], ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  const result = await docker(world, ["rm", "--force", ...flags, ...ids]);
  if (!isGoneAlready(result)) stopUnlessDone(result, "docker could not remove containers");
}

/** A container that somebody else removes is what was wanted; a failure that says nothing is one. */
function isGoneAlready({ stderr }: RunResult): boolean {
  const lines = stderr.split("\n").filter((line) => line.trim() !== "");
  return lines.length > 0 && lines.every((line) => /No such container|already in progress/i.test(line));
}

/** Removes everything that carries the project's name, and what Compose leaves when it has no file to read. */
export async function removeProject(
  world: World,
  project: string,
  volumes: readonly string[],
  progress: Progress,
): Promise<void> {
  const env = composeEnvironment({ variables: {} }, world.env);
  const result = await docker(world, downArgv(project, volumes.length > 0), {
    env,
    onOutput: eachLine(progress, readStartLines()),
  });
  stopUnlessDone(result, "docker compose down failed");
  // Compose removed most of them: whether all are gone shows when the engine is asked again.
  if (volumes.length > 0) await docker(world, ["volume", "rm", "--force", ...volumes]);
}

/** Compose and the engine only warn about what is in use, so nothing counts as removed before it was looked for. */
async function stopOnRemains(world: World, target: DownTarget, volumes: boolean): Promise<void> {
  const deadline = world.now().getTime() + removalMilliseconds;
  for (;;) {
    const remains = await readRemains(world, target, volumes);
    if (remains.lines.length === 0) return;
    if (!remains.ending || world.now().getTime() >= deadline) throw remainsError(target.project, remains.lines);
    await world.sleep(pollMilliseconds);
  }
}

interface Remains {
  readonly lines: readonly string[];
  /** Some container is being removed at the moment. */
  readonly ending: boolean;
}

async function readRemains(world: World, { project, namePrefix }: DownTarget, volumes: boolean): Promise<Remains> {
  const [{ containers, sandboxes }, networks, kept] = await Promise.all([
    projectContainers(world, project, namePrefix),
    projectResources(world, "network", project),
    volumes ? projectResources(world, "volume", project) : [],
  ]);
  const used = async (kind: "network" | "volume", name: string) => {
    const users = await usersOf(world, kind, name);
    return `the ${kind} ${name}${users.length === 0 ? "" : `, which ${users.join(", ")} use${users.length === 1 ? "s" : ""}`}`;
  };
  const resources = await Promise.all([
    ...networks.map((name) => used("network", name)),
    ...kept.map((name) => used("volume", name)),
  ]);
  return {
    lines: [
      ...containers.map(({ name }) => `the container ${name}`),
      ...sandboxes.map(({ name }) => `the sandbox ${name}`),
      ...resources,
    ],
    ending: [...containers, ...sandboxes].some(({ state }) => state.status === "removing"),
  };
}

function remainsError(project: string, lines: readonly string[]): DeployError {
  return new DeployError([
    {
      code: "D075",
      severity: "error",
      message: `something of ${project} could not be removed:\n  ${lines.join("\n  ")}`,
      fix: "remove or disconnect what uses it (docker rm, docker network disconnect), then run down again",
    },
  ]);
}
