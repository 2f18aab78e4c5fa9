import { EnvEditError, setInEnvFile } from "../../core/env/env-edit.ts";
import { type EnvFile, parseEnvFile } from "../../core/env/env-file.ts";
import type { Finding } from "../../core/findings/finding.ts";
import { type ListedSecret, type ListInput, listSecrets, secretNames } from "../../core/secrets/secret-list.ts";
import { markerOf } from "../../core/secrets/secret-usage.ts";
import { modelSecrets } from "../../core/secrets/secret-values.ts";
import type { ComposeModel } from "../../core/stack/model.ts";
import { relativePath, type Stack, type Territory } from "../../core/stack/stack.ts";
import { DeployError } from "../../errors.ts";
import type { World } from "../../world.ts";
import { modelOf, readModelText, readModelWith } from "../compose/compose.ts";

/** The secrets of a stack, and the model that they were read from. */
export interface ReadSecrets {
  readonly model: ComposeModel;
  readonly secrets: readonly ListedSecret[];
  readonly input: ListInput;
}

/** Reads which secrets a stack has and who uses them; asks Compose, and no engine. */
export async function readSecrets(world: World, territory: Territory, stack: Stack): Promise<ReadSecrets> {
  const [text, envFile] = await Promise.all([readModelText(world, stack), readEnvFile(world, territory)]);
  const model = modelOf(text);
  world.reporter.hide(modelSecrets(model));
  const markers = secretNames(model, envFile).map((name) => [name, markerOf(name)]);
  const marked = await readModelWith(world, stack, Object.fromEntries(markers));
  const active = Object.fromEntries(Object.entries(model.services).filter(([name]) => !stack.excluded.includes(name)));
  const input = {
    model: { ...model, services: active },
    marked,
    envFile,
    exported: exportedIn(world),
  };
  return { model, secrets: listSecrets(input), input };
}

/** The environment file as Compose reads it; one that is not there is empty. */
export async function readEnvFile(world: World, territory: Territory): Promise<EnvFile> {
  const text = await world.files.read(territory.envPath);
  if (text === undefined) return { entries: [] };
  const parsed = parseEnvFile({ file: relativePath(territory.root, territory.envPath), text }, exportedIn(world));
  if (!parsed.ok) throw new DeployError(parsed.findings);
  return parsed.value;
}

/** Gives one variable of the environment file another value; every other byte stays. */
export async function writeSecretLine(world: World, territory: Territory, name: string, value: string): Promise<void> {
  const text = (await world.files.read(territory.envPath)) ?? "";
  await world.files.writeAtomic(territory.envPath, editedLine(world, text, name, value), { mode: 0o600 });
}

function editedLine(world: World, text: string, name: string, value: string): string {
  try {
    return setInEnvFile(text, name, value, exportedIn(world));
  } catch (error) {
    if (!(error instanceof EnvEditError)) throw error;
    const fix = "write that line by hand as NAME='value', then run the command again";
    throw new DeployError([{ code: "D111", severity: "error", message: error.message, fix }]);
  }
}

/** An exported variable beats the file, so that what is written there would have no effect (D100). */
export function exportedFinding({ env }: World, name: string, file: string): Finding | undefined {
  if (env[name] === undefined) return undefined;
  return {
    code: "D100",
    severity: "error",
    message: `this shell exports ${name}, which Compose takes in the place of what ${file} says`,
    fix: `run unset ${name}, then the command again`,
  };
}

function exportedIn({ env }: World): ReadonlyMap<string, string> {
  return new Map(Object.entries(env).flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const])));
}
