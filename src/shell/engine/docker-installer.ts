import { joinPath, relativePath } from "../../core/stack/stack.ts";
import { copiedWord } from "../../core/text/copied-word.ts";
import type { World } from "../../world.ts";
import { eachLine } from "../processes/child-output.ts";

/** What it takes to start scripts/install-docker.sh. */
export type InstallerWorld = Pick<World, "run" | "env" | "signal" | "cwd" | "toolRoot">;

/** What scripts/install-docker.sh says of this machine, in its own words. */
export type InstallerAnswer =
  /** It would install what is missing, in this way. */
  | { readonly kind: "plan"; readonly text: string }
  /** Another kind of machine: how Docker is installed there. */
  | { readonly kind: "elsewhere"; readonly text: string }
  /** It could not even look. */
  | { readonly kind: "failed"; readonly text: string };

/** The exit code by which the script says that a machine is none of those that it knows. */
const elsewhere = 4;

/** The script as a person in the current folder types it. */
export function installerPath(world: InstallerWorld): string {
  return copiedWord(relativePath(world.cwd, joinPath(world.toolRoot, "scripts/install-docker.sh")));
}

/** Asks the script what it would do; changes nothing. Takes some seconds where Docker's own repository has to be looked for. */
export async function askInstaller(world: InstallerWorld): Promise<InstallerAnswer> {
  const { exitCode, stderr } = await runInstaller(world, ["--dry-run"], () => undefined);
  const text = stderr.trimEnd().replaceAll(/^install-docker: /gm, "");
  if (exitCode === 0) return { kind: "plan", text };
  return { kind: exitCode === elsewhere ? "elsewhere" : "failed", text };
}

/** Installs what is missing and starts the daemon. Returns undefined, or the end of what was said where that failed. */
export async function runInstall(world: InstallerWorld, progress: (line: string) => void): Promise<string | undefined> {
  const { exitCode, stderr } = await runInstaller(world, ["--yes"], progress);
  return exitCode === 0 ? undefined : stderr.trim().split("\n").slice(-15).join("\n");
}

async function runInstaller(world: InstallerWorld, args: readonly string[], progress: (line: string) => void) {
  const program = joinPath(world.toolRoot, "scripts/install-docker.sh");
  const result = await world.run({ program, args, env: world.env }, { onOutput: eachLine(progress) });
  world.signal.throwIfAborted();
  return result;
}
