import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ProviderError } from "../../src/gateway/provider.ts";
import { type AioOptions, createAioProvider } from "../../src/gateway/providers/aio.ts";
import type { RunRequest } from "../../src/gateway/run.ts";
import { decide } from "../../src/guard/decision/decide.ts";
import { judgeAgain } from "../../src/guard/decision/judge-again.ts";
import { readPolicy } from "../../src/guard/policy/policy.ts";
import { startGuard } from "../../src/guard/serve/start.ts";
import { enginePath, type GuardedWorld, makeGuardedWorld } from "../guard/escapes/guarded-world.ts";
import { containerIds } from "../guard/escapes/observe.ts";
import type { World } from "../guard/escapes/world.ts";
import { command, eventually, output } from "../support/command.ts";
import { repositoryRoot } from "../support/stack.ts";

/** Engine 20.10 says it twice of an image that it does not have, later ones once. */
function linesOf(text: string): string[] {
  return text.replace(/no such image: \S+: (?=No such image)/g, "").split("\n");
}

const clients = join(import.meta.dirname, "../guard/clients");

let guarded: GuardedWorld;
let world: World;

beforeAll(async () => {
  guarded = await makeGuardedWorld();
  world = guarded.world;
});

afterAll(() => guarded?.dispose());

describe("a program of its own", () => {
  test.each([
    ["dockerode", process.execPath, "dockerode.mjs"],
    // The system's Python has the package.
    ["docker-py", "/usr/bin/python3", "docker-py.py"],
  ])("that uses %s sees no difference between guard and engine", async (_name, program, file) => {
    const args = [join(clients, file), world.image.reference, world.names.escape, world.network.name];
    const before = await containerIds(world);
    const run = (socketPath: string) => command(program, args, { env: { DOCKER_HOST: `unix://${socketPath}` } });
    // The engine answers that a container has ended before it has removed one that removes itself.
    const nothingLeft = () => eventually(async () => expect(await containerIds(world)).toEqual(before));
    const plain = await run(enginePath);
    await nothingLeft();
    const through = await run(guarded.socketOf("wide"));
    expect(plain).toMatchObject({ exitCode: 0, stderr: "" });
    expect(linesOf(through.stdout)).toEqual(linesOf(plain.stdout));
    expect(through).toMatchObject({ exitCode: 0, stderr: "" });
    await nothingLeft();
  });
});

describe("the gateway's own client", () => {
  const project = () => `escape-${world.run}`;
  let image = "";
  let guardPath = "";
  let stop: (() => Promise<void>) | undefined;

  beforeAll(async () => {
    const [{ version }] = [JSON.parse(await readFile(join(repositoryRoot, "package.json"), "utf8"))];
    image = `sandbox-deploy/sandbox:${version}-local`;
    const text = await readFile(join(repositoryRoot, "templates/guard/default.yaml"), "utf8");
    const reading = readPolicy(text, { owner: project(), images: [image] });
    if (!reading.ok) throw new Error(JSON.stringify(reading.findings));
    guardPath = join(world.root, "../gateway.sock");
    const guard = await startGuard({
      ...{ policy: reading.policy, policyHash: reading.hash, decide, judge: judgeAgain },
      ...{ listenPath: guardPath, upstreamPath: enginePath, audit: () => undefined, statusPath: undefined },
      complain: (complaint) => void guarded.complaints.push(complaint),
    });
    stop = guard.stop;
  });

  afterAll(() => stop?.());

  function provider(socketPath: string, parts: Partial<AioOptions["container"]> = {}) {
    const limits = { memoryBytes: 128 * 1024 * 1024, cpus: 1, pids: 64 };
    return createAioProvider({
      address: { kind: "unix", socketPath },
      container: { project: project(), image, network: "none", ...limits, ...parts },
      outputBytesMax: 10_000,
      onLeftover: (container, reason) => void guarded.complaints.push(`${container} was left: ${reason}`),
    });
  }

  const request = (code: string, timeoutSeconds = 20): RunRequest => ({
    ...{ id: randomBytes(8).toString("hex"), language: "bash", code, timeoutSeconds },
  });

  test.each([
    ["output and exit code", "echo out; echo err >&2; exit 7", 20],
    [
      "who it is and what it may",
      "id -u; touch /x; echo $?; cat /proc/self/status | grep -E '^(CapEff|NoNewPrivs|Seccomp):'",
      20,
    ],
    ["more output than is kept", "yes | head -c 50000", 20],
    ["a run that takes too long", "sleep 60", 1],
    ["a run that takes too much memory", "tail /dev/zero", 20],
  ])("runs code with the same outcome with a guard and without: %s", async (_what, code, timeoutSeconds) => {
    const [plain, through] = await Promise.all(
      [enginePath, guardPath].map(async (socketPath) => {
        const { ranIn: _, ...outcome } = await provider(socketPath).run(
          request(code, timeoutSeconds),
          new AbortController().signal,
        );
        return outcome;
      }),
    );
    expect(through).toEqual(plain);
    expect(await output("docker", ["ps", "-aq", "--filter", `name=^${project()}-sandbox-`])).toBe("");
  });

  test("says that it can run, and when it cannot, why", async () => {
    expect(await provider(guardPath).readiness()).toEqual({ canRun: true });
    const missing = await provider(guardPath, { image: world.foreignImage.reference }).readiness();
    expect(missing).toMatchObject({ canRun: false, reason: expect.stringContaining("is not on this Docker engine") });
  });

  test.each([
    ["another network", { network: "bridge-of-others" }, "host-config.network-mode"],
    ["another image", { image: "sandbox-deploy/test-busybox:1" }, "image.not-allowed"],
    ["another project", { project: "somebody" }, "name.not-allowed"],
  ])("is told the rule when it asks for %s", async (_what, parts, rule) => {
    const running = provider(guardPath, parts).run(request("true"), new AbortController().signal);
    await expect(running).rejects.toThrow(ProviderError);
    await expect(running).rejects.toThrow(`(rule ${rule})`);
  });

  test("sweeps up its own sandboxes and sees no others", async () => {
    expect(await provider(guardPath).sweep()).toEqual({ removed: [], failed: [] });
    expect(guarded.complaints).toEqual([]);
  });
});
