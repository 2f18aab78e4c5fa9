import { rm } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { output } from "../support/command.ts";
import { createStack, platformConfigs, type TestStack } from "../support/stack.ts";

let stack: TestStack;
afterEach(() => stack.dispose());

describe("a deployment that cannot work", () => {
  it("fails with exit 1 and the broken service's status and last lines", async () => {
    stack = await createStack("broken", platformConfigs.localRefusing, "  overlays:\n    always: [broken.yaml]\n");
    await stack.write(
      "broken.yaml",
      'services:\n  store:\n    entrypoint: ["sh", "-c", "echo the disk is on fire; exit 3"]\n',
    );
    const { exitCode, stderr } = await stack.deploy("up", "--yes", "--wait-seconds", "120");
    expect(exitCode).toBe(1);
    expect(stderr).toContain("D070");
    expect(stderr).toContain("store");
    expect(stderr).toContain("the disk is on fire");
    expect(stderr).toContain("exit code 3");
  });

  it("is mended by the next up", async () => {
    stack = await createStack("mended", platformConfigs.localRefusing, "  overlays:\n    always: [broken.yaml]\n");
    await stack.write("broken.yaml", 'services:\n  store:\n    entrypoint: ["sh", "-c", "exit 3"]\n');
    expect((await stack.deploy("up", "--yes")).exitCode).toBe(1);
    await stack.write("broken.yaml", "services: {}\n");
    await stack.deployOk("up", "--yes");
    expect((await fetch(`${stack.url}/health`)).status).toBe(200);
  });

  it("names the owner of a busy port and starts nothing", async () => {
    stack = await createStack("busy", platformConfigs.localRefusing);
    const server = createServer().listen(stack.port, "127.0.0.1");
    const { exitCode, stderr } = await stack.deploy("up", "--yes");
    await new Promise((resolve) => server.close(resolve));
    expect(exitCode).toBe(3);
    expect(stderr).toContain("D047");
    expect(stderr).toContain(`127.0.0.1:${stack.port}`);
    expect(stderr).toContain(`(process ${process.pid})`);
    expect(await stack.containers()).toEqual([]);
  });
});

describe("down", () => {
  it("works after the configuration was deleted, and keeps the data", async () => {
    stack = await createStack("noconf", platformConfigs.localRefusing);
    await stack.deployOk("up", "--yes");
    await Promise.all(["deploy.config.yaml", "config.yaml", ".env"].map((name) => rm(join(stack.folder, name))));
    const { stdout } = await stack.deployOk("down");
    expect(await stack.containers()).toEqual([]);
    expect(
      await output("docker", [
        "network",
        "ls",
        "--filter",
        `label=com.docker.compose.project=${stack.project}`,
        "--quiet",
      ]),
    ).toBe("");
    expect(
      await output("docker", [
        "volume",
        "ls",
        "--filter",
        `label=com.docker.compose.project=${stack.project}`,
        "--quiet",
      ]),
    ).toBe(`${stack.project}_store\n`);
    expect(stdout).toContain(`${stack.project}_store`);
  });

  it("deletes volumes only when that is confirmed, naming them", async () => {
    stack = await createStack("volumes", platformConfigs.localRefusing);
    await stack.deployOk("up", "--yes");
    const { exitCode, stderr } = await stack.deploy("down", "--volumes");
    expect(exitCode).toBe(3);
    expect(stderr).toContain(`${stack.project}_store`);
    expect((await stack.containers()).length).toBe(3);
    await stack.deployOk("down", "--volumes", "--yes");
    expect(
      await output("docker", [
        "volume",
        "ls",
        "--filter",
        `label=com.docker.compose.project=${stack.project}`,
        "--quiet",
      ]),
    ).toBe("");
  });

  it("has nothing to do the second time", async () => {
    stack = await createStack("twice", platformConfigs.localRefusing);
    const { stdout } = await stack.deployOk("down");
    expect(stdout).toContain("nothing of");
  });
});
