import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { output } from "../../support/command.ts";
import { composeProgram } from "../../support/compose-program.ts";
import { repositoryRoot } from "../../support/stack.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The folder of the tool that was built for this run. */
    readonly tool: string;
    /** The program of the real Compose. */
    readonly compose: string;
    /** The folder in which the folders of single tests are made. */
    readonly benches: string;
  }
}

/** Bundles the tool as it is in the working tree into a folder of its own; to be removed by the caller. */
export async function buildTool(): Promise<string> {
  const tool = await mkdtemp(join(tmpdir(), "deploy-tool-"));
  await output(process.execPath, [join(repositoryRoot, "scripts/build.mjs"), join(tool, "dist"), "0.0.1-test"]);
  await writeFile(join(tool, "package.json"), '{"type":"module"}');
  await Promise.all(
    ["compose", "templates", "docs"].map((name) => symlink(join(repositoryRoot, name), join(tool, name))),
  );
  return tool;
}

/** Vitest calls this before the first test of a run; what it returns is called after the last one. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const tool = await buildTool();
  const benches = await mkdtemp(join(tmpdir(), "deploy-cli-"));
  project.provide("tool", tool);
  project.provide("compose", composeProgram());
  project.provide("benches", benches);
  return async () => {
    for (const folder of [tool, benches]) await rm(folder, { recursive: true, force: true });
  };
}
