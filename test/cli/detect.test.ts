import { rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { refused, useWorkbench } from "./support/use-workbench.ts";

const workbench = useWorkbench();

const provisioner = `sandbox:
  use: deerflow.community.aio_sandbox:AioSandboxProvider
  provisioner_url: http://provisioner:8002
  provisioner_api_key: $PROVISIONER_API_KEY
`;

describe("detect --json", () => {
  it("is one versioned document with mode and because for any file, where there is no Docker", async () => {
    await workbench().write("other.yaml", "sandbox:\n  use: deerflow.community.aio_sandbox:AioSandboxProvider\n");
    const { exitCode, stdout } = await workbench().deployWith({ PATH: "/nowhere" }, "detect", "other.yaml", "--json");
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      version: 1,
      mode: "aio",
      because: expect.objectContaining({ file: "other.yaml", line: 2, key: "sandbox.use" }),
    });
  });

  it("of a file that the platform would refuse to load has the findings and exit code 2, and no mode", async () => {
    await workbench().write("other.yaml", "sandbox:\n  use: $NOT_SET\n");
    const { exitCode, stdout } = await workbench().deploy("detect", "other.yaml", "--env-file", ".env", "--json");
    const document = JSON.parse(stdout);
    expect([exitCode, document["mode"]]).toEqual([2, undefined]);
    expect(document).toMatchObject({
      version: 1,
      exitCode: 2,
      findings: [{ code: "D021", severity: "error", fix: expect.any(String), at: { file: "other.yaml", line: 2 } }],
    });
  });
});

describe("detect before the first up", () => {
  it("reads the template that plan reads, and says so", async () => {
    await rm(join(workbench().folder, "config.yaml"));
    const { exitCode, stdout, stderr } = await workbench().deploy("detect");
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^mode {6}local\nbecause {3}config\.yaml:\d+ sandbox\.use/);
    expect(stderr).toBe("there is no config.yaml yet: this is the template that the first up copies there\n");
    const plan = await workbench().deploy("plan");
    expect(plan.stdout.split("\n").slice(0, 2)).toEqual(stdout.trimEnd().split("\n"));
  });

  it("stops at a link that leads nowhere, as plan does", async () => {
    await rm(join(workbench().folder, "config.yaml"));
    await symlink("/nowhere/config.yaml", join(workbench().folder, "config.yaml"));
    expect(await refused(workbench(), 2, "detect")).toContain("error D014 config.yaml is a symbolic link to /nowhere");
  });

  it("has no template for a stack that is not the default one", async () => {
    await rm(join(workbench().folder, "config.yaml"));
    await workbench().write("deploy.config.yaml", "version: 1\ncompose: { base: compose.yaml }\n");
    expect(await refused(workbench(), 2, "detect")).toContain("error D014 there is no file config.yaml");
  });

  it("takes a secret that up will generate in that mode for set, whether the file is named or not", async () => {
    await workbench().write("config.yaml", provisioner);
    for (const line of [["detect"], ["detect", "config.yaml"]]) {
      const { exitCode, stdout } = await workbench().deploy(...line, "--env-file", ".env", "--json");
      expect([exitCode, JSON.parse(stdout)["mode"]]).toEqual([0, "provisioner"]);
    }
    expect(await workbench().calls()).toEqual([]);
  });

  it("does not take what no mode's Compose files generate for set", async () => {
    await workbench().write("config.yaml", provisioner.replace("$PROVISIONER_API_KEY", "$OTHER_KEY"));
    expect(await refused(workbench(), 2, "detect", "--env-file", ".env")).toMatch(/error D021 .*OTHER_KEY/);
  });

  it("does not take what only another mode generates for set: up would refuse it as well", async () => {
    await workbench().write("config.yaml", provisioner.replace(/.*provisioner_url.*\n/, ""));
    expect(await refused(workbench(), 2, "detect", "--env-file", ".env")).toContain("error D021");
    expect(await refused(workbench(), 2, "plan")).toContain("error D021");
  });
});
