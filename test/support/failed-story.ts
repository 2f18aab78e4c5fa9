import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { createRedactor } from "../../src/core/secrets/redact.ts";
import { dotenvSecrets } from "../../src/core/secrets/secret-values.ts";

/**
 * What a failed test may write where everybody reads it: CI keeps it, and logs of containers are not the tool's own words. The
 * secrets of a stack's folder are taken out of it in every spelling.
 */
export async function withoutSecrets(story: string, folder: string): Promise<string> {
  const read = (path: string) => readFile(join(folder, path), "utf8").catch(() => "");
  const names = await readdir(join(folder, ".deploy/secrets")).catch((): string[] => []);
  const files = await Promise.all(names.map((name) => read(`.deploy/secrets/${name}`)));
  const environment = await read(".env");
  const journal = await read(".deploy/rotation.json");
  const { before = "", after = "" } =
    journal === "" ? {} : (JSON.parse(journal) as { before?: string; after?: string });
  const values = [environment, before, after].flatMap(dotenvSecrets);
  return createRedactor([...values, ...files.map((text) => text.trim())])(story);
}
