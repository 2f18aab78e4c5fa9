import type { ConfigFile } from "../../core/config/config.ts";
import { appendToEnvFile } from "../../core/env/env-edit.ts";
import { parseEnvFile } from "../../core/env/env-file.ts";
import type { Finding } from "../../core/findings/finding.ts";
import type { SeedFile } from "../../core/plan/facts.ts";
import type { Plan } from "../../core/plan/plan.ts";
import { describeStep, type Step } from "../../core/plan/plan-steps.ts";
import { readBuildLines } from "../../core/progress/build-lines.ts";
import { readPullLines } from "../../core/progress/pull-lines.ts";
import { bytesOf, writeSecret } from "../../core/secrets/secret-form.ts";
import { buildArgv, composeEnvironment, pullArgv } from "../../core/stack/compose-argv.ts";
import type { ComposeModel } from "../../core/stack/model.ts";
import { folderOf, joinPath, type Stack, type Territory } from "../../core/stack/stack.ts";
import { DeployError } from "../../errors.ts";
import type { Progress, RunOptions, Task, World } from "../../world.ts";
import { withEnvFile } from "../compose/compose.ts";
import { docker } from "../engine/engine.ts";
import { stopUnlessDone } from "../processes/child-failure.ts";
import { eachLine } from "../processes/child-output.ts";
import { type DownTarget, removeContainers, removeNetworks, removeProject, removeSandboxes } from "./remove.ts";
import { startServices } from "./start.ts";

/** What the steps of an `up` act on. */
export interface UpTarget extends DownTarget {
  readonly stack: Stack;
  readonly territory: Territory;
  readonly model: ComposeModel;
  readonly config: ConfigFile;
  /** Seconds for dependencies to recover in; left out, those of the configuration. */
  readonly waitSeconds?: number | undefined;
}

interface ApplyContext extends UpTarget {
  readonly progress: Progress;
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

async function applyStep(world: World, step: Step, context: ApplyContext): Promise<void> {
  const stack = await withEnvFile(world, context.stack);
  switch (step.kind) {
    case "seed-file":
      return seedFile(world, step.seed);
    case "generate-secrets":
      return generateSecrets(world, step.names, context);
    case "write-secret-files":
      return writeSecretFiles(world, step.names, context);
    case "write-guard-policy":
      return writeGuardPolicy(world, context);
    case "write-tls-files":
      return (await import("../observe/tls-input.ts")).writeTlsFiles(world, context.territory, stack);
    case "make-local-images":
      return makeLocalImages(world, step.images, context);
    case "build":
      return compose(
        world,
        stack,
        buildArgv(stack, step.services, step.pull),
        eachLine(context.progress, readBuildLines()),
      );
    case "pull":
      return compose(
        world,
        stack,
        pullArgv(stack, step.services, step.policy),
        eachLine(context.progress, readPullLines()),
      );
    case "remove-containers":
      return removeContainers(world, step.ids);
    case "remove-sandboxes":
      return removeSandboxes(world, context);
    case "remove-networks":
      return removeNetworks(world, step.names);
    case "start": {
      const { progress, config } = context;
      const waitSeconds = context.waitSeconds ?? config.config.health.waitSeconds;
      return startServices(world, stack, step, waitSeconds, progress);
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
  const additions = names.map((key) => ({ key, value: newSecret(world, model, key) }));
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

/** A new value for a secret, in the form that its Compose file asks for. */
export function newSecret(world: World, model: ComposeModel, name: string): string {
  const { form = "base64url", bytes = 32 } = model.generatedSecrets[name] ?? {};
  return writeSecret(form, world.randomBytes(bytesOf(form, bytes)));
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
      await world.files.writeAtomic(joinPath(territory.secretsPath, file), value, { mode: 0o444, own: true });
  }
}

/** Readable for the guard's user, and like the secrets inside a folder that only the operator may enter. */
async function writeGuardPolicy(world: World, { territory, stack }: ApplyContext): Promise<void> {
  await world.files.makeDirectory(territory.statePath, 0o700);
  await world.files.makeDirectory(folderOf(territory.guardPolicyPath), 0o700);
  await world.files.writeAtomic(territory.guardPolicyPath, stack.guardPolicy ?? "", { mode: 0o444, own: true });
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
    { onOutput: eachLine(progress, (line) => /^build-images: (.*)/.exec(line)?.[1]) },
  );
  stopUnlessDone(result, "scripts/build-images.sh failed");
}

async function compose(
  world: World,
  stack: Stack,
  argv: readonly string[],
  onOutput: NonNullable<RunOptions["onOutput"]>,
): Promise<void> {
  const result = await docker(world, ["compose", "--progress", "plain", ...argv.slice(1)], {
    env: composeEnvironment(stack, world.env),
    onOutput,
  });
  stopUnlessDone(result, "docker compose failed");
}
