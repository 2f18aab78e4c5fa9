import { spawnSync } from "node:child_process";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, test } from "vitest";
import { commandTable } from "../../src/cli.ts";
import { createProgram } from "../../src/command-line.ts";
import { globalOptions } from "../../src/global-options.ts";
import { command } from "../support/command.ts";
import { someOf } from "../support/some-of.ts";
import { refused, useWorkbench } from "./support/use-workbench.ts";

const workbench = useWorkbench();
const names = commandTable.map(({ name }) => name);

describe("a command line that is not understood", () => {
  const wrong: [string[], string, string][] = [
    [["up", "--imagse", "local"], "unknown option '--imagse'", "did you mean --images?"],
    [["up", "--volumes"], "unknown option '--volumes'", "./deploy up --help shows its flags"],
    [["upp"], "unknown command 'upp'", "did you mean up?"],
    [["frobnicate"], "unknown command 'frobnicate'", "./deploy --help shows every command"],
    [["up", "gateway"], "too many arguments for 'up'", "./deploy up --help"],
    [["up", "--images"], "option '--images <source>' argument missing", "./deploy up --help"],
    [["up", "--images", "foo"], "Allowed choices are registry, local", "./deploy up --help"],
    [["up", "--pull", "sometimes"], "Allowed choices are missing, always, never", "./deploy up --help"],
    [["up", "--wait-seconds", "0"], "It must be a whole number from 1", "./deploy up --help"],
    [["doctor", "--timeout", "9999999999"], "It must be a whole number from 1 to 1000000", "./deploy doctor --help"],
    [["logs", "--tail", "abc"], "It must be a number of lines or all", "./deploy logs --help"],
    [["logs", "--tail"], "option '--tail <n>' argument missing", "./deploy logs --help"],
    [["logs", "--follow", "--json"], "cannot be used with option '--json'", "./deploy logs --help"],
    [["up", "--accept", "nonsense"], "It must be one of host-root, host-network, host-files", "./deploy up --help"],
    [["completion", "tcsh"], "Allowed choices are bash, zsh, fish", "./deploy completion --help"],
    [["completion"], "missing required argument 'shell'", "./deploy completion --help"],
  ];
  test.each(someOf(wrong, 6))("%j is D001 with a way out, and runs nothing", async (args, message, fix) => {
    const { exitCode, stdout, stderr } = await workbench().deploy(...args);
    expect(exitCode).toBe(2);
    const said = args.includes("--json") ? `${stdout}${stderr}` : stderr;
    expect(said).toMatch(/^error D001 /m);
    expect(said).toContain(message);
    expect(said).toContain(`fix: ${fix}`);
    expect(await workbench().changes()).toEqual([]);
    expect(stdout === "").toBe(!args.includes("--json"));
  });

  it("without any command shows the commands on stderr", async () => {
    const said = await refused(workbench(), 2);
    for (const name of names) expect(said).toContain(`  ${name} `);
    expect(said).toContain("error D001 a command is missing");
  });
});

describe("help", () => {
  it("of every command that is kept waiting by a lock has --lock-wait", () => {
    const waiting = commandTable.filter(({ name, readsOnly }) => !readsOnly && name !== "unlock");
    const without = waiting.filter(({ options = [] }) => !options.some(({ long }) => long === "--lock-wait"));
    expect(without.map(({ name }) => name)).toEqual([]);
  });

  it("of the whole names every command and has examples", async () => {
    const { exitCode, stdout, stderr } = await workbench().deploy("--help");
    expect([exitCode, stderr]).toEqual([0, ""]);
    for (const name of names) expect(stdout).toContain(`  ${name} `);
    expect(stdout).toContain("Examples:\n  deploy plan");
  });

  test.each(someOf(commandTable, 4))(
    "of $name has every flag and an example that is a valid command line",
    async (entry) => {
      const { exitCode, stdout } = await workbench().deploy(entry.name, "--help");
      expect(exitCode).toBe(0);
      for (const { long } of [...(entry.options ?? []), ...globalOptions()]) expect(stdout).toContain(String(long));
      expect(stdout).toContain(`Example:\n  ${entry.example}`);
      const ofShell = /^eval "\$\(|\)"$| [|>] .*$/g;
      const line = entry.example.replaceAll(ofShell, "").replace(/^deploy /, "");
      const dispatched: string[] = [];
      const program = createProgram("", async (command) => void dispatched.push(command));
      await program.parseAsync(["node", "deploy", ...line.split(" ")]);
      expect(dispatched).toEqual([entry.name]);
    },
  );
});

it.each([[["--version"]], [["-V"]], [["up", "--version"]]])("%j says the version and nothing else", async (args) => {
  const { exitCode, stdout } = await workbench().deploy(...args);
  expect([exitCode, stdout]).toEqual([0, "0.0.1-test\n"]);
});

