import { readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { useWorkbench } from "./support/use-workbench.ts";

const bench = useWorkbench({ ownTool: true });

async function caches(): Promise<string[]> {
  const dist = join(bench().tool, "dist");
  return (await readdir(dist)).filter((name) => name.includes(".cache")).map((name) => join(dist, name));
}

test("the first plan that ends well keeps the compiled program, later ones leave it, and a damaged one is replaced", async () => {
  expect((await bench().deploy("plan", "--no-such-flag")).exitCode).toBe(2);
  expect(await caches()).toEqual([]);

  const first = await bench().deploy("plan");
  expect(first.exitCode).toBe(0);
  const [cache = "", ...more] = await caches();
  expect([cache, more]).toEqual([expect.stringMatching(/program-[0-9a-f]{12}\.cjs\.v\d+.*\.cache$/), []]);
  const kept = await stat(cache);

  expect(await bench().deploy("plan")).toEqual(first);
  expect((await stat(cache)).ino).toBe(kept.ino);

  await writeFile(cache, "not what V8 wrote");
  expect(await bench().deploy("plan")).toEqual(first);
  expect((await stat(cache)).size).toBeGreaterThan(100_000);
});
