import { once } from "node:events";
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { eventually } from "../support/command.ts";
import { openTerminal, type Terminal } from "./support/terminal.ts";
import { useWorkbench } from "./support/use-workbench.ts";

const workbench = useWorkbench();
const files = ["deploy.config.yaml", "config.yaml", ".env"];
const texts = () =>
  Promise.all(
    files.map((name) =>
      workbench()
        .read(name)
        .catch(() => undefined),
    ),
  );

let terminal: Terminal | undefined;
let socket: Server | undefined;

/** A folder as a new checkout is: a configuration, and nothing of the operator's. */
async function newFolder(): Promise<void> {
  for (const name of ["config.yaml", ".env", ".deploy"])
    await rm(join(workbench().folder, name), { recursive: true, force: true });
  const path = join(workbench().folder, "docker.sock");
  await workbench().write(
    "deploy.config.yaml",
    `version: 1\nproject: scripted\nsandbox:\n  docker:\n    socket: ${path} # here\n`,
  );
}

beforeEach(async () => {
  await newFolder();
  socket = createServer().listen(join(workbench().folder, "docker.sock"));
  await once(socket, "listening");
});
afterEach(async () => {
  await terminal?.close();
  terminal = undefined;
  socket?.close();
});

/** Starts the tool anew in a terminal. */
async function open(
  command = "setup",
  size: Parameters<typeof openTerminal>[1] = { columns: 80, rows: 24 },
  env: Readonly<Record<string, string>> = {},
): Promise<Terminal> {
  await terminal?.close();
  for (const name of ["status", "after", "before"]) await rm(join(workbench().folder, name), { force: true });
  terminal = await openTerminal(
    { ...workbench(), environment: { ...workbench().environment, ...env } },
    size,
    ...command.split(" "),
  );
  return terminal;
}

/** What is pressed at one question, by the words that stand before its answer. */
type Key = readonly [title: string, ...keys: string[]];

/** The question that is open, as it stands on the screen: `? title …`, or one of yes or no. */
async function openQuestion({ screenFrom }: Terminal): Promise<string> {
  const screen = await screenFrom("");
  return screen.findLast((line) => /^\?|\(y\/N\) ‣/.test(line)) ?? screen.join("\n");
}

/**
 * Waits until a question is asked. A doubt about the answer before, such as a port that another program on this machine
 * has, is answered with yes.
 */
async function reach(shown: Terminal, title: string): Promise<void> {
  await eventually(async () => {
    const open = await openQuestion(shown);
    // Each key once: a second Enter would answer what is asked next.
    if (open.includes("(y/N) ‣ No")) {
      await shown.press("y");
      await eventually(async () => expect(await openQuestion(shown)).toContain("(y/N) ‣ Yes"));
      await shown.press("Enter");
    }
    expect(open).toContain(`? ${title} `);
  });
}

/** Presses keys at each question once it is asked, and Enter behind them. */
async function press(shown: Terminal, keys: readonly Key[]): Promise<void> {
  for (const [title, ...pressed] of keys) {
    await reach(shown, title);
    await shown.press(...pressed, "Enter");
    // What comes next may be longer than the screen.
    await eventually(async () => {
      const screen = (await shown.screenFrom("")).join("\n");
      if (!screen.includes(`✔ ${title} ·`)) expect(await openQuestion(shown)).not.toContain(`? ${title} `);
    });
  }
}

const token = "sk-ant-oat01-Q7vTz3mWn5xYb7cRd2fPq6";
const port = () => String(workbench().port);

const logins: readonly Key[] = [["login of Claude Code"], ["login of Codex"]];
const none = ["--claude", "none", "--codex", "none"];
const reached = (): Key[] => [["sandbox mode"], ["who may reach it"], ["port", port()]];

