import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, readlinkSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** An answer of the real `docker compose config`. */
export interface MergeAnswer {
  readonly exitCode: number;
  readonly outPath: string;
  readonly stderr: string;
}

/**
 * What decides an answer of `docker compose config`, as a name for it: the command, its folder and variables, and every
 * file below these folders. It would miss a file elsewhere that Compose files name.
 */
export function mergeKey(call: readonly string[], folders: readonly string[]): string {
  const hash = createHash("sha256").update(JSON.stringify(call));
  for (const folder of folders) {
    for (const [path, content] of contentsOf(folder)) hash.update(`\0${path}\0`).update(content);
  }
  return hash.digest("hex");
}

// What the tool itself keeps is no input of Compose, and different each time.
function contentsOf(folder: string): [string, string | Buffer][] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.name !== ".deploy")
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry): [string, string | Buffer][] => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return [[path, "folder"], ...contentsOf(path)];
      if (entry.isSymbolicLink()) return [[path, readlinkSync(path)]];
      return [[path, entry.isFile() ? readFileSync(path) : "special"]];
    });
}

/** The answer that was kept under this name, if there is one. */
export function keptAnswer(folder: string, key: string): MergeAnswer | undefined {
  const path = join(folder, key);
  if (!existsSync(`${path}.code`)) return undefined;
  const exitCode = Number(readFileSync(`${path}.code`, "utf8"));
  return { exitCode, outPath: `${path}.out`, stderr: readFileSync(`${path}.err`, "utf8") };
}

/** Keeps an answer whose output is in files that begin with this path; the code comes last and makes it count. */
export function keepAnswer(folder: string, key: string, draft: string, exitCode: number): MergeAnswer {
  const path = join(folder, key);
  for (const end of [".out", ".err"]) renameSync(`${draft}${end}`, `${path}${end}`);
  writeFileSync(`${path}.draft`, String(exitCode));
  renameSync(`${path}.draft`, `${path}.code`);
  rmSync(`${path}.draft`, { force: true });
  return { exitCode, outPath: `${path}.out`, stderr: readFileSync(`${path}.err`, "utf8") };
}
