import type { EnvInGit } from "../../core/env/env-protection.ts";
import { folderOf, joinPath } from "../../core/stack/stack.ts";
import type { RunResult, World } from "../../world.ts";

/** A long history takes git long; a warning is not worth the wait. */
const patienceMilliseconds = 2_000;

/** What git knows of a file. Without a repository, without git, or where git does not answer soon, that is nothing. */
export async function readGit(world: World, path: string): Promise<EnvInGit> {
  const folder = folderOf(path);
  if (!(await inRepository(world, folder))) return { tracked: false, commit: undefined };
  const signal = AbortSignal.timeout(patienceMilliseconds);
  const name = path.slice(folder.length).replace(/^\//, "");
  const ask = (...args: string[]): Promise<RunResult> =>
    world.run({ program: "git", args: ["--no-optional-locks", ...args], env: world.env, cwd: folder }, { signal });
  const [tracked, history] = await Promise.all([
    ask("-c", "core.fsmonitor=false", "ls-files", "--error-unmatch", "--", name),
    ask("rev-list", "--all", "--max-count=1", "--abbrev-commit", "--", name),
  ]);
  const commit = history.exitCode === 0 ? history.stdout.trim() : "";
  return { tracked: tracked.exitCode === 0, commit: commit === "" ? undefined : commit };
}

async function inRepository(world: World, folder: string): Promise<boolean> {
  for (let at = folder; ; at = folderOf(at)) {
    if (await world.files.stat(joinPath(at, ".git"))) return true;
    if (at === "/") return false;
  }
}
