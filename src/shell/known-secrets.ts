import { parseEnvFile } from "../core/env-file.ts";
import { looksSecret } from "../core/redact.ts";
import { joinPath, type Territory } from "../core/stack.ts";
import type { World } from "../world.ts";

/** Secret values that this folder knows of, for redaction: those of the environment file by their name, and the secret files. */
export async function knownSecrets(world: World, territory: Territory): Promise<string[]> {
  const text = await world.files.read(territory.envPath);
  const parsed = text === undefined ? undefined : parseEnvFile({ file: territory.envPath, text }, new Map());
  const named = parsed?.ok ? parsed.value.entries.filter(({ key }) => looksSecret(key)).map(({ value }) => value) : [];
  const exported = Object.entries(world.env).flatMap(([key, value]) =>
    value !== undefined && looksSecret(key) ? [value] : [],
  );
  const names = (await world.files.stat(territory.secretsPath)) ? await world.files.list(territory.secretsPath) : [];
  const files = await Promise.all(names.map((name) => world.files.read(joinPath(territory.secretsPath, name))));
  return [...named, ...exported, ...files.flatMap((value) => value ?? [])].filter((value) => value !== "");
}
