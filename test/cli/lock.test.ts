import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Files } from "../../src/files.ts";
import { withLock } from "../../src/shell/lock/lock.ts";
import { createProcessTable } from "../../src/shell/processes/processes.ts";
import { plainTasks } from "../../src/terminal/plain-tasks.ts";
import { createReporter } from "../../src/terminal/reporter.ts";
import type { Command, ProcessTable, RunResult } from "../../src/world.ts";
import { repositoryRoot } from "../support/stack.ts";
import { stoppedClock } from "./support/stopped-clock.ts";

let base = "";
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), "deploy-lock-"));
});
afterAll(() => rm(base, { recursive: true, force: true }));

const lockPath = "/state/lock";
const request = { statePath: "/state", project: "shop", command: "up", changes: false };
const machine = { boot: "b1", namespace: "pid:[1]", id: "m1" };
const holder = { host: "here", pid: 7, started: "70", user: "ann", command: "up", since: "2026-01-01T00:00:00.000Z" };
const lockOf = (changes: Partial<typeof holder> = {}) => `${JSON.stringify({ ...holder, ...changes })}\n`;

/** Files in memory whose every operation is one step. */
function memory(contents: Map<string, string>, step: () => Promise<void>): Files {
  const unused = async () => {
    throw new Error("the lock has no business with this");
  };
  return {
    read: async (path) => {
      await step();
      return contents.get(path);
    },
    createExclusive: async (path, content) => {
      await step();
      if (contents.has(path)) return false;
      contents.set(path, content);
      return true;
    },
    remove: async (path) => {
      await step();
      contents.delete(path);
    },
    makeDirectory: async () => undefined,
    ...{
      stat: unused,
      fingerprint: unused,
      sweep: unused,
      list: unused,
      realPath: unused,
      linkTarget: unused,
      writeAtomic: unused,
      append: unused,
    },
    ...{ copy: unused, rename: unused, removeTree: unused },
  };
}

/** Processes by number; `alive` maps each to when it began, undefined where the system does not tell. */
function table(pid: number, alive: ReadonlyMap<number, string | undefined>): ProcessTable {
  return {
    pid,
    startOf: async (each) => alive.get(each),
    isRunning: async (each) => alive.has(each),
    machine: async () => machine,
  };
}

/** An engine that knows volumes only; `step` comes before each call has its effect. */
function engine(volumes: Map<string, string>, step: () => Promise<void> = async () => undefined) {
  return async ({ args }: Command): Promise<RunResult> => {
    await step();
    const [, verb, ...rest] = args;
    const name = rest.at(-1) ?? "";
    const holderOf = rest.find((each) => each.startsWith("sandbox-deploy.lock.holder="))?.replace(/^[^=]*=/, "");
    if (verb === "create" && !volumes.has(name)) volumes.set(name, holderOf ?? "");
    if (verb === "rm") for (const each of rest) volumes.delete(each);
    const listed = [...volumes].map(([each, text]) => `${each}\t${text}\n`).join("");
    return { exitCode: 0, stdout: verb === "ls" ? listed : "", stderr: "", missing: false };
  };
}

let tokens = 0;

function worldOf(files: Files, process: ProcessTable, notes: string[] = [], run = engine(new Map())) {
  const terminal = { stdout: () => undefined, stderr: (text: string) => void notes.push(text) };
  return {
    files,
    process,
    host: "here",
    user: "bob",
    now: () => new Date(0),
    forgetEarlyAnswers: () => undefined,
    randomBytes: () => {
      tokens += 1;
      return new Uint8Array([tokens % 256, (tokens / 256) % 256]);
    },
    sleep: async () => undefined,
    env: {},
    signal: new AbortController().signal,
    run,
    reporter: createReporter(
      { ...terminal, json: false, color: false, columns: () => undefined },
      plainTasks(false, stoppedClock),
      undefined,
    ),
  };
}

/** Takes the lock as process 1 with this content in its place; tells whether it got in, and what was left. */
async function attempt(content: string | undefined, alive: readonly (readonly [number, string | undefined])[]) {
  const contents = new Map(content === undefined ? [] : [[lockPath, content]]);
  const notes: string[] = [];
  const self = alive.some(([, start]) => start !== undefined) || alive.length === 0 ? "10" : undefined;
  const processes = table(1, new Map([[1, self], ...alive]));
  const files = memory(contents, async () => undefined);
  const outcome = await withLock(worldOf(files, processes, notes), request, async () => "in").catch(String);
  return { outcome, notes: notes.join(""), left: Object.fromEntries(contents) };
}

