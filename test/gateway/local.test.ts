import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createLocalProvider } from "../../src/gateway/providers/local.ts";
import type { RunRequest } from "../../src/gateway/run.ts";
import { eventually } from "../support/command.ts";

const never = new AbortController().signal;
const killGroup = (groupId: number): void => void process.kill(-groupId, "SIGKILL");
const isRoot = process.getuid?.() === 0;
let leftovers: string[] = [];
const onLeftover = (path: string): void => void leftovers.push(path);
const allowed = createLocalProvider({ refusal: undefined, outputBytesMax: 1000, killGroup, onLeftover });

let directory: string;
beforeEach(async () => {
  leftovers = [];
  directory = await mkdtemp(join(tmpdir(), "local-test-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

function bash(code: string, timeoutSeconds = 20): RunRequest {
  return { id: "0123456789abcdef", language: "bash", code, timeoutSeconds };
}

/** Root may empty every folder. Bash would take root's rights back, Python does not. */
async function unprivileged<T>(work: () => Promise<T>): Promise<T> {
  if (isRoot) process.seteuid?.(65_534);
  try {
    return await work();
  } finally {
    if (isRoot) process.seteuid?.(0);
  }
}

async function isRunning(pidFile: string): Promise<boolean> {
  const pid = (await readFile(pidFile, "utf8")).trim();
  const status = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return status !== "" && !/\) [ZX] /.test(status);
}

describe("the local provider", () => {
  it("runs nothing unless it was allowed, and says why", async () => {
    const refusing = createLocalProvider({ refusal: "set allow_host_bash", outputBytesMax: 10, killGroup, onLeftover });
    const marker = join(directory, "ran");
    await expect(refusing.run(bash(`touch ${marker}`), never)).rejects.toMatchObject({
      status: 403,
      message: "set allow_host_bash",
    });
    expect(existsSync(marker)).toBe(false);
    expect(await refusing.readiness()).toEqual({ canRun: false, reason: "set allow_host_bash" });
  });

  it("gives output and exit code when it was allowed", async () => {
    const outcome = await allowed.run(bash("echo out; echo err >&2; exit 7"), never);
    expect(outcome).toMatchObject({ stdout: "out\n", stderr: "err\n", exitCode: 7, timedOut: false, truncated: false });
    expect(outcome.ranIn).toMatchObject({ mode: "local", pid: expect.any(Number) });
  });

  it("gives the code nothing of the gateway's environment", async () => {
    process.env.GATEWAY_TEST_SECRET = "must-not-be-seen";
    const outcome = await allowed.run(bash("env -u _ -u SHLVL -u PWD | cut -d= -f1 | sort | tr '\\n' ' '"), never);
    delete process.env.GATEWAY_TEST_SECRET;
    expect(outcome.stdout).toBe("HOME LANG PATH TMPDIR ");
  });

  it("gives every run a directory of its own and removes it", async () => {
    const outcome = await allowed.run(bash("pwd; touch made-here; mkdir -p a/b"), never);
    expect(outcome.stdout).toMatch(/\/run-/);
    expect(existsSync(outcome.stdout.trim())).toBe(false);
  });

  it("has programs put their temporary files there", async () => {
    const { stdout } = await allowed.run(
      bash("pwd; dirname $(mktemp); python3 -c 'import tempfile as t; print(t.gettempdir())'"),
      never,
    );
    expect(new Set(stdout.trim().split("\n")).size).toBe(1);
  });

  it("gives the result of code that closed its folders, and removes them", async () => {
    const code = "import os; os.makedirs('a/b/c'); os.chmod('a/b', 0o500); os.chmod('a', 0); print(os.getcwd())";
    const { stdout } = await unprivileged(() => allowed.run({ ...bash(code), language: "python" }, never));
    expect(stdout).toMatch(/\/run-/);
    expect(existsSync(stdout.trim())).toBe(false);
    expect(leftovers).toEqual([]);
  });

  it.runIf(isRoot)("gives the result although the directory stays, and removes that with the next sweep", async () => {
    const code = "import os; os.seteuid(0); os.makedirs('held/x'); print(os.getcwd())";
    const { stdout } = await unprivileged(() => allowed.run({ ...bash(code), language: "python" }, never));
    expect(existsSync(stdout.trim())).toBe(true);
    expect(leftovers).toEqual([stdout.trim()]);
    expect(await allowed.sweep()).toEqual({ removed: [stdout.trim()], failed: [] });
    expect(existsSync(stdout.trim())).toBe(false);
    expect(await allowed.sweep()).toEqual({ removed: [], failed: [] });
  });

  it("kills the program and everything it started when the time is over", async () => {
    const outcome = await allowed.run(bash(`sleep 300 & echo $! > ${directory}/pid; echo begun; wait`, 1), never);
    expect(outcome).toMatchObject({ stdout: "begun\n", exitCode: 137, timedOut: true });
    await eventually(async () => expect(await isRunning(`${directory}/pid`)).toBe(false));
  });

  it("kills what a program leaves in the background when it ends", async () => {
    const outcome = await allowed.run(bash(`sleep 300 & echo $! > ${directory}/pid`), never);
    expect(outcome).toMatchObject({ exitCode: 0, timedOut: false });
    await eventually(async () => expect(await isRunning(`${directory}/pid`)).toBe(false));
  });

  it("ends a run when the gateway stops", async () => {
    const stopping = new AbortController();
    const failed = expect(
      allowed.run(bash(`echo $$ > ${directory}/pid; sleep 300`), stopping.signal),
    ).rejects.toMatchObject({ status: 503 });
    await eventually(() => expect(existsSync(`${directory}/pid`)).toBe(true));
    stopping.abort();
    await failed;
    await eventually(async () => expect(await isRunning(`${directory}/pid`)).toBe(false));
  });

  it("cuts output at the limit and lets the program go on", async () => {
    const outcome = await allowed.run(bash("head -c 100000 /dev/zero | tr '\\0' x; echo end >&2"), never);
    expect(outcome).toMatchObject({ stdout: "x".repeat(1000), stderr: "end\n", truncated: true, exitCode: 0 });
  });

  it("takes code that looks like an option for code", async () => {
    expect(await allowed.run(bash("-x"), never)).toMatchObject({ exitCode: 127 });
    const node = { ...bash("-1; console.log('ran')"), language: "node" } as const;
    expect(await allowed.run(node, never)).toMatchObject({ stdout: "ran\n", exitCode: 0 });
  });
});
