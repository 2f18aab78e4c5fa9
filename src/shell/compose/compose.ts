import { parseEnvFile } from "../../core/env/env-file.ts";
import { composeEnvironment, hashArgv, modelArgv } from "../../core/stack/compose-argv.ts";
import { type ComposeModel, parseModel } from "../../core/stack/model.ts";
import type { Stack } from "../../core/stack/stack.ts";
import { DeployError } from "../../errors.ts";
import { FileReadError } from "../../files.ts";
import type { World } from "../../world.ts";
import { docker } from "../engine/engine.ts";
import { keyedFingerprint } from "../files/fingerprint.ts";
import { readSealKey, sealKey } from "../files/seal.ts";
import type { Receipt } from "../records/receipt.ts";
import { composeRefusal } from "./compose-refusal.ts";
import { namedPlugin, readCompose, readEngineSocket } from "./compose-version.ts";

/** The merged model as Compose prints it, secrets included: redact it before it goes anywhere. */
export async function readModelText(world: World, stack: Stack): Promise<string> {
  const asked = await withEnvFile(world, stack);
  const result = await docker(world, modelArgv(asked), { env: composeEnvironment(stack, world.env) });
  if (result.exitCode !== 0) throw new DeployError([await composeRefusal(world, stack.files, result)]);
  return result.stdout;
}

/** The merged model as it would be with other values of some variables, as JSON. */
export async function readModelWith(world: World, stack: Stack, values: World["env"]): Promise<unknown> {
  const asked = await withEnvFile(world, stack);
  const env = { ...composeEnvironment(stack, world.env), ...values };
  const result = await docker(world, modelArgv(asked), { env });
  if (result.exitCode !== 0) throw new DeployError([await composeRefusal(world, stack.files, result)]);
  return JSON.parse(result.stdout);
}

/** Reads the model out of Compose's text; what cannot be read is an error, since a privilege might go unseen. */
export function modelOf(text: string): ComposeModel {
  const model = parseModel(JSON.parse(text));
  if (!model.ok) throw new DeployError(model.findings);
  return model.value;
}

/** Compose's hash of each service. The same text merged by the same plugin has the same hashes, so then it is not asked. */
export async function readHashes(
  world: World,
  stack: Stack,
  text: string,
  receipt: Receipt | undefined,
): Promise<ReadonlyMap<string, string>> {
  const key = await readSealKey(world);
  const compose = await readCompose(world, receipt?.compose);
  const known = receipt?.model;
  const same = key !== undefined && known && compose === receipt.compose && known.mac === keyedFingerprint(key, text);
  return new Map(Object.entries(same ? known.hashes : await askHashes(world, stack)));
}

async function askHashes(world: World, stack: Stack): Promise<Record<string, string>> {
  const asked = await withEnvFile(world, stack);
  const result = await docker(world, hashArgv(asked), { env: composeEnvironment(stack, world.env) });
  const pairs = result.stdout.split("\n").map((line) => line.trim().split(/\s+/));
  return Object.fromEntries(pairs.flatMap(([service, hash]) => (service && hash ? [[service, hash]] : [])));
}

/** What Compose says of a stack after a change. */
export interface Deployed extends Pick<Receipt, "compose" | "engine" | "model"> {
  /** The merged model as Compose prints it, secrets included. */
  readonly text: string;
}

/** Reads anew, after a change, what the next command will compare with. */
export async function readDeployed(world: World, stack: Stack): Promise<Deployed> {
  const key = await sealKey(world);
  const [compose, named, engine, text, hashes] = await Promise.all([
    readCompose(world, undefined),
    namedPlugin(world),
    readEngineSocket(world),
    readModelText(world, stack),
    askHashes(world, stack),
  ]);
  return {
    compose: { ...compose, ...(named && { named }) },
    engine,
    model: { mac: keyedFingerprint(key, text), hashes },
    text,
  };
}

/** Compose fails on an environment file that does not exist, and without the flag it would look for another one. */
export async function withEnvFile(world: World, stack: Stack): Promise<Stack> {
  return (await world.files.stat(stack.envPath)) ? stack : { ...stack, envPath: "/dev/null" };
}

/** A variable as Compose looks it up: the process environment wins over the file. */
export async function variableOf(
  world: World,
  { variables, envPath }: Pick<Stack, "variables" | "envPath">,
  name: string,
): Promise<string | undefined> {
  const known = variables[name] ?? world.env[name];
  if (known !== undefined) return known;
  const text = (await world.files.read(envPath).catch(unread)) ?? "";
  const parsed = parseEnvFile({ file: envPath, text }, new Map());
  return parsed.ok ? parsed.value.entries.findLast(({ key }) => key === name)?.value : undefined;
}

function unread(error: unknown): undefined {
  if (!(error instanceof FileReadError)) throw error;
}