describe("a lock that is there", () => {
  it("is taken with a notice when no such process runs, and is gone afterwards", async () => {
    const { outcome, notes, left } = await attempt(lockOf(), []);
    expect(outcome).toBe("in");
    expect(notes).toBe("the lock of up (process 7) is left over: taking it\n");
    expect(left).toEqual({});
  });

  it("is taken when its process number belongs to another process by now", async () => {
    expect((await attempt(lockOf(), [[7, "71"]])).outcome).toBe("in");
  });

  it.each([
    ["whose process runs", lockOf(), [[7, "70"]]],
    ["whose process runs on a system that tells no start times", lockOf({ started: "" }), [[7, undefined]]],
    ["that was made where no start times are known", lockOf({ started: "" }), [[7, "70"]]],
    ["whose process runs, but hides when it began", lockOf(), [[7, undefined]]],
    ["of another host, whatever runs here", lockOf({ host: "there" }), []],
    ["that cannot be read", "who knows\n", []],
    ["with a process number that means a group of processes", lockOf({ pid: -1 }), []],
  ] as const)("stays as it is: one %s", async (_case, content, alive) => {
    const { outcome, left } = await attempt(content, alive);
    expect(outcome).toContain("D063 the lock is held");
    expect(left).toEqual({ [lockPath]: content });
  });

  it("and has been removed by hand meanwhile is not missed, nor is a new one in its place removed", async () => {
    const contents = new Map<string, string>();
    const world = worldOf(
      memory(contents, async () => undefined),
      table(1, new Map([[1, "10"]])),
    );
    const work = async () => void contents.set(lockPath, "of somebody else");
    await withLock(world, request, work);
    expect(Object.fromEntries(contents)).toEqual({ [lockPath]: "of somebody else" });
  });

  it("is released when the work fails", async () => {
    const contents = new Map<string, string>();
    const world = worldOf(
      memory(contents, async () => undefined),
      table(1, new Map([[1, "10"]])),
    );
    const failing = withLock(world, request, () => Promise.reject(new Error("no")));
    await expect(failing).rejects.toThrow("no");
    expect(contents.size).toBe(0);
  });
});

describe("contenders for a dead lock", () => {
  it("are inside one at a time in whatever order their steps come, and whichever of them is killed at whatever step", async () => {
    const deaths = fc.array(fc.option(fc.nat(9), { nil: undefined }), { minLength: 2, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), deaths, async (scheduler, dyingAt) => {
        const contents = new Map([[lockPath, lockOf()]]);
        const alive = new Map(dyingAt.map((_, index) => [100 + index, String(index)] as const));
        const inside = new Set<number>();
        let most = 0;
        let entered = 0;
        const contend = async (pid: number, deathStep: number | undefined) => {
          let steps = 0;
          const step = async () => {
            await scheduler.schedule(Promise.resolve(), `${pid}`);
            if (steps === deathStep) {
              alive.delete(pid);
              inside.delete(pid);
              await new Promise(() => undefined);
            }
            steps += 1;
          };
          const world = worldOf(memory(contents, step), table(pid, alive));
          await withLock(world, request, async () => {
            inside.add(pid);
            entered += 1;
            most = Math.max(most, inside.size);
            await step();
            inside.delete(pid);
          }).catch((error) => expect(String(error)).toContain("D063"));
        };
        dyingAt.forEach((deathStep, index) => void contend(100 + index, deathStep));
        await scheduler.waitIdle();
        expect(most).toBeLessThanOrEqual(1);
        if (alive.size === dyingAt.length) {
          expect(entered).toBeGreaterThanOrEqual(1);
          expect(contents.size).toBe(0);
        }
        // Whatever the dead have left, the next one gets in and clears it up.
        alive.set(1, "10");
        const last = worldOf(
          memory(contents, async () => undefined),
          table(1, alive),
        );
        expect(await withLock(last, request, async () => "in")).toBe("in");
        expect(contents.has(lockPath)).toBe(false);
      }),
      { numRuns: 400 },
    );
  });

  it("are inside one at a time when they are processes that begin at the same moment", async () => {
    const outfile = join(base, "contender.cjs");
    await build({
      absWorkingDir: repositoryRoot,
      entryPoints: ["test/cli/support/lock-contender.ts"],
      ...{ outfile, bundle: true, platform: "node", format: "cjs", logLevel: "warning" },
    });
    const state = join(base, "state");
    const diary = join(base, "diary");
    await mkdir(state);
    const dead = spawn("true");
    await new Promise((resolve) => dead.on("close", resolve));
    for (let round = 0; round < 3; round += 1) {
      await writeFile(diary, "");
      await writeFile(join(state, "lock"), lockOf({ pid: dead.pid ?? 0 }));
      const children = Array.from({ length: 8 }, () => spawn(process.execPath, [outfile, state, diary]));
      await Promise.all(children.map(isReady));
      const ended = children.map(exitOf);
      for (const child of children) child.stdin.end("go\n");
      const codes = await Promise.all(ended);
      const lines = (await readFile(diary, "utf8")).split("\n").filter((line) => line !== "");
      expect(codes.filter((code) => code !== 0 && code !== 4)).toEqual([]);
      expect(lines.length).toBe(2 * codes.filter((code) => code === 0).length);
      expect(lines.length).toBeGreaterThan(0);
      for (let at = 0; at < lines.length; at += 2) {
        expect(lines.slice(at, at + 2)).toEqual([
          expect.stringMatching(/^enter/),
          lines[at]?.replace("enter", "leave"),
        ]);
      }
      expect(await readdir(state)).toEqual([]);
    }
  });
});