describe("--json", () => {
  const json = async (...args: string[]) => {
    const { exitCode, stdout, stderr } = await workbench().deploy(...args, "--json");
    const document: Record<string, unknown> = JSON.parse(stdout);
    return { exitCode, document, stderr };
  };

  it("prints one document on stdout for every command that ends well", async () => {
    workbench().openFrontDoor("local");
    await workbench().script({ when: " logs ", stdout: "store-1  | one\ngateway-1 | two | three\nloose\n" });
    const lines: string[][] = [
      ["plan"],
      ["build", "store"],
      ["pull"],
      ["up"],
      ["status"],
      ["history"],
      ["history", "show", "last"],
      ["diff"],
      ["diff", "last"],
      ["diff", "last", "last"],
      ["logs"],
      ["restart"],
      ["detect", "config.yaml"],
      ["secrets", "list"],
      ["secrets", "check"],
      ["audit"],
      ["unlock"],
      ["completion", "bash"],
      ["down"],
    ];
    for (const line of lines) {
      const { exitCode, document } = await json(...line);
      expect([line, exitCode, document["version"]]).toEqual([line, 0, 1]);
    }
    expect((await json("config")).document["services"]).toBeTypeOf("object");
    expect((await json("logs")).document["lines"]).toEqual([
      { container: "store-1", line: "one" },
      { container: "gateway-1", line: "two | three" },
      { container: null, line: "loose" },
    ]);
  });

  it("prints the exit code and the findings when a command fails, and nothing else on stdout", async () => {
    await workbench().script({ when: "^ps", exitCode: 1, stderr: "Cannot connect to the Docker daemon at x.\n" });
    for (const line of someOf(
      [["up"], ["plan"], ["status"], ["logs"], ["restart"], ["build"], ["pull"], ["down"]],
      3,
    )) {
      const { exitCode, document } = await json(...line);
      expect(document).toMatchObject({ version: 1, exitCode, findings: [{ code: "D041", severity: "error" }] });
      expect(exitCode).toBe(3);
    }
  });

  it("prints a place with each finding of the configuration", async () => {
    await workbench().write("deploy.config.yaml", "version: 1\nsandbox: {mode: docker}\n");
    const complete = commandTable.filter(({ args = [] }) => !args.some(({ required }) => required));
    // What is needed most when the configuration is broken does without it.
    const without = ["down", "unlock", "history", "audit"];
    const reading = complete.map(({ name }) => name).filter((name) => !without.includes(name));
    for (const name of someOf(reading, 3)) {
      const { exitCode, document } = await json(name);
      // To doctor every error is the same: something that would stop an up.
      expect([name, exitCode]).toEqual([name, name === "doctor" ? 3 : 2]);
      const findings = Array.isArray(document["findings"]) ? document["findings"] : [];
      const placed = findings.filter(({ code }) => code === "D012");
      expect(placed).toMatchObject([{ at: { file: "deploy.config.yaml", line: 2, column: 17 } }]);
      if (name !== "doctor") expect(findings).toEqual(placed);
    }
  });

  it("prints wrong usage as a document as well", async () => {
    const { exitCode, document } = await json("up", "--imagse", "x");
    expect(exitCode).toBe(2);
    expect(document).toMatchObject({ version: 1, exitCode: 2, findings: [{ code: "D001" }] });
  });

  it("of a plan that would be refused has the plan, its findings and the exit code", async () => {
    await workbench().write("more.yaml", "services:\n  store:\n    volumes: ['/nowhere/data:/extra:ro']\n");
    await workbench().write("deploy.config.yaml", "version: 1\ncompose:\n  overlays:\n    always: [more.yaml]\n");
    const { exitCode, document } = await json("plan");
    expect(exitCode).toBe(3);
    expect(document).toMatchObject({ version: 1, exitCode: 3, mode: "local", findings: [{ code: "D048" }] });
  });
});

describe("stdout and stderr", () => {
  it("keep results apart from progress", async () => {
    workbench().openFrontDoor("local");
    const up = await workbench().deploy("up");
    expect(up.stdout).toMatch(/^the stack is up and healthy\nurl {7}http/);
    expect(up.stderr).toContain("- wait until every service is healthy");
    const plan = await workbench().deploy("plan");
    expect(plan.stdout).toContain("\nsteps\n  1. ");
    expect(plan.stderr).toBe("");
  });

  it("end a command quietly when nobody reads on", async () => {
    const { folder, tool } = workbench();
    await workbench().script({ when: " logs ", stdout: "store-1  | one line of many\n".repeat(100_000) });
    const line = `"$0" -- "${tool}/dist/main.js" logs | head -n 1`;
    const { stdout, stderr } = await command("bash", ["-c", line, process.execPath], {
      cwd: folder,
      env: workbench().environment,
    });
    expect(stdout).toBe("store-1  | one line of many\n");
    expect(stderr).not.toMatch(/bug|EPIPE|\bat /);
  });

  it("have no colour in a pipe, with NO_COLOR or with --no-color", async () => {
    await workbench().write("deploy.config.yaml", "version: 2\n");
    for (const [env, flag] of [
      [{}, "--yes"],
      [{ NO_COLOR: "1" }, "--yes"],
      [{ FORCE_COLOR: "1" }, "--no-color"],
    ] as const) {
      const { stdout, stderr } = await workbench().deployWith(env, "up", flag);
      expect(stderr).toContain("D012");
      expect(stdout + stderr).not.toContain("\u001b");
    }
  });

  it("let NO_COLOR and --json take the colour from Compose's logs", async () => {
    await workbench().deployWith({ NO_COLOR: "1" }, "logs");
    await workbench().deploy("logs", "--json");
    await workbench().deploy("logs");
    const asked = (await workbench().calls()).filter((argv) => argv.includes("logs"));
    expect(asked.map((argv) => argv.includes("--no-color"))).toEqual([true, true, false]);
  });
});