/** Every kind of path through the questions: keys, and the flags that give the same answers. */
const paths: readonly [name: string, keys: () => Key[], flags: () => string[]][] = [
  [
    "local, this machine only, with what Enter gives",
    () => [...reached(), ...logins, ["memory"], ["processors"]],
    () => ["--mode", "local", "--exposure", "machine", "--port", port(), ...none, "--memory", "1g", "--cpus", "1"],
  ],
  [
    "aio, a private network, with limits of its own",
    () => [
      ["sandbox mode", "Down"],
      ["who may reach it", "Down"],
      ["address to listen on", "0.0.0.0"],
      ["port", port()],
      ...logins,
      ["memory", "256m"],
      ["processors", "0.5"],
      ["processes", "32"],
      ["sandboxes at a time", "2"],
    ],
    () => [
      ...["--mode", "aio", "--exposure", "network", "--address", "0.0.0.0", "--port", port(), ...none],
      ...["--memory", "256m", "--cpus", "0.5", "--pids", "32", "--sandboxes", "2"],
    ],
  ],
  [
    "provisioner, by way of the other end of the list, with a kubeconfig that is not there yet",
    () => [
      ["sandbox mode", "Up"],
      ["the provisioner's image", "me/provisioner:1"],
      ["kubeconfig file", "/nowhere/config"],
      ["who may reach it", "Down", "Up"],
      ["port", port()],
      ["login of Claude Code", "Down", "Down"],
      ["login of Codex", "Up"],
    ],
    () => [
      ...["--mode", "provisioner", "--provisioner-image", "me/provisioner:1", "--kubeconfig", "/nowhere/config"],
      ...["--exposure", "machine", "--port", port(), "--claude", "file", "--codex", "directory"],
    ],
  ],
  [
    "a domain of its own with an authority of its own, and a token",
    () => [
      ["sandbox mode"],
      ["who may reach it", "Down", "Down"],
      ["domain", "localhost"],
      ["certificate from"],
      ["address to listen on", "127.0.0.1"],
      ["login of Claude Code", "Down"],
      ["login of Codex"],
      ["memory"],
      ["processors"],
      ["token of Claude Code (not shown)", token],
    ],
    () => [
      ...["--mode", "local", "--exposure", "domain", "--domain", "localhost", "--tls", "internal"],
      ...["--address", "127.0.0.1"],
      ...["--claude", "env", "--codex", "none", "--memory", "1g", "--cpus", "1"],
    ],
  ],
  [
    "a public domain with a certificate of the operator's",
    () => [
      ["sandbox mode"],
      ["who may reach it", "Up"],
      ["domain", "agents.example.org"],
      ["certificate from", "Up"],
      ["certificate file", "tls/cert.pem"],
      ["key file", "tls/key.pem"],
      ["address to listen on"],
      ...logins,
      ["memory"],
      ["processors"],
    ],
    () => [
      ...["--mode", "local", "--exposure", "domain", "--domain", "agents.example.org", "--tls", "files"],
      ...["--address", "0.0.0.0"],
      ...[
        "--certificate",
        "tls/cert.pem",
        "--certificate-key",
        "tls/key.pem",
        ...none,
        "--memory",
        "1g",
        "--cpus",
        "1",
      ],
    ],
  ],
];

const screens: readonly [what: string, size: { columns: number; rows: number }, env: Record<string, string>][] = [
  ["80×24", { columns: 80, rows: 24 }, {}],
  ["40 columns without colour", { columns: 40, rows: 24 }, { NO_COLOR: "1" }],
];

