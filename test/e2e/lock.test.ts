import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { build } from "esbuild";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { command, eventually, output } from "../support/command.ts";
import { createStack, platformConfigs, repositoryRoot, type TestStack } from "../support/stack.ts";

const project = `sdtest-lock-${randomBytes(3).toString("hex")}`;
let base = "";
let contender = "";

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), "deploy-lock-"));
  contender = join(base, "contender.cjs");
  await build({
    absWorkingDir: repositoryRoot,
    entryPoints: ["test/cli/support/lock-contender.ts"],
    ...{ outfile: contender, bundle: true, platform: "node", format: "cjs", logLevel: "warning" },
  });
});
afterAll(async () => {
  const left = await claims();
  if (left.length > 0) await command("docker", ["volume", "rm", ...left]);
  await rm(base, { recursive: true, force: true });
});

async function claims(of = project): Promise<string[]> {
  const listed = await output("docker", ["volume", "ls", "--quiet", "--filter", `label=sandbox-deploy.lock=${of}`]);
  return listed.split("\n").filter((line) => line !== "");
}

/** Starts a process for each folder; all of them wait for the word to begin. */
async function contenders(folders: readonly string[], diary: string): Promise<ChildProcess[]> {
  const children = folders.map((folder) =>
    spawn(process.execPath, [contender, folder, diary, project, `witness-of-${project}`], {
      stdio: ["pipe", "pipe", "ignore"],
    }),
  );
  await Promise.all(
    children.map((child) => new Promise((resolve) => child.stdout?.once("data", resolve).once("close", resolve))),
  );
  return children;
}

const ended = (child: ChildProcess) => new Promise<number | null>((resolve) => child.on("close", resolve));

describe("one project deployed from several folders", () => {
  it("is in the hands of one process at a time, also while some are killed at any moment, and nothing is left", async () => {
    const folders = await Promise.all(
      Array.from({ length: 5 }, async (_, index) => {
        const folder = join(base, `folder-${index}`);
        await mkdir(folder);
        return folder;
      }),
    );
    const diary = join(base, "diary");
    await writeFile(diary, "");
    let done = 0;
    for (let round = 0; round < 8; round += 1) {
      const children = await contenders(folders, diary);
      const codes = Promise.all(children.map(ended));
      for (const child of children) child.stdin?.end("go\n");
      // Half of the rounds are left alone, so that it shows that somebody wins; where the others are hit differs each time.
      const deaths = round % 2 === 0 ? [] : children.slice(0, 3);
      await Promise.all(
        deaths.map(async (child) => {
          await sleep(Math.random() * 150);
          child.kill("SIGKILL");
        }),
      );
      const won = (await codes).filter((code) => code === 0).length;
      if (deaths.length === 0) expect(won).toBeGreaterThanOrEqual(1);
      done += won;
    }
    const lines = (await readFile(diary, "utf8")).split("\n");
    expect(lines.filter((line) => line.startsWith("not alone"))).toEqual([]);
    // One that was killed may have had its turn to the end, and died before it could say so.
    expect(lines.filter((line) => line.startsWith("leave")).length).toBeGreaterThanOrEqual(done);
    // A call of docker may outlive the process that made it; what it has left is cleared by the next ones.
    await eventually(async () => {
      const [last] = await contenders(folders.slice(0, 1), diary);
      if (last === undefined) throw new Error("nobody was started");
      last.stdin?.end("go\n");
      expect(await ended(last)).toBe(0);
      expect(await claims()).toEqual([]);
    });
  });
});

describe("a second checkout", () => {
  const stacks: TestStack[] = [];
  afterEach(async () => {
    for (const stack of stacks.splice(0)) await stack.dispose();
  });

  it("of a project that is being deployed is told by whom, may wait for its turn, and finds no lock afterwards", async () => {
    const first = await createStack("first", platformConfigs.localRefusing);
    const second = await createStack("second", platformConfigs.localRefusing);
    stacks.push(second, first);
    await second.write("deploy.config.yaml", await first.read("deploy.config.yaml"));
    const env = { CI: "true" };
    const up = command(join(repositoryRoot, "deploy"), ["up", "--yes"], { cwd: first.folder, env });
    await eventually(async () => expect((await first.containers()).length).toBeGreaterThan(0));
    const environment = await second.read(".env");
    const alsoUp = await second.deploy("up", "--yes", "--accept", "foreign-project");
    const turnedAway = await second.deploy("down", "--accept", "foreign-project");
    const waited = await second.deploy("down", "--accept", "foreign-project", "--lock-wait", "600");
    expect(await up).toMatchObject({ exitCode: 0 });
    expect(await second.read(".env")).toBe(environment);
    for (const { exitCode, stderr } of [alsoUp, turnedAway]) {
      expect(stderr).toMatch(/D063 the lock is held: .*runs `up` since .*, process \d+ on .*, in /);
      expect(stderr).toContain(first.folder);
      expect(exitCode).toBe(4);
    }
    expect(waited.exitCode).toBe(0);
    expect(waited.stderr).toContain("waiting, 600 s at most: the lock is held");
    expect(await first.containers()).toEqual([]);
    expect(await claims(first.project)).toEqual([]);
  });
});