/** Whether a shell is installed: one that is not cannot be asked. */
function isThere(shell: string): boolean {
  return spawnSync(shell, ["-c", "true"]).error === undefined;
}

describe("completion", () => {
  const scripts = new Map<string, string>();

  async function script(shell: string): Promise<string> {
    const known = scripts.get(shell) ?? (await workbench().deploy("completion", shell)).stdout;
    scripts.set(shell, known);
    return known;
  }

  /** What bash offers for a line, the last word being completed. */
  async function offered(...words: string[]): Promise<string[]> {
    const file = join(workbench().folder, "completion.bash");
    await writeFile(file, await script("bash"));
    const line = [
      `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _sandbox_deploy`,
      `printf '%s\\n' "\${COMPREPLY[@]}"`,
    ].join("; ");
    const { stdout } = await command("bash", ["-c", line, "bash", file, "./deploy", ...words], {
      cwd: workbench().folder,
    });
    return stdout.split("\n").filter((word) => word !== "");
  }

  it("for bash completes every command", async () => {
    expect(await offered("")).toEqual([...names, "--help", "--version"]);
    expect(await offered("re")).toEqual(["restart"]);
  });

  it("for bash completes the flags of each command", async () => {
    for (const { name, options = [] } of commandTable) {
      const flags = [...options, ...globalOptions()].map(({ long }) => String(long));
      expect(await offered(name, "--")).toEqual(expect.arrayContaining([...flags, "--help"]));
    }
    expect(await offered("up", "--im")).toEqual(["--images"]);
  });

  it("for bash completes the values that a flag or an argument allows", async () => {
    expect(await offered("up", "--images", "")).toEqual(["registry", "local"]);
    expect(await offered("up", "--accept", "host-n")).toEqual(["host-network"]);
    expect(await offered("completion", "z")).toEqual(["zsh"]);
  });

  it("for bash completes files, also those with spaces, where a file is meant", async () => {
    await mkdir(join(workbench().folder, "some folder"));
    expect(await offered("up", "--config", "deploy.c")).toEqual(["deploy.config.yaml"]);
    expect(await offered("detect", "some")).toEqual(["some folder"]);
    await rm(join(workbench().folder, "some folder"), { recursive: true });
  });

  it.each(["bash", "zsh", "fish"])("for %s is a script without syntax errors", async (shell) => {
    const text = await script(shell);
    for (const name of names) expect(text).toContain(name);
    const file = join(workbench().folder, `completion.${shell}`);
    await writeFile(file, text);
    const checked = spawnSync(shell, [shell === "fish" ? "--no-execute" : "-n", file], { encoding: "utf8" });
    if (isThere(shell)) expect([checked.status, checked.stderr]).toEqual([0, ""]);
  });

  const lines = [
    [
      ["deploy", ""],
      ["up", "down", "restart"],
    ],
    [
      ["deploy", "up", "--"],
      ["--images", "--no-build", "--json"],
    ],
    [
      ["deploy", "up", "--images", ""],
      ["registry", "local"],
    ],
    [
      ["deploy", "guard", ""],
      ["log", "check", "policy", "serve"],
    ],
  ] as const;

  it.each(lines)("for zsh and fish offers for %j, among others, %j", async (words, expected) => {
    // What zsh's own completion calls is replaced by what prints.
    const zsh = [
      'compdef() {}; _describe() { print -l -- ${(P)2%%:*} }; compadd() { print -l -- "${@:2}" }; source "$1"; shift',
      'words=("$@") CURRENT=$#; _sandbox_deploy',
    ].join("\n");
    const fish = `source $argv[1]; complete -C (string join ' ' -- $argv[2..])`;
    for (const [shell, program] of [
      ["zsh", ["-f", "-c", zsh, "zsh"]],
      ["fish", ["--no-config", "-c", fish, "--"]],
    ] as const) {
      const file = join(workbench().folder, `completion.${shell}`);
      await writeFile(file, await script(shell));
      if (!isThere(shell)) continue;
      const { exitCode, stdout, stderr } = await command(shell, [...program, file, ...words]);
      expect([shell, exitCode, stderr]).toEqual([shell, 0, ""]);
      const offers = stdout.split("\n").map((line) => line.split("\t")[0]);
      expect(offers, shell).toEqual(expect.arrayContaining([...expected]));
    }
  });
});