function isReady(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    child.stdout?.once("data", resolve);
    child.once("error", reject);
  });
}

function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.on("close", resolve));
}

describe("contenders for a project on one engine, each in a folder of its own", () => {
  it("are inside one at a time in whatever order their steps come, and whichever of them is killed at whatever step", async () => {
    const deaths = fc.array(fc.option(fc.nat(12), { nil: undefined }), { minLength: 2, maxLength: 4 });
    const clocks = fc.array(fc.nat(3), { minLength: 4, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), deaths, clocks, async (scheduler, dyingAt, times) => {
        const volumes = new Map([["sandbox-deploy-lock-shop-00", lockOf()]]);
        const alive = new Map(dyingAt.map((_, index) => [100 + index, String(index)] as const));
        const inside = new Set<number>();
        let most = 0;
        let entered = 0;
        const contend = async (pid: number, deathStep: number | undefined, time: number) => {
          let steps = 0;
          const step = async () => {
            await scheduler.schedule(Promise.resolve(), `${pid}`);
            if (steps === deathStep) {
              alive.delete(pid);
              inside.delete(pid);
              await new Promise(() => undefined);
            }
            steps += 1;
          };
          // A call of docker that is under way when its caller dies still has its effect.
          const call = engine(volumes, () => scheduler.schedule(Promise.resolve(), `engine ${pid}`));
          const run = async (command: Command) => {
            const result = await call(command);
            await step();
            return result;
          };
          const world = {
            ...worldOf(
              memory(new Map(), async () => undefined),
              table(pid, alive),
              [],
              run,
            ),
            now: () => new Date(time),
          };
          await withLock(world, { ...request, changes: true }, async () => {
            inside.add(pid);
            entered += 1;
            most = Math.max(most, inside.size);
            await step();
            inside.delete(pid);
          }).catch((error) => expect(String(error)).toContain("D063"));
        };
        dyingAt.forEach((deathStep, index) => void contend(100 + index, deathStep, times[index] ?? 0));
        await scheduler.waitIdle();
        expect(most).toBeLessThanOrEqual(1);
        if (alive.size === dyingAt.length) {
          expect(entered).toBeGreaterThanOrEqual(1);
          expect(volumes.size).toBe(0);
        }
        alive.set(1, "10");
        const files = memory(new Map(), async () => undefined);
        const last = worldOf(files, table(1, alive), [], engine(volumes));
        expect(await withLock(last, { ...request, changes: true }, async () => "in")).toBe("in");
        expect(volumes.size).toBe(0);
      }),
      { numRuns: 400 },
    );
  });
});

describe("the processes of this host", () => {
  const processes = createProcessTable(process);

  it("are known to run, also those of other users", async () => {
    expect(await processes.isRunning(process.pid)).toBe(true);
    expect(await processes.isRunning(1)).toBe(true);
  });

  it("are known to be there when a signal to them is refused", async () => {
    const refused = Object.assign(new Error("kill EPERM"), { code: "EPERM" });
    const kill = () => {
      throw refused;
    };
    expect(await createProcessTable({ pid: process.pid, kill }).isRunning(process.pid)).toBe(true);
  });

  it("do not run when they have ended, reaped or not", async () => {
    const ended = spawn("true");
    await new Promise((resolve) => ended.on("close", resolve));
    expect(await processes.isRunning(ended.pid ?? 0)).toBe(false);
    // The shell becomes a program that never waits for the child it began with.
    const parent = spawn("sh", ["-c", "sleep 0 & echo $!; exec sleep 600"]);
    const zombie = await new Promise<number>((resolve) => parent.stdout.once("data", (text) => resolve(Number(text))));
    await expect.poll(() => processes.isRunning(zombie), { timeout: 30_000 }).toBe(false);
    parent.kill("SIGKILL");
  });
});
