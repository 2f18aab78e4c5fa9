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
const allowed = createLocalProvider({ refusal: undefined, outputBytesMax: 1000, killGroup });

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "local-test-"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

function bash(code: string, timeoutSeconds = 20): RunRequest {
  return { id: "0123456789abcdef", language: "bash", code, timeoutSeconds };
}

async function isRunning(pidFile: string): Promise<boolean> {
  const pid = (await readFile(pidFile, "utf8")).trim();
  const status = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return status !== "" && !/\) [ZX] /.test(status);
}

describe("the local provider", () => {
  it("runs nothing unless it was allowed, and says why", async () => {
    const refusing = createLocalProvider({ refusal: "set allow_host_bash", outputBytesMax: 10, killGroup });
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
    expect(outcome.stdout).toBe("HOME LANG PATH ");
  });

  it("gives every run a directory of its own and removes it", async () => {
    const outcome = await allowed.run(bash("pwd; touch made-here; mkdir -p a/b"), never);
    expect(outcome.stdout).toMatch(/\/run-/);
    expect(existsSync(outcome.stdout.trim())).toBe(false);
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
