import { chmod, mkdir, readdir, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { expect, it } from "vitest";
import { useWorkbench } from "./support/use-workbench.ts";

const workbench = useWorkbench();

it("setup ends and writes with a docker that hangs: it says so, and there is no plan", async () => {
  const bin = join(workbench().folder, "bin");
  await mkdir(bin);
  await writeFile(join(bin, "docker"), "#!/bin/sh\nexec sleep 3600\n");
  await chmod(join(bin, "docker"), 0o755);
  const PATH = [bin, workbench().environment["PATH"]].join(delimiter);
  const { exitCode, stdout, stderr } = await workbench().deployWith({ PATH }, "setup", "--yes", "--memory", "2g");
  expect(exitCode).toBe(0);
  expect(stderr).toMatch(/D041 the Docker daemon did not answer within \d+ seconds, so there is no plan/);
  expect(stdout).toContain("written   .env\n");
  // The draft of the environment, which holds secrets, is gone.
  expect(await readdir(join(workbench().folder, ".deploy"))).toEqual(["audit.jsonl"]);
});