describe("the wizard in a terminal", () => {
  it.each(screens.flatMap((screen) => paths.map((path) => [path[0], screen[0], path, screen] as const)))(
    "writes for %s (%s) what the same answers write as flags",
    async (_path, _screen, [, keys, flags], [, size, env]) => {
      const shown = await open("setup", size, env);
      await press(shown, keys());
      await reach(shown, "what now");
      if (env["NO_COLOR"]) expect(await shown.isPlain()).toBe(true);
      expect((await texts()).slice(1)).toEqual([undefined, undefined]);
      await shown.press("Enter");
      expect(await shown.ended()).toEqual({ exitCode: 0, sane: true });
      const written = await texts();
      expect((await shown.screenFrom("")).join("")).not.toContain(token);
      expect((await readdir(join(workbench().folder, ".deploy"))).join(" ")).not.toMatch(/setup|token/);
      await newFolder();
      const secret = { DEPLOY_SETUP_CLAUDE_TOKEN: token };
      expect(await workbench().deployWith(secret, "setup", ...flags())).toMatchObject({ exitCode: 0 });
      expect(await texts()).toEqual(written);
      expect(await workbench().changes()).toEqual([]);
    },
  );

  it("asks again after what does not fit, and after a doubt that is shared", async () => {
    const shown = await open();
    await press(shown, [["sandbox mode"], ["who may reach it"], ["port", "port", "Space", "80"]]);
    await shown.screenFrom("That does not fit: it has to be a whole number from 1 to 65535.");
    const taken = createServer().listen(0, "127.0.0.1");
    await once(taken, "listening");
    const address = taken.address();
    const busy = typeof address === "object" ? String(address?.port) : "";
    try {
      await press(shown, [["port", busy]]);
      // What is asked comes after what was found.
      await shown.screenFrom(`? Keep ${busy} all the same? (y/N) ‣ No`);
      const doubt = (await shown.screenFrom(`Port ${busy} is in use by`)).join(" ");
      expect(doubt).toMatch(new RegExp(`is in use by .*\\(process \\d+\\)\\. *\\? Keep ${busy}`));
      // A key alone is no answer yet, and may be taken back.
      await shown.press("y");
      await shown.screenFrom("(y/N) ‣ Yes");
      await shown.press("n", "Enter");
      await shown.screenFrom("Then another one:");
    } finally {
      taken.close();
    }
    await press(shown, [["port", port()], ...logins, ["memory", "lots"]]);
    await shown.screenFrom("That does not fit: it has to be a size");
    await press(shown, [["memory", "512m"], ["processors"]]);
    await press(shown, [["what now"]]);
    expect(await shown.ended()).toMatchObject({ exitCode: 0 });
    expect(await workbench().read(".env")).toMatch(new RegExp(`^PORT=${port()}$[\\s\\S]*^GATEWAY_MEMORY=512m$`, "m"));
  });

  it("keeps the answers when Ctrl-C ends it at any question, and goes on from there", async () => {
    const keys: Key[] = [
      ["sandbox mode", "Down"],
      ["who may reach it", "Down"],
      ["address to listen on", "0.0.0.0"],
      ["port", port()],
      ...logins,
      ["memory", "256m"],
      ["processors", "0.5"],
      ["processes", "32"],
      ["sandboxes at a time", "2"],
    ];
    const kept = join(workbench().folder, ".deploy/setup-answers.json");
    for (const [index, [title]] of keys.entries()) {
      const shown = await open();
      // Answered in the run before this one: it is not asked again.
      await press(shown, keys.slice(Math.max(index - 1, 0), index));
      await shown.screenFrom(`? ${title} `);
      await shown.press("C-c");
      expect(await shown.ended()).toEqual({ exitCode: 130, sane: true });
      await shown.screenFrom("interrupted: nothing was written");
      expect((await texts()).slice(1)).toEqual([undefined, undefined]);
      const answers: unknown = index === 0 ? {} : JSON.parse(await readFile(kept, "utf8")).answers;
      expect(Object.keys(Object(answers))).toHaveLength(index);
    }
    const shown = await open();
    await press(shown, keys.slice(-1));
    await reach(shown, "what now");
    await shown.press("C-c");
    expect(await shown.ended()).toEqual({ exitCode: 130, sane: true });
    await press(await open(), [["what now"]]);
    expect(await terminal?.ended()).toMatchObject({ exitCode: 0 });
    expect(await workbench().read(".env")).toMatch(/^BIND_HOST='0\.0\.0\.0'$[\s\S]*^SANDBOX_PIDS=32$/m);
    expect(await readdir(join(workbench().folder, ".deploy"))).toEqual(["audit.jsonl"]);
  });

  it("asks again for what means another thing in another mode than that of the answers that it kept", async () => {
    const answers = { mode: "aio", exposure: "machine", port: port(), claude: "none", codex: "none", memory: "256m" };
    await mkdir(join(workbench().folder, ".deploy"), { mode: 0o700 });
    await workbench().write(".deploy/setup-answers.json", JSON.stringify({ version: 1, answers }));
    const shown = await open("setup --mode local");
    await reach(shown, "memory");
    expect((await shown.screenFrom("Enter takes")).join("\n")).toContain("Enter takes 1g.");
  });

  it("starts the second time from what is there, and shows only what would be another thing", async () => {
    const flags = ["--mode", "aio", "--port", port(), "--pids", "64"];
    expect(await workbench().deploy("setup", "--yes", ...flags)).toMatchObject({ exitCode: 0 });
    const before = await texts();
    const titles = [
      "sandbox mode",
      "who may reach it",
      "port",
      "login of Claude Code",
      "login of Codex",
      "memory",
      "processors",
      "processes",
      "sandboxes at a time",
    ];
    const same = await open();
    await press(
      same,
      titles.map((title): Key => [title]),
    );
    expect(await same.ended()).toMatchObject({ exitCode: 0 });
    await same.screenFrom("nothing to change: the files say all this already");
    expect(await texts()).toEqual(before);
    const other = await open("setup", { columns: 80, rows: 50 });
    await press(other, [
      ...titles.slice(0, 7).map((title): Key => [title]),
      ["processes", "65"],
      ["sandboxes at a time"],
    ]);
    await reach(other, "what now");
    await other.press("Down", "Enter");
    await press(other, [
      ...titles.slice(0, 7).map((title): Key => [title]),
      ["processes", "66"],
      ["sandboxes at a time"],
      ["what now"],
    ]);
    expect(await other.ended()).toMatchObject({ exitCode: 0 });
    expect((await texts())[2]).toBe(before[2]?.replace("SANDBOX_PIDS=64", "SANDBOX_PIDS=66"));
  });
});

