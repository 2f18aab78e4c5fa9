import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { eventually } from "../support/command.ts";
import { openTerminal, type Terminal } from "./support/terminal.ts";
import { useWorkbench } from "./support/use-workbench.ts";

const workbench = useWorkbench();
const inFolder = (name: string) => join(workbench().folder, name);

/** Puts a docker before the scripted one whose `compose up` starts a program of its own and does this on a signal. */
async function composeThat(onSignal: string): Promise<void> {
  const docker = join(String(workbench().environment["SCRIPTED_DOCKER"]), "docker");
  await rename(docker, `${docker}-scripted`);
  const text = `#!/bin/sh
case " $* " in
  *" up "*) ;;
  *) exec "${docker}-scripted" "$@" ;;
esac
${onSignal}
sleep 1000 &
echo "$$ $!" >"${inFolder("children")}"
while :; do echo "Container store-1 Waiting" >&2; sleep 0.1; done
`;
  await writeFile(docker, text, { mode: 0o755 });
}

const stubborn = "trap '' TERM INT";

async function children(): Promise<number[]> {
  const text = await readFile(inFolder("children"), "utf8");
  if (!text.endsWith("\n")) throw new Error("the children have not begun");
  return text.trim().split(" ").map(Number);
}

/** A killed process may wait for somebody to ask how it ended: that one is gone as well. */
async function runs(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return stat !== "" && !/\) [ZX] /.test(stat);
}

async function stillRunning(): Promise<number[]> {
  const pids = await children();
  const states = await Promise.all(pids.map(runs));
  return pids.filter((_, index) => states[index]);
}

/** What a test of a tool that does not end would leave behind. */
afterEach(async () => {
  for (const pid of await stillRunning().catch(() => [])) process.kill(pid, "SIGKILL");
});

describe("a signal while what was begun does not come to its end", () => {
  let up: ChildProcess;
  let said: string;
  let ended: Promise<number | null>;
  const begin = async () => {
    said = "";
    up = spawn(process.execPath, ["--", join(workbench().tool, "dist/main.js"), "up"], {
      cwd: workbench().folder,
      env: { ...process.env, ...workbench().environment },
      stdio: ["ignore", "ignore", "pipe"],
    });
    up.stderr?.on("data", (chunk) => (said += String(chunk)));
    ended = new Promise((resolve) => up.on("close", resolve));
    await eventually(children);
  };
  const told = () => eventually(async () => expect(said).toContain("press Ctrl-C again to stop it at once"));

  it.each(["SIGINT", "SIGTERM"] as const)(
    "says what a second one does, and a second %s ends all: exit 130, no child, no lock",
    async (signal) => {
      await composeThat(stubborn);
      await begin();
      up.kill("SIGINT");
      await told();
      expect((await stillRunning()).length).toBe(2);
      up.kill(signal);
      expect(await ended).toBe(130);
      expect(await stillRunning()).toEqual([]);
      expect(said).toContain("interrupted: what was begun stays as it is, and the next up, rollback or down mends it");
      expect(existsSync(inFolder(".deploy/lock"))).toBe(false);
    },
  );

  it("that arrives twice for one wish leaves the child the time to put things in order", async () => {
    await composeThat(`trap 'sleep 1; echo done >"${inFolder("tidy")}"; kill $!; exit 143' TERM`);
    await begin();
    up.kill("SIGINT");
    up.kill("SIGTERM");
    expect(await ended).toBe(130);
    expect(existsSync(inFolder("tidy"))).toBe(true);
  });

  it("of a lost terminal never cuts that time short", async () => {
    const tidy = `until [ -e "${inFolder("go")}" ]; do sleep 0.1; done; echo done >"${inFolder("tidy")}"`;
    await composeThat(`trap '${tidy}; kill $!; exit 143' TERM`);
    await begin();
    up.kill("SIGHUP");
    await told();
    up.kill("SIGHUP");
    await writeFile(inFolder("go"), "");
    expect(await ended).toBe(130);
    expect(existsSync(inFolder("tidy"))).toBe(true);
  });
});

describe("a second Ctrl-C in a terminal", () => {
  let terminal: Terminal | undefined;
  afterEach(() => terminal?.close());

  it("is told of within the list of tasks, and leaves the terminal as it was", async () => {
    await composeThat(stubborn);
    terminal = await openTerminal(workbench(), 120, "up");
    await terminal.screenFrom("store-1: waiting");
    await terminal.press("C-c");
    await terminal.screenFrom("press Ctrl-C again to stop it at once");
    await terminal.press("C-c");
    expect(await terminal.ended()).toEqual({ exitCode: 130, sane: true });
    expect(await stillRunning()).toEqual([]);
  });
});
