import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAioProvider } from "../../src/gateway/providers/aio.ts";
import { send } from "../guard/escapes/raw-client.ts";
import { bundleProgram } from "../support/bundled-program.ts";
import { command, eventually, output } from "../support/command.ts";
import { createOwnEngine, type OwnEngine } from "../support/own-engine.ts";
import { repositoryRoot } from "../support/stack.ts";

const box = "sandbox-deploy/test-busybox:1";

describe("an engine of today", () => {
  let engine: OwnEngine;
  let enginePath: string;
  let folder: string;
  let sandbox: string;
  let guard: Awaited<ReturnType<typeof bundleProgram>>;
  const at = (name: string) => join(folder, name);
  const docker = (socketPath: string, ...args: string[]) =>
    command("docker", args, { env: { DOCKER_HOST: `unix://${socketPath}` } });

  beforeAll(async () => {
    const { version } = JSON.parse(await readFile(join(repositoryRoot, "package.json"), "utf8"));
    sandbox = `sandbox-deploy/sandbox:${version}-local`;
    folder = await mkdtemp(join(tmpdir(), "newer-engine-"));
    guard = await bundleProgram("guard", "src/guard/main.ts");
    // Engines 29.0 to 29.6 speak none that is older.
    engine = await createOwnEngine({ newer: true, env: { DOCKER_MIN_API_VERSION: "1.44" } });
    enginePath = engine.host.replace("unix://", "");
    await engine.start();
    await Promise.all([box, sandbox].map((image) => engine.load(image)));
  });
  afterAll(async () => {
    const left = await docker(enginePath, "ps", "--all", "--quiet");
    for (const id of left.stdout.split("\n").filter(Boolean)) await docker(enginePath, "rm", "--force", id);
    await engine.dispose();
    await guard.remove();
    await rm(folder, { recursive: true, force: true });
  });

  /** Runs the guard's program with a policy while something is done through it. */
  async function throughGuard(policy: string, work: (socketPath: string) => Promise<void>): Promise<void> {
    await writeFile(at("policy.yaml"), `network: none\n${policy}`);
    const paths = ["--policy", at("policy.yaml"), "--audit", at("audit.jsonl"), "--upstream", engine.host];
    const served = guard.run(["serve", "--listen", `unix:${at("guard.sock")}`, ...paths]);
    try {
      await eventually(async () => expect((await docker(at("guard.sock"), "version")).exitCode).toBe(0));
      await work(at("guard.sock"));
    } finally {
      served.child.kill("SIGTERM");
      await served.exitCode;
    }
  }

  it("that no longer speaks the oldest versions of its API runs code, with a guard and without", async () => {
    expect((await send(enginePath, { method: "GET", target: "/v1.41/version" })).body).toContain("is too old");
    const limits = { memoryBytes: 128 * 1024 * 1024, cpus: 1, pids: 64 };
    const run = (socketPath: string) =>
      createAioProvider({
        address: { kind: "unix", socketPath },
        container: { project: "newer", image: sandbox, network: "none", ...limits },
        outputBytesMax: 10_000,
        onLeftover: (container, reason) => expect.fail(`${container} was left: ${reason}`),
      }).run(
        { id: randomBytes(8).toString("hex"), language: "python", code: "print(6*7)", timeoutSeconds: 20 },
        new AbortController().signal,
      );
    expect(await run(enginePath)).toMatchObject({ stdout: "42\n", exitCode: 0 });
    const labels = "labels: ['sandbox-deploy\\.[a-z]+']\n";
    await throughGuard(
      `owner: newer\nimages: ['${sandbox}']\nnames: 'newer-sandbox-[0-9a-f]+'\n${labels}`,
      async (path) => {
        expect(await run(path)).toMatchObject({ stdout: "42\n", exitCode: 0 });
      },
    );
    expect((await docker(enginePath, "ps", "--all", "--quiet")).stdout).toBe("");
  });

  it("mounts for a directory the part of a volume, which it looks for itself without leaving the volume", async () => {
    await output("docker", ["volume", "create", "threads"], { env: { DOCKER_HOST: engine.host } });
    const place = ["volume", "inspect", "--format", "{{.Mountpoint}}", "threads"];
    const root = (await docker(enginePath, ...place)).stdout.trim();
    await mkdir(join(root, "t1"));
    await writeFile(join(root, "t1/note"), "of the thread\n");
    await symlink("/", join(root, "t2"));
    const binds = `binds:\n  root: ${root}\n  volume: threads\n  allowed: [{ source: 't[0-9]', target: '/mnt' }]\n`;
    const rules = `operations: { attach: true }\n${binds}`;
    await throughGuard(`owner: parts\nimages: ['${box}']\nnames: 'box-[a-z]'\n${rules}`, async (path) => {
      const create = (name: string, thread: string) =>
        docker(path, "create", "--name", name, "--volume", `${join(root, thread)}:/mnt`, box, "cat", "/mnt/note");
      expect((await create("box-b", "t2")).stderr).toContain("bind.outside-root");
      expect(await create("box-a", "t1")).toMatchObject({ exitCode: 0 });
      expect(await docker(path, "start", "--attach", "box-a")).toMatchObject({
        stdout: "of the thread\n",
        exitCode: 0,
      });
      const mounts = ["inspect", "--format", "{{json .HostConfig.Mounts}}", "box-a"];
      expect(JSON.parse((await docker(enginePath, ...mounts)).stdout)).toEqual([
        { Type: "volume", Source: "threads", Target: "/mnt", VolumeOptions: { NoCopy: true, Subpath: "t1" } },
      ]);
      // The guard's look is over, and a link to the host's own files is where the directory was.
      await rm(join(root, "t1"), { recursive: true });
      await writeFile(at("note"), "of the host\n");
      await symlink(folder, join(root, "t1"));
      const late = await docker(enginePath, "start", "--attach", "box-a");
      expect(late.exitCode).not.toBe(0);
      expect(late.stdout).not.toContain("of the host");
    });
  });
});
