import { describe, expect, test } from "vitest";
import { useWorkbench } from "./support/use-workbench.ts";

const workbench = useWorkbench();

const configuration = (accept: string) => `version: 1
project: scripted
compose: { base: app.yaml, proxy: app }
platform: { service: app }
sandbox: { mode: local }
${accept}`;
const base = `services:
  app: { image: demo:1, build: { context: . } }
  extra: { image: org/extra, build: { context: ., privileged: true } }
  nameless: { build: { context: . } }
  cache: { image: cache:1 }
`;
const accepted = "accept:\n  - { privilege: host-root, reason: a machine of its own }\n";

async function run(accept: string, ...args: string[]) {
  await workbench().write("deploy.config.yaml", configuration(accept));
  await workbench().write("app.yaml", base);
  const ended = await workbench().deploy(...args);
  const changes = (await workbench().changes()).map((argv) => argv.slice(argv.lastIndexOf("<here>/app.yaml") + 1));
  return { ...ended, changes };
}

describe("build", () => {
  test("builds what can be built once its privileges are accepted", async () => {
    const { exitCode, changes } = await run(accepted, "build");
    expect({ exitCode, changes }).toEqual({
      exitCode: 0,
      changes: [["--profile", "build", "build", "app", "extra", "nameless"]],
    });
  });

  test("asks only about what it was asked to build", async () => {
    expect((await run("", "build", "app")).changes).toEqual([["--profile", "build", "build", "app"]]);
    const refusal = await run("", "build", "extra");
    expect(refusal.exitCode).toBe(3);
    expect(refusal.stderr).toContain("D060");
  });

  test("--images local builds what an overlay brings as usual, and never makes everything for want of a name", async () => {
    expect((await run(accepted, "build", "--images", "local")).changes).toEqual([
      ["--profile", "build", "build", "app", "extra", "nameless"],
    ]);
  });

  test("has nothing to do for what is only pulled", async () => {
    const { stdout, changes } = await run("", "build", "cache");
    expect([stdout, changes]).toEqual(["nothing to build\n", []]);
  });
});

test("pull pulls what nobody here builds, and asks nothing", async () => {
  expect((await run("", "pull")).changes).toEqual([["pull", "--ignore-buildable", "--policy", "always", "cache"]]);
});
