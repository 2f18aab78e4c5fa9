import { spawn } from "node:child_process";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { command, type Ended, eventually, output } from "../support/command.ts";
import { createStack, hasten, platformConfigs, repositoryRoot, type TestStack } from "../support/stack.ts";

/** One stack, from its first up, which is stopped again and again, to the last. */
let stack: TestStack;
beforeAll(async () => {
  stack = await createStack("resilience", platformConfigs.localRefusing);
  await hasten(stack);
  await stack.write(
    ".env",
    `${await stack.read(".env")}# my note\nSTORE_PASSWORD=\nGATEWAY_API_KEY=mine-and-long-enough-to-be-kept\n`,
  );
});
afterAll(() => stack.dispose());

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

const isLocked = () =>
  stat(join(stack.folder, ".deploy/lock")).then(
    () => true,
    () => false,
  );
const locked = () => eventually(async () => expect(await isLocked()).toBe(true));
const idOf = (service: string) => output("docker", ["inspect", "--format", "{{.Id}}", `${stack.project}-${service}-1`]);

describe("an up that is stopped", () => {
  it("by SIGINT, while containers already come, ends with 130 and leaves no lock", async () => {
    const { child, ended } = start("up", "--yes");
    await eventually(async () => expect((await stack.containers()).length).toBeGreaterThan(0));
    child.kill("SIGINT");
    const { exitCode, text } = await ended;
    expect(exitCode).toBe(130);
    expect(text).toContain("interrupted");
    expect(await isLocked()).toBe(false);
  });

  it("by SIGTERM does the same on top of what the one before it left", async () => {
    const { child, ended } = start("up", "--yes");
    await locked();
    child.kill("SIGTERM");
    expect((await ended).exitCode).toBe(130);
    expect(await isLocked()).toBe(false);
  });

  it("by kill -9 leaves a lock, which the next up recognises as dead and takes: it mends what all of them left", async () => {
    const { child, ended } = start("up", "--yes");
    await locked();
    child.kill("SIGKILL");
    await ended;
    const { text, exitCode, second } = await upBesideAnother();
    expect(text).toContain("left over");
    expect(exitCode).toBe(0);
    expect((await fetch(`${stack.url}/health`)).status).toBe(200);
    // Who comes meanwhile is turned away.
    expect(second.exitCode).toBe(4);
    expect(second.stderr).toContain("D063");
    expect(second.stderr).toContain("runs `up`");
  });

  it("by Compose itself, between two networks of a container, is whole again after the next up", async () => {
    const proxy = `${stack.project}-proxy-1`;
    await output("docker", ["stop", "--time", "1", proxy]);
    await output("docker", ["network", "disconnect", `${stack.project}_front`, proxy]);
    await stack.deployOk("up", "--yes");
    expect((await fetch(`${stack.url}/health`)).status).toBe(200);
  });
});

/** An up to its end, and what a second operator is told who comes as soon as it has taken the lock from a dead one. */
async function upBesideAnother(): Promise<{ exitCode: number | null; text: string; second: Ended }> {
  const dead = await stack.read(".deploy/lock");
  const { ended } = start("up", "--yes");
  await eventually(async () => expect(await stack.read(".deploy/lock")).not.toBe(dead));
  const second = await stack.deploy("up", "--yes");
  return { ...(await ended), second };
}

describe("secrets", () => {
  it("are generated once, into files that only the operator can reach, whatever stops an up, and survive every one", async () => {
    const env = await stack.read(".env");
    expect(env).toContain("# my note\n");
    expect(env).toContain("GATEWAY_API_KEY=mine-and-long-enough-to-be-kept\n");
    expect(env).toMatch(/^STORE_PASSWORD=[A-Za-z0-9_-]{32,}$/m);
    for (const [path, mode] of [
      [".env", 0o600],
      [".deploy", 0o700],
      [".deploy/secrets", 0o700],
    ] as const)
      expect([path, (await stat(join(stack.folder, path))).mode & 0o777]).toEqual([path, mode]);
    await stack.deployOk("up", "--yes");
    expect(await stack.read(".env")).toBe(env);
  });

  it("are in no container's arguments, labels or environment", async () => {
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

  it("reach the container of the service that reads them when the operator changes one, and no other", async () => {
    const env = await stack.read(".env");
    await stack.write(".env", env.replace(/^GATEWAY_API_KEY=.*$/m, "GATEWAY_API_KEY=another-key-that-is-long-enough"));
    const before = await idOf("store");
    await stack.deployOk("up", "--yes");
    expect((await stack.api("/api/sandbox")).status).toBe(200);
    expect(await idOf("store")).toBe(before);
  });
});
