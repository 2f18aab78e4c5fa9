import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createAioProvider } from "../../src/gateway/providers/aio.ts";
import type { RunRequest } from "../../src/gateway/run.ts";
import { eventually } from "../support/command.ts";
import { type FakeDocker, logFrame, startFakeDocker } from "./support/fake-docker.ts";

const run: RunRequest = { id: "0123456789abcdef", language: "bash", code: "echo hi", timeoutSeconds: 5 };
const name = "agents-sandbox-0123456789abcdef";
const ownLabels = { "sandbox-deploy.project": "agents", "sandbox-deploy.role": "sandbox" };
const never = new AbortController().signal;

let docker: FakeDocker;
let leftovers: string[];

beforeEach(async () => {
  docker = await startFakeDocker();
  leftovers = [];
});
afterEach(() => docker.close());

function provider(outputBytesMax = 1000) {
  return createAioProvider({
    address: docker.address,
    container: { project: "agents", image: "sandbox:1", memoryBytes: 64e6, cpus: 0.5, pids: 32, network: "none" },
    outputBytesMax,
    onLeftover: (container) => leftovers.push(container),
  });
}

describe("the aio provider", () => {
  it("gives the program's output, exit code and the container it ran in", async () => {
    docker.behaviour.frames = [logFrame(1, "out"), logFrame(2, "err"), logFrame(1, " more")];
    docker.behaviour.exitCode = 3;
    const outcome = await provider().run(run, never);
    expect(outcome).toMatchObject({
      stdout: "out more",
      stderr: "err",
      exitCode: 3,
      timedOut: false,
      truncated: false,
    });
    expect(outcome.ranIn).toMatchObject({ mode: "aio", container: name, image: "sandbox:1" });
  });

  it.each([
    ["20.10, which knows no newer one", [12, 41], "1.41"],
    ["29.0, which no longer knows the old ones", [44, 52], "1.51"],
    ["28", [24, 51], "1.51"],
  ] as const)("asks in the newest version of the API that both know: engine %s", async (_engine, speaks, version) => {
    docker.behaviour.speaks = speaks;
    await provider().run(run, never);
    expect([...docker.versions]).toEqual([version]);
  });

  it("agrees on a version anew once the engine is another one", async () => {
    const aio = provider();
    await aio.run(run, never);
    docker.behaviour.speaks = [44, 52];
    await expect(aio.run(run, never)).rejects.toThrow("client version 1.41 is too old");
    expect(await aio.run(run, never)).toMatchObject({ exitCode: 0 });
  });

  it("asks for a container without privileges, with limits, that ends by itself", async () => {
    docker.behaviour.failures = { "DELETE /containers/*": { status: 500, message: "kept for the test" } };
    await provider().run(run, never);
    const [container] = docker.containers.values();
    expect(container?.name).toBe(name);
    expect(container?.spec).toEqual({
      Image: "sandbox:1",
      Cmd: ["timeout", "-s", "KILL", "5", "bash", "-c", "echo hi"],
      User: "65534:65534",
      WorkingDir: "/tmp",
      Env: ["HOME=/tmp", "LANG=C.UTF-8"],
      Labels: {
        ...ownLabels,
        "sandbox-deploy.run": run.id,
        "sandbox-deploy.deadline": expect.stringMatching(/^\d{10}$/),
      },
      HostConfig: {
        Memory: 64e6,
        MemorySwap: 64e6,
        NanoCpus: 5e8,
        PidsLimit: 32,
        NetworkMode: "none",
        ReadonlyRootfs: true,
        Tmpfs: { "/tmp": expect.stringContaining("size=64m") },
        CapDrop: ["ALL"],
        SecurityOpt: ["no-new-privileges"],
        LogConfig: { Type: "json-file", Config: { "max-size": "1m", "max-file": "2" } },
      },
    });
    expect(leftovers).toEqual([name]);
  });

  it.each([
    ["the program ends", {}],
    ["the engine cannot start it", { "POST /containers/*/start": { status: 500, message: "no cgroups left" } }],
    ["the engine hangs up while starting it", { "POST /containers/*/start": "hang up" }],
    ["waiting for it fails", { "POST /containers/*/wait": { status: 500, message: "lost" } }],
    ["the engine hangs up while waiting", { "POST /containers/*/wait": "hang up" }],
    ["its output cannot be read", { "GET /containers/*/logs": { status: 500, message: "no log" } }],
    ["the engine hangs up while sending output", { "GET /containers/*/logs": "hang up" }],
    ["it cannot be inspected", { "GET /containers/*/json": "hang up" }],
  ] as const)("removes the container when %s", async (_when, failures) => {
    docker.behaviour.failures = failures;
    await provider()
      .run(run, never)
      .catch(() => undefined);
    expect(docker.containers.size).toBe(0);
    expect(docker.calls.at(-1)).toBe("DELETE /containers/*");
    expect(leftovers).toEqual([]);
  });

  it("removes a container whose creation was never confirmed", async () => {
    docker.behaviour.failures = { "POST /containers/create": "hang up" };
    docker.add(name, ownLabels);
    await expect(provider().run(run, never)).rejects.toMatchObject({ status: 503 });
    expect(docker.containers.size).toBe(0);
  });

  it("ends a run and removes its container when the gateway stops", async () => {
    docker.behaviour.endsByItself = false;
    const stopping = new AbortController();
    const running = provider().run(run, stopping.signal);
    const failed = expect(running).rejects.toMatchObject({ status: 503, message: expect.stringContaining("stopping") });
    await eventually(() => expect(docker.calls).toContain("POST /containers/*/wait"));
    stopping.abort();
    await failed;
    expect(docker.containers.size).toBe(0);
  });

  it.each([
    ["timed out", 5.1, false, { timedOut: true, outOfMemory: false }],
    ["ran out of memory", 5.1, true, { timedOut: false, outOfMemory: true }],
    ["was killed by its own doing", 0.2, false, { timedOut: false, outOfMemory: false }],
  ])("tells exit code 137 apart: the program %s", async (_what, ranSeconds, oomKilled, expected) => {
    Object.assign(docker.behaviour, { exitCode: 137, ranSeconds, oomKilled });
    expect(await provider().run(run, never)).toMatchObject({ exitCode: 137, ...expected });
  });

  it("cuts output at the limit, per stream, and says so", async () => {
    docker.behaviour.frames = [logFrame(1, "x".repeat(5000)), logFrame(2, "short")];
    const outcome = await provider(100).run(run, never);
    expect(outcome).toMatchObject({ stdout: "x".repeat(100), stderr: "short", truncated: true });
  });

  it.each([
    ["a frame was cut off", [logFrame(1, "abc").subarray(0, 9)], "a"],
    ["the engine's log reader failed", [logFrame(1, "abc"), logFrame(3, "Error grabbing logs")], "abc"],
  ])("says that output is missing when %s", async (_what, frames, stdout) => {
    docker.behaviour.frames = frames;
    expect(await provider().run(run, never)).toMatchObject({ stdout, stderr: "", truncated: true });
  });

  it("names a missing image and how to build it, and never pulls", async () => {
    const missing = { status: 404, message: "No such image: sandbox:1" };
    docker.behaviour.failures = { "POST /containers/create": missing, "GET /images/*/json": missing };
    await expect(provider().run(run, never)).rejects.toMatchObject({
      status: 503,
      message: expect.stringMatching(/sandbox:1 .*build-images/),
    });
    expect(await provider().readiness()).toMatchObject({ canRun: false, reason: expect.stringContaining("sandbox:1") });
    expect(docker.calls.filter((call) => call.includes("/images/create"))).toEqual([]);
  });

  it("says that the engine does not answer when there is none", async () => {
    const gone = createAioProvider({
      address: { kind: "unix", socketPath: "/nonexistent/docker.sock" },
      container: { project: "agents", image: "sandbox:1", memoryBytes: 64e6, cpus: 1, pids: 32, network: "none" },
      outputBytesMax: 10,
      onLeftover: () => undefined,
    });
    expect(await gone.readiness()).toMatchObject({ canRun: false, reason: expect.stringContaining("ENOENT") });
    await expect(gone.run(run, never)).rejects.toMatchObject({ status: 503 });
  });
});