describe("the first up in a terminal", () => {
  const keys = (): Key[] => [...reached(), ...logins, ["memory"], ["processors"]];

  it("asks, shows the plan once, and deploys what was answered", async () => {
    workbench().openFrontDoor("local");
    const shown = await open("up", { columns: 80, rows: 200 });
    await shown.screenFrom("This folder has no settings yet");
    await press(shown, [...keys(), ["what now"]]);
    expect(await shown.ended()).toMatchObject({ exitCode: 0 });
    const screen = (await shown.screenFrom("This folder has no settings yet")).join("\n");
    expect(screen).toContain(`http://127.0.0.1:${port()}`);
    expect(screen.match(/^privileges/gm)).toHaveLength(1);
    expect(screen).not.toContain("./deploy up would stop");
    expect((await workbench().changes()).flat()).toContain("up");
    const again = await open("up", { columns: 80, rows: 50 });
    expect(await again.ended()).toMatchObject({ exitCode: 0 });
    expect((await again.screenFrom("")).join("\n")).not.toContain("sandbox mode");
  });

  it("deploys nothing where the answers are left, and asks nothing with --yes or where somebody has written a file", async () => {
    const shown = await open("up", { columns: 80, rows: 50 });
    await press(shown, keys());
    await reach(shown, "what now");
    await shown.press("Up", "Enter");
    expect(await shown.ended()).toMatchObject({ exitCode: 130 });
    expect(await workbench().changes()).toEqual([]);
    expect((await texts()).slice(1)).toEqual([undefined, undefined]);
    for (const prepare of [
      async () => "up --yes",
      async () => {
        // The up before still runs, and would write into the folder.
        await terminal?.close();
        await newFolder();
        await workbench().write(".env", `PORT=${port()}\n`);
        return "up";
      },
    ]) {
      const ups = async () => (await workbench().changes()).filter((argv) => argv.includes("up")).length;
      const before = await ups();
      const asked = await open(await prepare(), { columns: 80, rows: 50 });
      await eventually(async () => expect(await ups()).toBeGreaterThan(before));
      expect((await asked.screenFrom("")).join("\n")).not.toContain("sandbox mode");
    }
  });
});
