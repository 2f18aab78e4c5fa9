import { access, mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { delimiter, join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { command, type Ended, eventually } from "../support/command.ts";
import { openTerminal, type Terminal } from "./support/terminal.ts";
import { useWorkbench } from "./support/use-workbench.ts";

const workbench = useWorkbench();

const inFolder = (...names: string[]) => join(workbench().folder, ...names);
const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

/** What was done to claims on the engine: made, and removed. */
async function claimCalls(): Promise<string[]> {
  const calls = (await workbench().calls()).map((argv) => argv.join(" "));
  return calls.flatMap((call) => /^volume (create|rm) .*sandbox-deploy-lock-/.exec(call)?.[1] ?? []);
}

/** Runs a line of bash in which "$@" is the tool; after it, the exit code of the first program of its pipe is printed. */
function inBash(line: string, env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const { folder, tool, environment } = workbench();
  const words = [process.execPath, "--", join(tool, "dist/main.js")];
  return command("bash", ["-c", `${line}; echo "exit \${PIPESTATUS[0]}"`, "bash", ...words], {
    cwd: folder,
    env: { ...environment, ...env },
  });
}

/** A docker before the scripted one whose `compose up`, or what else, talks and works until it is told to end; returns the PATH. */
async function workingDocker(what = "up"): Promise<string> {
  const bin = inFolder("bin");
  await mkdir(bin);
  const text = `#!/bin/sh
case " $* " in
  *" ${what} "*) ;;
  *) exec "$SCRIPTED_DOCKER/docker" "$@" ;;
esac
trap 'echo >"${inFolder("ended")}"; exit 143' TERM
echo $$ >"${inFolder("child")}"
while :; do echo "Container store-1 Waiting" >&2; sleep 0.05; done
`;
  await writeFile(join(bin, "docker"), text, { mode: 0o755 });
  return `${bin}${delimiter}${workbench().environment["PATH"]}`;
}

/** Lets a stack run. */
async function deployed(): Promise<void> {
  workbench().openFrontDoor("local");
  expect(await workbench().deploy("up")).toMatchObject({ exitCode: 0 });
  await workbench().remember();
}

describe("a reader who goes away", () => {
  it.each([
    ["of all output", "2>&1 | sed -n /Waiting/q"],
    ["of the progress", "2>&1 >/dev/null | sed -n /Waiting/q"],
  ])("%s interrupts an up: its child ends, its lock is released, exit 130", async (_what, pipe) => {
    const PATH = await workingDocker();
    const { stdout, stderr } = await inBash(`"$@" up --verbose ${pipe}`, { PATH });
    expect(stdout).toBe("exit 130\n");
    expect(stderr).toBe("");
    expect(await exists(inFolder("child"))).toBe(true);
    expect(await exists(inFolder("ended"))).toBe(true);
    expect(await exists(inFolder(".deploy/lock"))).toBe(false);
    expect(await claimCalls()).toEqual(["create", "rm"]);
  });

  it("of logs has had enough: exit 0, and nothing more is said", async () => {
    await deployed();
    await workbench().script({ when: " logs ", stdout: "store-1  | one line of many\n".repeat(100_000) });
    const { stdout, stderr } = await inBash('"$@" logs | head -n 1');
    expect(stdout).toBe("store-1  | one line of many\nexit 0\n");
    expect(stderr).toBe("");
  });
});

describe("a signal", () => {
  it.each(["INT", "TERM", "HUP"])("%s ends an up: its child ends, its lock is released, exit 130", async (name) => {
    const PATH = await workingDocker();
    const line = `"$@" up & until [ -s child ]; do sleep 0.1; done; kill -${name} $!; wait $!; (exit $?)`;
    const { stdout, stderr } = await inBash(line, { PATH });
    expect(stdout).toBe("exit 130\n");
    expect(stderr).toContain("interrupted: what was begun stays as it is");
    expect(await exists(inFolder("ended"))).toBe(true);
    expect(await exists(inFolder(".deploy/lock"))).toBe(false);
    expect(await claimCalls()).toEqual(["create", "rm"]);
  });
});

describe("a log that is followed", () => {
  const line = { time: "2026-01-01T00:00:00Z", id: "1", event: "done", decision: "allow", rule: "ping", policy: "0" };

  it.each([
    ["of services", "logs", "logs --follow"],
    ["of the guard", "exec", "guard log --follow"],
    ["of a copy of the guard's", "nothing", "guard log audit.jsonl --follow"],
  ])("%s ends with Ctrl-C, exit 130, and nothing is said: nothing was begun", async (_whose, what, words) => {
    await deployed();
    const PATH = await workingDocker(what);
    await workbench().write("audit.jsonl", `${JSON.stringify(line)}\n`);
    const wait = "until [ -s child ] || [ -s shown ]; do sleep 0.1; done";
    const { stdout, stderr } = await inBash(`"$@" ${words} >shown & ${wait}; kill -INT $!; wait $!; (exit $?)`, {
      PATH,
    });
    expect(stdout).toBe("exit 130\n");
    expect(stderr).toBe("");
    expect(await exists(inFolder("ended"))).toBe(what !== "nothing");
  });
});

describe("a question in a terminal", () => {
  let terminal: Terminal | undefined;
  let socket: Server | undefined;
  afterEach(async () => {
    await terminal?.close();
    socket?.close();
  });

  /** An `up` that would hand out the socket of the engine. */
  async function questioned(columns: number): Promise<Terminal> {
    const path = inFolder("docker.sock");
    socket = createServer().listen(path);
    const bench = workbench();
    await bench.write("config.yaml", "sandbox:\n  use: deerflow.community.aio_sandbox:AioSandboxProvider\n");
    await bench.write(
      "deploy.config.yaml",
      `version: 1\nproject: scripted\nsandbox:\n  docker:\n    access: raw\n    socket: ${path}\n`,
    );
    terminal = await openTerminal(bench, columns, "up");
    await terminal.screenFrom("(y/N)");
    return terminal;
  }

  it.each([40, 80])("breaks between words where %i columns end, and says what Enter gives", async (columns) => {
    const lines = await (await questioned(columns)).screenFrom("This gives access");
    expect(lines.at(-1)).toBe("? Grant it? (y/N) ‣ No");
    expect(lines.join(" ")).toMatch(/^This gives access to the host itself: .*\.sock .*\. \? Grant it\?/);
    expect(lines.length).toBeGreaterThan(1);
  });

  it.each(["SIGTERM", "SIGHUP", "SIGINT"] as const)(
    "is ended by %s: exit 130, and the terminal as it was",
    async (name) => {
      const { signal, ended } = await questioned(80);
      await signal(name);
      expect(await ended()).toEqual({ exitCode: 130, sane: true });
      expect(await workbench().changes()).toEqual([]);
    },
  );

  it("is ended by Ctrl-C: exit 130, and the terminal as it was", async () => {
    const { press, ended, screenFrom } = await questioned(80);
    await press("C-c");
    expect(await ended()).toEqual({ exitCode: 130, sane: true });
    const said = (await screenFrom("Grant it?")).join("\n");
    expect(said).toMatch(/^✖ Grant it\? \(y\/N\) ·\ninterrupted: what was begun/);
    expect(await workbench().changes()).toEqual([]);
  });

  it("ends with the terminal that it is asked in", async () => {
    const { close } = await questioned(80);
    await close();
    // With which code nobody sees: Node itself fails at its end when it cannot set the terminal back.
    await eventually(async () => expect(await readFile(inFolder("status"), "utf8")).not.toBe(""));
    expect(await exists(inFolder(".deploy/lock"))).toBe(false);
    expect(await workbench().changes()).toEqual([]);
  });

  it.each([[["Enter"]], [["n", "Enter"]]])("answered with %s is declined: exit 3, nothing changed", async (keys) => {
    const { press, ended, screenFrom } = await questioned(80);
    await press(...keys);
    expect(await ended()).toEqual({ exitCode: 3, sane: true });
    expect((await screenFrom("Grant it?"))[0]).toBe("✔ Grant it? (y/N) · No");
    expect(await workbench().changes()).toEqual([]);
  });

  it("answered with y goes on", async () => {
    const { press, screenFrom } = await questioned(80);
    await press("y", "Enter");
    expect((await screenFrom("· Yes"))[0]).toBe("✔ Grant it? (y/N) · Yes");
    await eventually(async () => expect((await workbench().changes()).flat()).toContain("up"));
  });
});
