import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "./model.ts";

const run = (...args: string[]) =>
  spawnSync(join(root, "scripts/build-images.sh"), args, {
    encoding: "utf8",
    env: { PATH: process.env["PATH"] ?? "" },
  });

test("build-images --help explains itself on standard output and does nothing", () => {
  const { status, stdout, stderr } = run("--help");
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  for (const word of ["usage:", "--fresh", "gateway", "proxy", "store", "sandbox", "DEBIAN_MIRROR"]) {
    expect(stdout).toContain(word);
  }
});

test("build-images refuses an image that it does not know, by name, before it does anything", () => {
  const { status, stdout, stderr } = run("store", "guardian");
  expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
  expect(stderr).toContain("unknown argument: guardian");
});