describe("the sweep", () => {
  const future = String(Math.ceil(Date.now() / 1000) + 3600);

  it("removes what no run of this process owns and leaves other projects and other containers alone", async () => {
    docker.add("agents-sandbox-old", { ...ownLabels, "sandbox-deploy.deadline": future });
    docker.add("other-sandbox", { ...ownLabels, "sandbox-deploy.project": "other" });
    docker.add("agents-gateway", { "sandbox-deploy.project": "agents", "sandbox-deploy.role": "gateway" });
    expect(await provider().sweep()).toEqual({ removed: ["agents-sandbox-old"], failed: [] });
    expect([...docker.containers.values()].map((container) => container.name)).toEqual([
      "other-sandbox",
      "agents-gateway",
    ]);
  });

  it("removes what could not be removed while the engine was gone, once it is back", async () => {
    const owner = provider();
    docker.behaviour.failures = { "POST /containers/*/wait": "hang up", "DELETE /containers/*": "hang up" };
    await expect(owner.run(run, never)).rejects.toMatchObject({ status: 503 });
    expect([docker.containers.size, leftovers]).toEqual([1, [name]]);
    docker.behaviour.failures = {};
    expect(await owner.sweep()).toEqual({ removed: [name], failed: [] });
    expect(docker.containers.size).toBe(0);
  });

  it("leaves a run of this process alone", async () => {
    docker.behaviour.endsByItself = false;
    const stopping = new AbortController();
    const owner = provider();
    const running = owner.run(run, stopping.signal).catch(() => undefined);
    await eventually(() => expect(docker.calls).toContain("POST /containers/*/wait"));
    expect(await owner.sweep()).toEqual({ removed: [], failed: [] });
    expect(docker.containers.size).toBe(1);
    stopping.abort();
    await running;
  });

  it("reports what it could not remove and goes on", async () => {
    docker.add("agents-sandbox-a", ownLabels);
    docker.add("agents-sandbox-b", ownLabels);
    docker.behaviour.failures = { "DELETE /containers/*": { status: 500, message: "device busy" } };
    expect(await provider().sweep()).toEqual({
      removed: [],
      failed: ["agents-sandbox-a: device busy", "agents-sandbox-b: device busy"],
    });
  });
});
