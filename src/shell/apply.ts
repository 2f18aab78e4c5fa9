import { buildArgv, composeEnvironment, downArgv, pullArgv, upArgv } from "../core/compose-argv.ts";
import { composeFailure } from "../core/compose-failures.ts";
import { dockerFailure } from "../core/docker-failures.ts";
import { appendToEnvFile, parseEnvFile } from "../core/env-file.ts";
import type { SeedFile } from "../core/facts.ts";
import type { Finding } from "../core/finding.ts";
import { encodeSecret } from "../core/generate-secret.ts";
import type { ComposeModel } from "../core/model.ts";
import type { Plan } from "../core/plan.ts";
import { describeStep, type Step } from "../core/plan-steps.ts";
import { joinPath, type Stack, type Territory } from "../core/stack.ts";
import { DeployError, exitCodes } from "../errors.ts";
import type { RunResult, Task, World } from "../world.ts";
import { withEnvFile } from "./compose.ts";
import { docker, projectContainers } from "./engine.ts";

/** What the steps of an `up` act on. */
export interface UpTarget extends DownTarget {
  readonly stack: Stack;
  readonly territory: Territory;
  readonly model: ComposeModel;
}

interface ApplyContext extends UpTarget {
  readonly progress: (line: string) => void;
  /** Values of secrets by name; what is generated on the way is added. */
  readonly secrets: Map<string, string>;
}

/** Turns the steps of an `up` into tasks; running them is the only thing that changes anything. */
export function upTasks(world: World, plan: Plan, target: UpTarget): Task[] {
  const secrets = new Map(
    Object.entries(target.model.generatedSecrets).map(([name, { value }]) => [name, value.reveal()]),
  );
  return plan.steps.map((step) => stepTask(world, step, target, secrets));
}

/** One step as a task, for commands that do only that. */
export function stepTask(world: World, step: Step, target: UpTarget, secrets = new Map<string, string>()): Task {
  return { title: describeStep(step), run: (progress) => applyStep(world, step, { ...target, progress, secrets }) };
}

/** What a `down` acts on: all that it knows for sure is names. */
export interface DownTarget {
  readonly project: string;
  readonly namePrefix: string | undefined;
}

/** Tasks of a `down`. A gateway may start one more sandbox until it is gone, so they are asked for again at the end. */
export function downTasks(world: World, plan: Plan, target: DownTarget): Task[] {
  const tasks = plan.steps.flatMap((step): Task[] => {
    const title = describeStep(step);
    if (step.kind === "remove-sandboxes") return [{ title, run: () => removeSandboxes(world, target) }];
    if (step.kind === "remove-project")
      return [{ title, run: (progress) => removeProject(world, step.project, step.volumes, progress) }];
    return [];
  });
  const sweep = { title: "look for sandboxes that began meanwhile", run: () => removeSandboxes(world, target) };
  return tasks.length === 0 ? [] : [...tasks, sweep];
}

async function applyStep(world: World, step: Step, context: ApplyContext): Promise<void> {
  const stack = await withEnvFile(world, context.stack);
  switch (step.kind) {
    case "seed-file":
      return seedFile(world, step.seed);
    case "generate-secrets":
      return generateSecrets(world, step.names, context);
    case "write-secret-files":
      return writeSecretFiles(world, step.names, context);
    case "make-local-images":
      return makeLocalImages(world, step.images, context);
    case "build":
      return compose(world, stack, buildArgv(stack, step.services, step.pull), context.progress);
    case "pull":
      return compose(world, stack, pullArgv(stack, step.services, step.policy), context.progress);
    case "remove-containers":
      return removeContainers(world, step.ids);
    case "remove-sandboxes":
      return removeSandboxes(world, context);
    case "remove-networks":
      return removeNetworks(world, step.names);
    case "start": {
      const names = step.services.map(({ service }) => service);
      return compose(world, stack, upArgv(stack, names, step.recreate), context.progress);
    }
    case "remove-project":
      return removeProject(world, step.project, step.volumes, context.progress);
  }
}

async function seedFile(world: World, seed: SeedFile): Promise<void> {
  const text = await world.files.read(seed.from);
  if (text === undefined) {
    throw new DeployError([
      {
        code: "D014",
        severity: "error",
        message: `the template ${seed.from} does not exist`,
        fix: "restore the tool's checkout with git",
      },
    ]);
  }
  // Somebody may have written it while a question was open: what is there is never overwritten.
  await world.files.createExclusive(seed.to, text, { mode: seed.mode });
}

async function generateSecrets(
  world: World,
  names: readonly string[],
  { territory, model, secrets }: ApplyContext,
): Promise<void> {
  const text = (await world.files.read(territory.envPath)) ?? "";
  const additions = names.map((key) => ({
    key,
    value: encodeSecret(world.randomBytes(model.generatedSecrets[key]?.bytes ?? 32)),
  }));
  world.reporter.hide(additions.map(({ value }) => value));
  await world.files.writeAtomic(territory.envPath, appendToEnvFile(text, additions), { mode: 0o600 });
  // A line that somebody wrote meanwhile, or that refers to another variable, stays: what counts is what the file says now.
  const written = await readEnvValues(world, territory.envPath);
  for (const name of names) {
    const value = written.get(name);
    if (!value) throw new DeployError([emptySecret(name, territory.envPath)]);
    secrets.set(name, value);
  }
}

