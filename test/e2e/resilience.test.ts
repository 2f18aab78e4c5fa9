import { spawn } from "node:child_process";
import { stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { command, eventually, output } from "../support/command.ts";
import { createStack, platformConfigs, repositoryRoot, type TestStack } from "../support/stack.ts";

let stack: TestStack;
afterEach(() => stack.dispose());

/** Starts a deploy command that the test will signal; resolves with its exit code and what it printed. */
function start(...args: string[]) {
  const child = spawn(join(repositoryRoot, "deploy"), args, { cwd: stack.folder, env: { ...process.env, CI: "true" } });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
  }
  const ended = new Promise<{ exitCode: number | null; text: string }>((resolve) => {
    child.on("close", (exitCode) => resolve({ exitCode, text }));
  });
  return { child, ended };
}

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

describe("an interrupted up", () => {
  it.each(["SIGINT", "SIGTERM"] as const)(
    "ends with 130 on %s, leaves no lock, and the next up mends it",
    async (signal) => {
      stack = await createStack("interrupted", platformConfigs.localRefusing);
      const { child, ended } = start("up", "--yes");
      await eventually(async () => expect((await stack.containers()).length).toBeGreaterThan(0));
      child.kill(signal);
      const { exitCode, text } = await ended;
      expect(exitCode).toBe(130);
      expect(text).toContain("interrupted");
      expect(await exists(join(stack.folder, ".deploy/lock"))).toBe(false);
      await stack.deployOk("up", "--yes");
      expect((await fetch(`${stack.url}/health`)).status).toBe(200);
    },
  );

  it("that Compose left without one of its networks is on it again after the next up", async () => {
    stack = await createStack("network", platformConfigs.localRefusing);
    await stack.deployOk("up", "--yes");
    // As it is when Compose ends between the making of a container and its connection to the second network.
    await output("docker", ["stop", "--time", "1", `${stack.project}-proxy-1`]);
    await output("docker", ["network", "disconnect", `${stack.project}_front`, `${stack.project}-proxy-1`]);
    await stack.deployOk("up", "--yes");
    expect((await fetch(`${stack.url}/health`)).status).toBe(200);
  });

  it("leaves a lock behind on kill -9, which the next up recognises as dead and takes", async () => {
    stack = await createStack("killed", platformConfigs.localRefusing);
    const { child, ended } = start("up", "--yes");
    await eventually(async () => expect(await exists(join(stack.folder, ".deploy/lock"))).toBe(true));
    child.kill("SIGKILL");
    await ended;
    const { stderr } = await stack.deployOk("up", "--yes");
    expect(stderr).toContain("left over");
    expect((await fetch(`${stack.url}/health`)).status).toBe(200);
  });
});

describe("a second operator", () => {
  it("is turned away with exit 4 and told who holds the lock", async () => {
    stack = await createStack("second", platformConfigs.localRefusing);
    const { ended } = start("up", "--yes");
    await eventually(async () => expect(await exists(join(stack.folder, ".deploy/lock"))).toBe(true));
    const second = await stack.deploy("up", "--yes");
    expect((await ended).exitCode).toBe(0);
    expect(second.exitCode).toBe(4);
    expect(second.stderr).toContain("D063");
    expect(second.stderr).toContain("runs `up`");
  });
});

describe("a gateway that dies", () => {
  it("leaves no sandbox behind once it is back", async () => {
    stack = await createStack("dies", platformConfigs.aio);
    await stack.deployOk("up", "--yes", "--accept", "host-root");
    const run = stack
      .api("/api/run", { language: "bash", code: "sleep 50", timeoutSeconds: 55 })
      .catch(() => undefined);
    const sandboxes = () => stack.containers(`label=sandbox-deploy.project=${stack.project}`);
    await eventually(async () => expect((await sandboxes()).length).toBe(1));
    await output("docker", ["kill", "--signal", "KILL", `${stack.project}-gateway-1`]);
    await run;
    await output("docker", ["start", `${stack.project}-gateway-1`]);
    await eventually(async () => expect(await sandboxes()).toEqual([]));
  });
});

describe("secrets", () => {
  it("are generated once, into files that only the operator can reach, and survive every up", async () => {
    stack = await createStack("secrets", platformConfigs.localRefusing);
    await stack.write(
      ".env",
      `${await stack.read(".env")}# my note\nSTORE_PASSWORD=\nGATEWAY_API_KEY=mine-and-long-enough-to-be-kept\n`,
    );
    await stack.deployOk("up", "--yes");
    const env = await stack.read(".env");
    expect(env).toContain("# my note\n");
    expect(env).toContain("GATEWAY_API_KEY=mine-and-long-enough-to-be-kept\n");
    expect(env).toMatch(/^STORE_PASSWORD=[A-Za-z0-9_-]{32,}$/m);
    expect((await stat(join(stack.folder, ".env"))).mode & 0o777).toBe(0o600);
    expect((await stat(join(stack.folder, ".deploy"))).mode & 0o777).toBe(0o700);
    expect((await stat(join(stack.folder, ".deploy/secrets"))).mode & 0o777).toBe(0o700);
    await stack.deployOk("up", "--yes");
    expect(await stack.read(".env")).toBe(env);
  });

  it("reach the container of the service that reads them when the operator changes one", async () => {
    stack = await createStack("rekey", platformConfigs.localRefusing);
    await stack.deployOk("up", "--yes");
    const env = await stack.read(".env");
    await writeFile(
      join(stack.folder, ".env"),
      env.replace(/^GATEWAY_API_KEY=.*$/m, "GATEWAY_API_KEY=another-key-that-is-long-enough"),
    );
    const before = await output("docker", ["inspect", "--format", "{{.Id}}", `${stack.project}-store-1`]);
    await stack.deployOk("up", "--yes");
    expect((await stack.api("/api/sandbox")).status).toBe(200);
    expect(await output("docker", ["inspect", "--format", "{{.Id}}", `${stack.project}-store-1`])).toBe(before);
  });

  it("are in no container's arguments, labels or environment", async () => {
    stack = await createStack("hidden", platformConfigs.localRefusing);
    await stack.deployOk("up", "--yes");
    const values = [...(await stack.read(".env")).matchAll(/^(?:GATEWAY_API_KEY|STORE_PASSWORD)=(.+)$/gm)].map(
      ([, value = ""]) => value,
    );
    expect(values.length).toBe(2);
    const { stdout } = await command("docker", ["inspect", ...(await stack.containers())]);
    const processes = await Promise.all(
      (await stack.containers()).map((name) => output("docker", ["top", name, "-eo", "pid,args"])),
    );
    for (const value of values) expect(`${stdout}${processes.join("")}`).not.toContain(value);
  });
});
