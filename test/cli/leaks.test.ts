import { mkdir, readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { command } from "../support/command.ts";
import { someOf } from "../support/some-of.ts";
import type { Rule } from "./support/scripted-docker.ts";
import { useWorkbench } from "./support/use-workbench.ts";

const workbench = useWorkbench();

/** Secrets of four origins; each has characters that some encoding changes. */
const planted = {
  file: "Fi1e$ecret'with\"quotes&more",
  quoted: "Quoted/Secret+of=the%file",
  process: "Process$ecret/of&the+shell",
  service: "Service\\Secret of<the>env_file",
};
const secrets = Object.values(planted);

/** The spellings in which a secret may show up. */
function spellings(secret: string): string[] {
  const json = JSON.stringify(secret).slice(1, -1);
  return [
    secret,
    secret.replaceAll("$", "$$$$"),
    encodeURIComponent(secret),
    json,
    JSON.stringify(json).slice(1, -1),
    Buffer.from(secret).toString("base64"),
    Buffer.from(secret).toString("base64url"),
  ];
}

/** The start of a secret also gives it away, as where a message was cut off. */
function expectClean(text: string, where: string) {
  const leaks = secrets.flatMap(spellings).filter((spelling) => text.includes(spelling));
  const parts = secrets.filter((secret) => text.includes(secret.slice(0, 12)));
  expect({ where, leaks, parts }).toEqual({ where, leaks: [], parts: [] });
}

/** Everything that a careless program could print: each secret in each spelling. */
const chatter = secrets.flatMap(spellings).join("\nnext ");

async function plant() {
  const bench = workbench();
  await bench.write(
    ".env",
    [
      `PORT=${bench.port}`,
      `GATEWAY_API_KEY='${planted.file.replaceAll("'", "\\'")}'`,
      `STORE_PASSWORD="${planted.quoted}"`,
      `DATABASE_URL=postgres://user:${encodeURIComponent(planted.file)}@store/x`,
      "",
    ].join("\n"),
  );
  await bench.write("service.env", `MAIL_PASSWORD='${planted.service}'\n`);
  await bench.write(
    "more.yaml",
    `services:\n  store:\n    env_file: ["${bench.folder}/service.env"]\n    environment:\n      API_TOKEN: \${API_TOKEN:-}\n      DATABASE_URL: \${DATABASE_URL}\n`,
  );
  await bench.write(
    "deploy.config.yaml",
    "version: 1\nproject: scripted\ncompose:\n  overlays:\n    always: [more.yaml]\n",
  );
}

/** Runs a command and checks what it prints; returns it. */
async function watched(...args: string[]) {
  const ended = await workbench().deployWith({ API_TOKEN: planted.process }, ...args);
  expectClean(ended.stdout, `stdout of ${args.join(" ")}`);
  expectClean(ended.stderr, `stderr of ${args.join(" ")}`);
  return ended;
}

/** The operator's own files with secrets, and the places of the tool's state that are there to hold some. */
const ownSecrets = /^(\.env|service\.env)$/;
const keptSecrets = /^\.deploy\/(secrets\/[^/]+|history\/[^/]+\/((files|mounted)\/[^/]+|(model|compose)\.json))$/;

/**
 * Checks every word that docker was called with, and every file of the folder but those that are there to hold secrets;
 * those are in folders that nobody else may enter.
 */
async function expectCleanFiles() {
  const { folder } = workbench();
  expectClean((await workbench().calls()).flat().join("\n"), "the arguments of docker");
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  const paths = files.map((path) => path.slice(folder.length + 1));
  for (const path of paths.filter((each) => keptSecrets.test(each))) {
    const { mode } = await stat(join(folder, path, ".."));
    expect([path, mode & 0o777]).toEqual([path, 0o700]);
  }
  const checked = paths.filter((path) => !ownSecrets.test(path) && !keptSecrets.test(path));
  for (const path of checked) expectClean(await readFile(join(folder, path), "utf8"), path);
  return checked;
}

const commands = [
  ["secrets", "list"],
  ["secrets", "check"],
  ["secrets", "generate"],
  ["plan"],
  ["config"],
  ["status"],
  ["logs"],
  ["restart"],
  ["detect"],
  ["build"],
  ["pull"],
  ["history"],
  ["history", "show"],
  ["diff"],
  ["diff", "last"],
  ["status", "--verify"],
  ["audit"],
  ["unlock"],
  ["down"],
];

describe("a planted secret", () => {
  it("shows in no output of any command, and in no file but its own, when all goes well", async () => {
    await plant();
    workbench().openFrontDoor("local");
    const up = await watched("up");
    expect(up.exitCode).toBe(0);
    await workbench().script({ when: " logs ", stdout: `store-1  | ${chatter}\n` });
    for (const command of someOf(commands.slice(0, -1), 3)) {
      const text = await watched(...command, "--verbose");
      const json = await watched(...command, "--json");
      expect([command, text.exitCode, json.exitCode]).toEqual([command, 0, 0]);
    }
    const checked = await expectCleanFiles();
    expect(checked).toContain(".deploy/receipt.json");
    expect(checked.join("\n")).toMatch(/^\.deploy\/history\/[^/]+\/deployment\.json$/m);
    expect((await watched("down")).exitCode).toBe(0);
  });

  it("that is given to the tool shows in no output, whether it is taken or not", async () => {
    await plant();
    const { environment, folder, tool } = workbench();
    const set = async (input: string, ...args: string[]) => {
      const line = ["--", join(tool, "dist/main.js"), "secrets", "set", ...args];
      const ended = await command(process.execPath, line, { cwd: folder, env: environment, input });
      expectClean(ended.stdout + ended.stderr, `secrets set ${args.join(" ")}`);
      return ended.exitCode;
    };
    expect(await set(`${planted.process}\n`, "STORE_PASSWORD", "--json")).toBe(0);
    expect(await set(`${planted.process}\n${planted.service}`, "STORE_PASSWORD")).toBe(3);
    expect(await set(planted.service, planted.quoted)).toBe(2);
    await workbench().write(".env", `STORE_PASSWORD="${planted.quoted}\n`);
    expect(await set(planted.process, "STORE_PASSWORD")).toBe(2);
    await expectCleanFiles();
  });

  it("and the one that takes its place show in no output of a rotation, done or failed", async () => {
    await plant();
    workbench().openFrontDoor("local");
    await workbench().remember();
    await watched("up");
    const values = async () =>
      [...(await workbench().read(".env")).matchAll(/^\w+(?:KEY|PASSWORD)=["']?(k[\w-]+)/gm)].map(
        ([, value]) => value ?? "",
      );
    await workbench().script({ when: " up ", exitCode: 1, stderr: `cannot start: ${chatter}\n`, times: 1 });
    const failed = await watched("secrets", "rotate", "STORE_PASSWORD", "--verbose");
    expect(failed.exitCode).toBe(1);
    const done = await watched("secrets", "rotate", "STORE_PASSWORD", "GATEWAY_API_KEY", "--verbose", "--json");
    expect(done.exitCode).toBe(0);
    const now = await values();
    expect(now).toHaveLength(2);
    for (const value of now) expect(done.stdout + done.stderr).not.toContain(value);
    await expectCleanFiles();
  });

  it("shows in no output of an up that fails and goes back by itself, or of a rollback by hand, done or failed", async () => {
    await plant();
    const bench = workbench();
    bench.openFrontDoor("local");
    expect((await watched("up")).exitCode).toBe(0);
    const change = async (limit: number) =>
      bench.write(".env", `${await bench.read(".env")}RATE_LIMIT_PER_MINUTE=${limit}\n`);
    await change(101);
    const fails = { when: "^compose .* up ", exitCode: 1, stderr: `cannot start: ${chatter}\n`, stdout: chatter };
    await bench.script({ ...fails, starts: true, times: 1 });
    const back = await watched("up", "--verbose");
    expect(back).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/cannot start: ‹redacted›[\s\S]*warning D098/),
    });
    await bench.script();
    expect((await watched("up")).exitCode).toBe(0);
    await bench.script({ ...fails, starts: true });
    for (const flags of [["--verbose"], ["--json"]]) {
      const failed = await watched("rollback", "--yes", ...flags);
      expect([failed.exitCode, failed.stdout + failed.stderr]).toEqual([1, expect.stringContaining("D074")]);
    }
    await bench.script();
    expect((await watched("rollback", "--yes", "--verbose")).exitCode).toBe(0);
    for (const command of [["audit"], ["history", "show"], ["diff", "last"]]) await watched(...command, "--json");
    const checked = await expectCleanFiles();
    expect(checked).toEqual(expect.arrayContaining([".deploy/audit.jsonl", ".deploy/receipt.json"]));
  });

  it("shows in none of the pages that a pipeline keeps, of what goes well, fails, is refused, or is no command", async () => {
    await plant();
    const bench = workbench();
    bench.openFrontDoor("local");
    const pages = { summary: "kept/page.md", junit: "kept/page.xml", json: "kept/page.json" };
    await mkdir(join(bench.folder, "kept"));
    const flags = Object.entries(pages).flatMap(([kind, path]) => [`--${kind}-file`, path]);
    const kept = async (exitCode: number, ...args: string[]) => {
      const ended = await watched(...args, "--ci", ...flags);
      expect([args, ended.exitCode]).toEqual([args, exitCode]);
      const texts = await Promise.all(Object.values(pages).map((path) => bench.read(path)));
      expectClean(texts.join("\n"), `what a pipeline keeps of ${args.join(" ")}`);
      await Promise.all(Object.values(pages).map((path) => rm(join(bench.folder, path))));
      return texts.join("\n");
    };
    await kept(0, "plan");
    await kept(0, "up");
    await bench.write(".env", `${await bench.read(".env")}RATE_LIMIT_PER_MINUTE=101\n`);
    await bench.script({
      when: "^compose .* up ",
      exitCode: 1,
      stderr: `cannot start: ${chatter}\n`,
      starts: true,
      times: 1,
    });
    expect(await kept(1, "up")).toContain("redacted");
    const log = [{ ExitCode: 1, Output: `check says ${chatter}`, End: "2026-01-01T00:00:00Z" }];
    await bench.health("store", { Status: "unhealthy", FailingStreak: 30, Log: log });
    await bench.script({ when: "^logs ", stdout: `${chatter}\n`, stderr: chatter });
    expect(await kept(1, "up", "--no-rollback")).toContain("redacted");
    await bench.script({
      when: "^(compose .* (up|down|restart)|container rm|rm) ",
      exitCode: 1,
      stderr: chatter,
      stdout: chatter,
    });
    for (const words of [["rollback", "--yes"], ["restart"], ["down"]]) await kept(1, ...words);
    await kept(3, "secrets", "rotate", "STORE_PASSWORD");
    await kept(2, "history", "show", planted.process);
    // What only a service's env_file holds, docker cannot know where it could not even merge the files.
    const known = [planted.file, planted.quoted, planted.process].flatMap(spellings).join("\nnext ");
    await bench.script({ when: "^(?!compose version)", exitCode: 1, stderr: known, stdout: known });
    await kept(3, "up");
    await bench.script();
    await expectCleanFiles();
  });

  it("is torn out of logs that arrive in pieces", async () => {
    await plant();
    workbench().openFrontDoor("local");
    await watched("up");
    const text = `store-1  | begin ${secrets.join(" and ")} end\n`;
    for (const size of [1, 7, 20]) {
      const chunks = text.match(new RegExp(`[^]{1,${size}}`, "g")) ?? [];
      await workbench().script({ when: " logs ", chunks });
      const { stdout } = await watched("logs");
      expect(stdout).toMatch(/^store-1 {2}\| begin .* end\n$/);
    }
  });

  it("shows in no output when docker itself fails and quotes it", async () => {
    await plant();
    // What only a service's env_file holds, docker cannot know where it could not even merge the files.
    const chatter = [planted.file, planted.quoted, planted.process].flatMap(spellings).join("\nnext ");
    const failing: Rule[] = [
      { when: "^(?!compose version)", exitCode: 1, stderr: `it failed: ${chatter}\n`, stdout: chatter },
    ];
    await workbench().script(...failing);
    for (const command of someOf([["up"], ...commands], 3)) {
      await watched(...command);
      await watched(...command, "--json", "--verbose");
    }
    await expectCleanFiles();
  });

  it("shows in no output when compose up fails and quotes it", async () => {
    await plant();
    await workbench().script({ when: " up ", exitCode: 1, stderr: `cannot start: ${chatter}\n` });
    const { exitCode, stderr } = await watched("up", "--verbose");
    expect(exitCode).toBe(1);
    expect(stderr).toContain("D074");
    expect(stderr).toContain("cannot start: ‹redacted›");
    await expectCleanFiles();
  });

  it("shows in no output when a health check and the logs of a service quote it", async () => {
    await plant();
    const log = [{ ExitCode: 1, Output: `check says ${chatter}`, End: "2026-01-01T00:00:00Z" }];
    await workbench().health("store", { Status: "unhealthy", FailingStreak: 30, Log: log });
    await workbench().script({ when: "^logs ", stdout: `${chatter}\n`, stderr: chatter });
    for (const flags of [[], ["--json"]]) {
      const { exitCode, stdout, stderr } = await watched("up", ...flags);
      expect(exitCode).toBe(1);
      expect(stdout + stderr).toContain("D070");
      expect(stdout + stderr).toContain("next ");
    }
    expect((await watched("status")).exitCode).toBe(1);
    await expectCleanFiles();
  });

  it("shows in no output when the file that holds it is broken", async () => {
    await plant();
    await workbench().write(".env", `STORE_PASSWORD="${planted.quoted}\n`);
    await workbench().script({ when: " logs | down | restart ", exitCode: 1, stderr: `line 1: ${planted.quoted}\n` });
    for (const command of someOf([["up"], ["plan", "--json"], ...commands], 4)) await watched(...command);
  });

  it("shows in no output of a down without configuration", async () => {
    await plant();
    await workbench().write("deploy.config.yaml", "{{{");
    await workbench().script({ when: "^ps", exitCode: 1, stderr: planted.quoted + planted.process });
    expect((await watched("down")).exitCode).toBe(3);
  });
});

it("a secret that is an ordinary word or number leaves JSON what it is", async () => {
  await workbench().write(".env", `PORT=${workbench().port}\nGATEWAY_API_KEY=true\nSTORE_PASSWORD=version\n`);
  for (const command of ["plan", "config", "status"]) {
    const { stdout } = await workbench().deploy(command, "--json");
    expect(JSON.parse(stdout)).toBeTypeOf("object");
  }
});
