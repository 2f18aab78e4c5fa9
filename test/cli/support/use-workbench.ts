import { rm } from "node:fs/promises";
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject } from "vitest";
import { buildTool } from "./tool-build.ts";
import { createWorkbench, type Workbench } from "./workbench.ts";

/** Gives every test a folder of its own. The tool is the one of the whole run, or a new one where a test changes it. */
export function useWorkbench(options: { readonly ownTool?: boolean } = {}): () => Workbench {
  let tool = inject("tool");
  let bench: Workbench | undefined;
  if (options.ownTool) {
    beforeAll(async () => {
      tool = await buildTool();
    });
    afterAll(() => rm(tool, { recursive: true, force: true }));
  }
  beforeEach(async () => {
    bench = await createWorkbench(tool, inject("benches"), inject("compose"));
  });
  afterEach(async () => {
    // Only once: a test that is skipped has none of its own, and the place of the last one may be somebody else's by now.
    const used = bench;
    bench = undefined;
    await used?.dispose();
  });
  return () => {
    if (!bench) throw new Error("the workbench is there only inside a test");
    return bench;
  };
}

/** Runs a command that has to stop with this exit code, nothing on stdout and nothing changed; returns what it says. */
export async function refused(bench: Workbench, exitCode: number, ...args: string[]): Promise<string> {
  const ended = await bench.deploy(...args);
  expect(`exit ${ended.exitCode}\n${ended.stderr}`).toMatch(new RegExp(`^exit ${exitCode}\n`));
  expect(ended.stdout).toBe("");
  expect(await bench.changes()).toEqual([]);
  return ended.stderr;
}
