import { spawn } from "node:child_process";
import { chmod, mkdir, readdir, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readAudit } from "../../src/core/deployment/audit.ts";
import { createFiles } from "../../src/shell/files/files.ts";
import { command, eventually } from "../support/command.ts";
import { refused, useWorkbench } from "./support/use-workbench.ts";

const workbench = useWorkbench();

const log = ".deploy/audit.jsonl";
const inFolder = (name: string) => join(workbench().folder, name);
const entries = async () => readAudit(await workbench().read(log));

/** Starts an `up` that hangs in `compose up`, and ends it with a signal; returns its exit code. */
async function upEndedBy(signal: "SIGTERM" | "SIGKILL"): Promise<number | null> {
  const bench = workbench();
  await bench.script({ when: "^compose .* up", hangs: true });
  const starts = async () => (await bench.calls()).filter((argv) => argv.includes("up")).length;
  const before = await starts();
  const child = spawn(process.execPath, [join(bench.tool, "dist/main.js"), "up"], {
    cwd: bench.folder,
    env: { ...process.env, ...bench.environment },
    stdio: "ignore",
  });
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  await eventually(async () => expect(await starts()).toBe(before + 1));
  child.kill(signal);
  return ended;
}

describe("a command that changes something", () => {
  it("leaves who, what, from, to and how it ended, in a file of the operator's alone, without any secret", async () => {
    const bench = workbench();
    bench.openFrontDoor("local");
    expect((await bench.deployWith({ SUDO_USER: "ann" }, "up", "--yes", "--wait-seconds", "60")).exitCode).toBe(0);
    await bench.script({ when: "^compose .* restart", exitCode: 1, stderr: "no\n" });
    expect((await bench.deploy("restart", "gateway")).exitCode).toBe(1);
    expect((await bench.deploy("down")).exitCode).toBe(0);
    const [up, restart, down] = await entries();
    expect(up).toMatchObject({
      begin: {
        ...{ project: "scripted", folder: bench.folder, sudoBy: "ann" },
        command: ["up", "--yes", "--wait-seconds", "60"],
        from: { mode: null, services: [], privileges: [] },
        to: { mode: "local", services: ["gateway", "proxy", "store"] },
      },
      end: { exitCode: 0, codes: [] },
    });
    expect(up?.begin.to?.privileges).toContainEqual(expect.stringMatching(/^proxy: published-port /));
    expect(restart).toMatchObject({
      begin: { command: ["restart", "gateway"] },
      end: { exitCode: 1, codes: ["D074"] },
    });
    expect(down).toMatchObject({
      begin: {
        command: ["down"],
        from: { mode: "local", services: ["gateway", "proxy", "store"] },
        to: { mode: null },
      },
      end: { exitCode: 0 },
    });
    expect((await stat(inFolder(log))).mode & 0o777).toBe(0o600);
    expect(await bench.read(log)).not.toMatch(/aaaaaaaa|bbbbbbbb/);
    const shown = await bench.deploy("audit", "--limit", "2");
    expect(shown.stdout).toMatch(
      /^\S+ {2}\S+@\S+ {2}restart gateway\n {2}scripted in .*\n {2}exit 1 D074 after [\s\S]*down\n/,
    );
    const { stdout } = await bench.deploy("audit", "--limit", "1", "--json");
    expect(JSON.parse(stdout)).toMatchObject({
      version: 1,
      exitCode: 0,
      entries: [{ command: ["down"], end: { exitCode: 0 } }],
    });
  });

  it("has an end also when it is interrupted; when it is killed the end is missing, and that is shown", async () => {
    expect(await upEndedBy("SIGTERM")).toBe(130);
    expect(await upEndedBy("SIGKILL")).toBe(null);
    const [interrupted, killed] = await entries();
    expect(interrupted?.end).toMatchObject({ exitCode: 130 });
    expect(killed?.begin.command[0]).toBe("up");
    expect(killed?.end).toBeUndefined();
    expect((await workbench().deploy("audit")).stdout).toContain("no end: it was killed, or still runs");
  });

  it.each([
    ["a folder", () => mkdir(inFolder(log))],
    ["a link", () => symlink("/dev/null", inFolder(log))],
    ["a pipe", () => command("mkfifo", [inFolder(log)])],
  ])("does not begin where %s is in the place of the log", async (_what, put) => {
    await mkdir(inFolder(".deploy"), { mode: 0o700 });
    await put();
    const said = await refused(workbench(), 3, "up");
    expect(said).toMatch(
      /error D049 .*audit.jsonl cannot be written: .*; the audit log tells of every change, so nothing/,
    );
    expect(await readdir(inFolder(".deploy"))).not.toContain("lock");
  });

  it("that is refused leaves nothing", async () => {
    await workbench().write("deploy.config.yaml", "version: [");
    await refused(workbench(), 2, "up");
    expect((await workbench().deploy("audit")).stdout).toBe("the audit log of this folder is empty\n");
  });
});

describe("lines at the end of a file", () => {
  const options = { mode: 0o600, limitBytes: 40 };

  it("begin on a line of their own after one that was cut off, and close the file to others", async () => {
    const files = createFiles();
    await writeFile(inFolder("log"), "cut o");
    await chmod(inFolder("log"), 0o644);
    await files.append(inFolder("log"), "whole\n", options);
    expect(await workbench().read("log")).toBe("cut o\nwhole\n");
    expect((await stat(inFolder("log"))).mode & 0o777).toBe(0o600);
  });

  it("begin a new file before the limit, and keep the former one", async () => {
    const files = createFiles();
    for (const each of ["1", "2", "3", "4"]) await files.append(inFolder("log"), `${each.repeat(19)}\n`, options);
    expect(await workbench().read("log")).toMatch(/^3+\n4+\n$/);
    expect(await workbench().read("log.1")).toMatch(/^1+\n2+\n$/);
    await files.append(inFolder("log"), `${"5".repeat(99)}\n`, options);
    expect(await workbench().read("log")).toMatch(/^5{99}\n$/);
  });

  it("are whole when many are written at the same time", async () => {
    const files = createFiles();
    const lines = Array.from({ length: 50 }, (_, index) => `${index} ${"x".repeat(10_000)}\n`);
    await Promise.all(lines.map((line) => files.append(inFolder("log"), line, { mode: 0o600, limitBytes: 1e9 })));
    const written = (await workbench().read("log")).split(/(?<=\n)/);
    expect(written.toSorted()).toEqual(lines.toSorted());
  });

  it("that find no room are an error that says so", async () => {
    await expect(createFiles().append("/dev/full", "line\n", options)).rejects.toThrow(
      "something else is in its place",
    );
    await expect(createFiles().append(inFolder("none/log"), "line\n", options)).rejects.toThrow(
      "its folder does not exist",
    );
  });
});
