import { envValues, parseEnvFile } from "../../core/env/env-file.ts";
import { publicTlsFiles } from "../../core/public/tls-stack.ts";
import {
  dotenvSecrets,
  namedModelSecrets,
  namedSecrets,
  secretValues,
  writtenSecrets,
} from "../../core/secrets/secret-values.ts";
import type { NamedSecret } from "../../core/secrets/shown-secrets.ts";
import type { ComposeModel } from "../../core/stack/model.ts";
import { joinPath, type Territory } from "../../core/stack/stack.ts";
import { FileReadError } from "../../files.ts";
import type { World } from "../../world.ts";

/**
 * Hides what this folder and the process environment know of secrets, before any child process can print one. Reads a few
 * small files; one that cannot be read is left to the command, which says so.
 */
export async function hideKnownSecrets(
  world: World,
  { envPath, secretsPath }: Pick<Territory, "envPath" | "secretsPath">,
): Promise<void> {
  const [environment, files] = await Promise.all([environmentFile(world, envPath), secretFiles(world, secretsPath)]);
  world.reporter.hide([...secretValues(definedEntries(world.env)), ...environment, ...files]);
}

/** What the model, the environment file and the file secrets hold of secrets, each under a name that people know. */
export async function readNamedSecrets(
  world: World,
  { envPath, secretsPath }: Pick<Territory, "envPath" | "secretsPath">,
  model: ComposeModel | undefined,
): Promise<NamedSecret[]> {
  const [text, names] = await Promise.all([readIfPossible(world, envPath), secretNames(world, secretsPath)]);
  const contents = await Promise.all(names.map((name) => readIfPossible(world, joinPath(secretsPath, name))));
  const parsed = text === undefined ? undefined : parseEnvFile({ file: envPath, text }, new Map());
  const variables = parsed?.ok ? envValues(parsed.value) : new Map<string, string>();
  const files = names.map((name, index) => ({ name, value: (contents[index] ?? "").trim() }));
  return [...namedSecrets(variables), ...(model ? namedModelSecrets(model) : []), ...files];
}

async function environmentFile(world: World, path: string): Promise<string[]> {
  const text = await readIfPossible(world, path);
  if (text === undefined) return [];
  const parsed = parseEnvFile({ file: path, text }, new Map(definedEntries(world.env)));
  if (!parsed.ok) return writtenSecrets(text);
  const readings = parsed.value.entries.flatMap(({ key, value, fileValue }): [string, string][] => [
    [key, value],
    [key, fileValue],
  ]);
  return [...secretValues(readings), ...dotenvSecrets(text)];
}

async function secretFiles(world: World, folder: string): Promise<string[]> {
  const names = await secretNames(world, folder);
  const contents = await Promise.all(names.map((name) => readIfPossible(world, joinPath(folder, name))));
  return contents.flatMap((content) => content ?? []);
}

async function secretNames(world: World, folder: string): Promise<string[]> {
  const names = await world.files.list(folder).catch(ignoreUnreadable<readonly string[]>([]));
  return names.filter((name) => !publicTlsFiles.includes(name));
}

function readIfPossible(world: World, path: string): Promise<string | undefined> {
  return world.files.read(path).catch(ignoreUnreadable(undefined));
}

function ignoreUnreadable<T>(instead: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof FileReadError) return instead;
    throw error;
  };
}

function definedEntries(env: World["env"]): [string, string][] {
  return Object.entries(env).flatMap(([key, value]): [string, string][] => (value === undefined ? [] : [[key, value]]));
}