async function readEnvValues(world: World, path: string): Promise<ReadonlyMap<string, string>> {
  const parsed = parseEnvFile({ file: path, text: (await world.files.read(path)) ?? "" }, new Map());
  if (!parsed.ok) throw new DeployError(parsed.findings);
  return new Map(parsed.value.entries.map(({ key, fileValue }) => [key, fileValue]));
}

/** Writes the copies that containers mount: readable by every container user, inside a folder that only the operator may enter. */
async function writeSecretFiles(
  world: World,
  names: readonly string[],
  { territory, model, secrets }: ApplyContext,
): Promise<void> {
  await world.files.makeDirectory(territory.statePath, 0o700);
  await world.files.makeDirectory(territory.secretsPath, 0o700);
  for (const name of names) {
    const file = model.generatedSecrets[name]?.file;
    const value = secrets.get(name);
    if (!value) throw new DeployError([emptySecret(name, territory.envPath)]);
    if (file !== undefined)
      await world.files.writeAtomic(joinPath(territory.secretsPath, file), value, { mode: 0o444 });
  }
}

function emptySecret(name: string, envPath: string): Finding {
  return {
    code: "D062",
    severity: "error",
    message: `the secret ${name} is empty`,
    fix: `give ${name} a value in ${envPath}, or remove the line so that one is generated`,
  };
}

async function makeLocalImages(
  world: World,
  images: readonly string[],
  { progress, stack }: ApplyContext,
): Promise<void> {
  const names = images.map((image) => image.replace(/^.*\/([^/:]+)(:.*)?$/, "$1"));
  const script = joinPath(world.toolRoot, "scripts/build-images.sh");
  const result = await world.run(
    { program: script, args: names, env: { ...world.env, ...stack.variables }, cwd: world.toolRoot },
    { onOutput: lastLine(progress) },
  );
  stopUnlessDone(result, "scripts/build-images.sh failed");
}

async function compose(
  world: World,
  stack: Stack,
  argv: readonly string[],
  progress: ApplyContext["progress"],
): Promise<void> {
  const result = await docker(world, ["compose", "--progress", "plain", ...argv.slice(1)], {
    env: composeEnvironment(stack, world.env),
    onOutput: lastLine(progress),
  });
  // `up` also fails when a dependency is unhealthy: the health check that follows tells which, with its logs.
  if (result.exitCode !== 0 && !/dependency failed to start|is unhealthy/.test(result.stderr))
    stopUnlessDone(result, "docker compose failed");
}

async function removeSandboxes(world: World, { project, namePrefix }: DownTarget): Promise<void> {
  const { sandboxes } = await projectContainers(world, project, namePrefix);
  await removeContainers(
    world,
    sandboxes.map(({ id }) => id),
  );
}

/** A network that something of the operator's still uses stays: it grants nothing by itself. */
async function removeNetworks(world: World, names: readonly string[]): Promise<void> {
  await docker(world, ["network", "rm", ...names]);
}

/** Removes containers by id; one that is gone already is what was wanted. */
async function removeContainers(world: World, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  const result = await docker(world, ["rm", "--force", "--volumes", ...ids]);
  const rest = result.stderr
    .split("\n")
    .filter((line) => line !== "" && !/No such container|already in progress/i.test(line));
  if (rest.length > 0) stopUnlessDone(result, "docker could not remove containers");
}

/** Removes everything that carries the project's name, and what Compose leaves when it has no file to read. */
async function removeProject(
  world: World,
  project: string,
  volumes: readonly string[],
  progress: ApplyContext["progress"],
): Promise<void> {
  const env = composeEnvironment({ variables: {} }, world.env);
  const result = await docker(world, downArgv(project, volumes.length > 0), { env, onOutput: lastLine(progress) });
  stopUnlessDone(result, "docker compose down failed");
  if (volumes.length > 0) await docker(world, ["volume", "rm", "--force", ...volumes]);
}

/** Stops with what the child process said when it did not end well. */
export function stopUnlessDone(result: RunResult, what: string): void {
  if (result.exitCode === 0) return;
  const known = dockerFailure(result);
  const failure = known ?? composeFailure(result, []);
  const lines = result.stderr.trim().split("\n").slice(-20).join("\n");
  const finding: Finding = known ?? {
    code: "D074",
    severity: "error",
    message: `${what} (exit ${result.exitCode}):\n${lines}`,
    fix: adviceFor(lines, failure),
  };
  throw new DeployError([finding], exitCodes.failed);
}

function adviceFor(output: string, failure: Finding): string {
  if (/no space left on device/i.test(output))
    return "free disk space (docker system df shows what images and build cache take), then run it again";
  if (
    /(dial tcp|i\/o timeout|no such host|failed to resolve|TLS handshake|connection refused|failed to do request)/i.test(
      output,
    )
  ) {
    return "no image registry answers: check the network, or use --images local, which makes the images from Debian packages";
  }
  if (/port is already allocated|address already in use/i.test(output))
    return "another program took the port meanwhile: choose another one (PORT in the environment file)";
  return failure.code === "D032"
    ? "read the lines above; run the same command again once the cause is mended"
    : (failure.fix ?? "run it again");
}

function lastLine(progress: ApplyContext["progress"]): (chunk: string) => void {
  return (chunk) => {
    for (const line of chunk.split("\n")) if (line.trim() !== "") progress(line.trimEnd());
  };
}
