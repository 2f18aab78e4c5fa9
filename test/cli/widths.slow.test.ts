import { afterEach, beforeEach, describe, expect, it, test } from "vitest";
import { openTerminal, type Terminal } from "./support/terminal.ts";
import { useWorkbench } from "./support/use-workbench.ts";

const workbench = useWorkbench();
let terminal: Terminal | undefined;
beforeEach(() => workbench().openFrontDoor("local"));
afterEach(async () => {
  await terminal?.close();
  terminal = undefined;
});

/** What a command leaves on a terminal of its own, in whole lines. */
async function shown(columns: number, env: Readonly<Record<string, string>>, ...args: string[]): Promise<Terminal> {
  const bench = workbench();
  terminal = await openTerminal({ ...bench, environment: { ...bench.environment, ...env } }, columns, ...args);
  await terminal.ended();
  return terminal;
}

/** Lines that the terminal had to break, though there was a blank at which they could have been broken. */
function tooWide(lines: readonly string[], columns: number): string[] {
  return lines.filter((line) => line.length > columns && /\S\s+\S/.test(line));
}

test.each([40, 80])("the card is complete on %d columns, after progress that left nothing behind", async (columns) => {
  const lines = await (await shown(columns, {}, "up")).writtenLines();
  expect(tooWide(lines, columns)).toEqual([]);
  const card = lines.slice(lines.indexOf("the stack is up and healthy")).join("\n");
  expect(card).toContain(`url       http://127.0.0.1:${workbench().port}\n`);
  expect(card).toMatch(
    /\nmode {6}local\b[\s\S]*\ntouches {3}gateway: host-bind[\s\S]*\nkey {7}GATEWAY_API_KEY in .env\n/,
  );
  expect(card).toContain(
    "\nnext      ./deploy open    the page\n          ./deploy key     the key\n          ./deploy status  what runs",
  );
  expect(lines.filter((line) => line.includes("›"))).toEqual([]);
});

test("the key in a terminal comes with a warning", async () => {
  const key = /^GATEWAY_API_KEY=(.*)$/m.exec(await workbench().read(".env"))?.[1] ?? "";
  const lines = await (await shown(120, {}, "key")).writtenLines();
  expect(lines).toEqual([key, expect.stringMatching(/^the key is on this screen now/)]);
});

describe("on 40 columns", () => {
  const commands: readonly (readonly string[])[] = [
    ["plan"],
    ["status", "--verify"],
    ["history"],
    ["history", "show"],
    ["diff"],
    ["audit"],
    ["secrets", "list"],
    ["key"],
    ["open"],
    ["--help"],
    ["up", "--help"],
    ["rollback"],
    ["down"],
  ];
  it("no command writes a line that has to be broken between its words", async () => {
    const { exitCode } = await workbench().deploy("up");
    expect(exitCode).toBe(0);
    const wide: string[] = [];
    for (const command of commands) {
      const screen = await shown(40, {}, ...command);
      for (const line of tooWide(await screen.writtenLines(), 40)) wide.push(`${command.join(" ")}: ${line}`);
      await screen.close();
      terminal = undefined;
    }
    // A command to copy stays whole.
    expect(wide.filter((line) => !/^open: +ssh -N -L /.test(line))).toEqual([]);
  });

  it("a finding shows of its line what is around the marker", async () => {
    const long = "x".repeat(60);
    await workbench().write(
      "deploy.config.yaml",
      `version: 1\nproject: scripted\nhealth: { path: "/${long}", waitSeconds: no }\n`,
    );
    const lines = await (await shown(40, {}, "plan")).writtenLines();
    expect(tooWide(lines, 40)).toEqual([]);
    const marker = lines.findIndex((line) => /^ +\| +\^$/.test(line));
    expect(lines[marker - 1]?.slice(lines[marker]?.indexOf("^"))).toMatch(/^no/);
  });
});

describe("work that lasts says where it stands, in one line that fits", () => {
  const published = "services:\n  extra:\n    image: example.test/a-very-long-name/of-an-image:1\n";
  const pulling = [
    " extra Pulling \n 154dd229b786 Pulling fs layer \n",
    " 154dd229b786 Downloading [=====>      ]  1.5MB/3MB\n",
  ];
  const building = [
    "#6 [gateway internal] load metadata for docker.io/library/node:22\n",
    `#8 [gateway build 2/5] RUN ${"npm ci and more ".repeat(8)}\n`,
  ];

  test.each<[string, string[], readonly string[], RegExp]>([
    ["pull", ["pull"], pulling, /^ {2}› 0 of 1 image, 1\.5 of 3\.0 MB/],
    ["build", ["build", "gateway"], building, /^ {2}› gateway build 2\/5: RUN [\w ]*…/],
  ])("a %s", async (command, args, chunks, expected) => {
    const bench = workbench();
    await bench.write("more.yaml", published);
    await bench.write(
      "deploy.config.yaml",
      "version: 1\nproject: scripted\ncompose: { overlays: { always: [more.yaml] } }\n",
    );
    await bench.script({ when: `^compose --progress plain .* ${command}( |$)`, chunks, hangs: true });
    terminal = await openTerminal(bench, 40, ...args);
    const [line = ""] = await terminal.screenFrom(command === "pull" ? "of 3.0 MB" : "2/5");
    expect(line).toMatch(expected);
    expect(tooWide(await terminal.writtenLines(), 40)).toEqual([]);
    await terminal.press("C-c");
    expect((await terminal.ended()).exitCode).toBe(130);
  });

  it("a wait for health, with the service and the last words of its check", async () => {
    const bench = workbench();
    const Log = [{ ExitCode: 1, Output: "still loading the index", End: "" }];
    await bench.health("store", { Status: "starting", FailingStreak: 1, Log });
    terminal = await openTerminal(bench, 60, "up");
    const [line] = await terminal.screenFrom("still loading");
    expect(line).toMatch(/^ {2}› store: starting: still loading the index/);
    await bench.health("store", { Status: "healthy", FailingStreak: 0, Log: [] });
    expect((await terminal.ended()).exitCode).toBe(0);
  });
});

describe("colour", () => {
  const wrong = "version: 1\nprojekt: x\n";
  test.each<[string, Record<string, string>, boolean]>([
    ["is there in a terminal", {}, false],
    ["is not there with NO_COLOR", { NO_COLOR: "1" }, true],
    ["is not there where a terminal knows none", { TERM: "dumb" }, true],
  ])("%s", async (_what, env, plain) => {
    await workbench().write("deploy.config.yaml", wrong);
    expect(await (await shown(80, env, "plan")).isPlain()).toBe(plain);
  });

  it("and redrawing are not there where a terminal can only append", async () => {
    const screen = await shown(80, { TERM: "dumb" }, "up");
    expect(await screen.isPlain()).toBe(true);
    const lines = await screen.writtenLines();
    expect(lines).toContain("- wait until every service is healthy");
    expect(lines).toContain("the stack is up and healthy");
  });

  it("and all that a terminal obeys are missing in a pipe, and lines are whole there", async () => {
    for (const args of [["up"], ["status"], ["history", "show"], ["--help"], ["plan", "--no-such-flag"], ["down"]]) {
      const { stdout, stderr } = await workbench().deployWith({ CI: undefined, FORCE_COLOR: "1" }, ...args);
      expect(stdout + stderr).not.toMatch(/[\u001b\r]/);
      if (args[0] === "up") expect(stdout).toMatch(/^mode {6}local \(.*\)$/m);
    }
  });
});
