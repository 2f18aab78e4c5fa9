import { countingEntries, type EnvEntry, parseEnvFile } from "../../core/env/env-file.ts";
import { type DataPassword, dataPasswords } from "../../core/secrets/data-password.ts";
import type { KnownPassword } from "../../core/secrets/data-password-findings.ts";
import { looksSecret } from "../../core/secrets/redact.ts";
import type { ComposeModel } from "../../core/stack/model.ts";
import { relativePath, type Territory } from "../../core/stack/stack.ts";
import { FileReadError } from "../../files.ts";
import type { World } from "../../world.ts";
import { keyedFingerprint } from "../files/fingerprint.ts";
import { readSealKey, sealKey } from "../files/seal.ts";
import type { Receipt } from "./receipt.ts";

/** What a receipt keeps of secrets: enough to tell whether and when one changed, and nothing of its value. */
export type SecretRecord = NonNullable<Receipt["secrets"]>;

/** The secrets of a deployment by name; one that is as it was keeps its time. */
export async function secretRecord(
  world: World,
  territory: Territory,
  model: ComposeModel,
  last: Receipt | undefined,
): Promise<SecretRecord> {
  const key = await sealKey(world);
  const values = new Map([
    ...(await envEntries(world, territory))
      .filter((entry) => looksSecret(entry.key))
      .map((entry) => [entry.key, entry.value] as const),
    ...Object.entries(model.generatedSecrets).map(([name, { value }]) => [name, value.reveal()] as const),
    ...dataPasswords(model).map((password) => [recordName(password), password.value ?? ""] as const),
  ]);
  const now = world.now().toISOString();
  return Object.fromEntries(
    [...values].flatMap(([name, value]) => {
      if (value === "") return [];
      const mac = macOf(key, name, value);
      const before = last?.secrets?.[name];
      return [[name, { mac, since: before?.mac === mac ? before.since : now }]];
    }),
  );
}

/** Every password that data holds, compared with the last deployment; reads folders of data, and no volume. */
export async function readDataPasswords(
  world: World,
  territory: Territory,
  model: ComposeModel,
  last: Receipt | undefined,
): Promise<KnownPassword[]> {
  const passwords = dataPasswords(model);
  if (passwords.length === 0) return [];
  const [key, entries] = await Promise.all([readSealKey(world), envEntries(world, territory)]);
  return Promise.all(
    passwords.map(async (password) => {
      const { value, folders } = password;
      const before = last?.secrets?.[recordName(password)];
      const known = key !== undefined && before !== undefined && value !== undefined && value !== "";
      const entry = value ? entries.find((each) => each.value === value) : undefined;
      const contents = await Promise.all(folders.map((path) => listIfPossible(world, path)));
      return {
        ...password,
        changed: known ? macOf(key, recordName(password), value) !== before.mac : undefined,
        filled: folders.filter((_, index) => (contents[index] ?? []).length > 0),
        ...(entry ? { at: placeOf(territory, entry) } : {}),
      };
    }),
  );
}

/** Names of variables hold no dot, so that this is nobody else's. */
function recordName({ service, variable }: DataPassword): string {
  return `${service}.${variable}`;
}

function macOf(key: string, name: string, value: string): string {
  return keyedFingerprint(key, `secret\0${name}\0${value}`);
}

function placeOf({ root, envPath }: Territory, { line, column }: EnvEntry) {
  return { file: relativePath(root, envPath), line, column };
}

async function envEntries(world: World, { envPath }: Territory): Promise<EnvEntry[]> {
  const text = (await world.files.read(envPath)) ?? "";
  const exported = Object.entries(world.env).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, value] as const],
  );
  const parsed = parseEnvFile({ file: envPath, text }, new Map(exported));
  return parsed.ok ? countingEntries(parsed.value) : [];
}

/** A folder that only the database may look into has data in it. */
async function listIfPossible(world: World, path: string): Promise<readonly string[]> {
  try {
    return await world.files.list(path);
  } catch (error) {
    if (error instanceof FileReadError) return ["(hidden)"];
    throw error;
  }
}
