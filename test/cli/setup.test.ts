import { mkdir, readdir, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { command } from "../support/command.ts";
import { refused, useWorkbench } from "./support/use-workbench.ts";

const workbench = useWorkbench();
const files = ["deploy.config.yaml", "config.yaml", ".env"];

/** A folder as a new checkout is: the configuration, and nothing of the operator's. */
async function newFolder(): Promise<void> {
  for (const name of ["config.yaml", ".env"]) await rm(join(workbench().folder, name));
}

const texts = () =>
  Promise.all(
    files.map((name) =>
      workbench()
        .read(name)
        .catch(() => undefined),
    ),
  );
const answers = () => ({
  mode: "aio",
  exposure: "machine",
  port: String(workbench().port),
  claude: "none",
  codex: "none",
  memory: "1g",
  cpus: "1",
  pids: "64",
  sandboxes: "3",
});
const asFlags = () => Object.entries(answers()).flatMap(([id, value]) => [`--${id}`, value]);

describe("setup without a terminal", () => {
  it("writes the same files from flags, from variables and from a file, and nothing the second time", async () => {
    const ways: (() => Promise<{ exitCode: number }>)[] = [
      () => workbench().deploy("setup", ...asFlags()),
      () =>
        workbench().deployWith(
          Object.fromEntries(
            Object.entries(answers()).map(([id, value]) => [`DEPLOY_SETUP_${id.toUpperCase()}`, value]),
          ),
          "setup",
        ),
      async () => {
        const { stdout } = await workbench().deploy("setup", "--print-answers", ...asFlags());
        await workbench().write("answers.yaml", stdout);
        return workbench().deploy("setup", "--answers", "answers.yaml");
      },
    ];
    const results: unknown[] = [];
    for (const way of ways) {
      await newFolder().catch(() => undefined);
      await workbench().write("deploy.config.yaml", "version: 1\nproject: scripted # mine\n");
      expect(await way()).toMatchObject({ exitCode: 0 });
      results.push(await texts());
    }
    const [config, platform, env] = await texts();
    expect(results).toEqual(ways.map(() => [config, platform, env]));
    expect(config).toBe(
      "version: 1\nproject: scripted # mine\nsandbox:\n  docker:\n    guard:\n      limits:\n        memory: 1g\n      sandboxes:\n        alive: 3\n",
    );
    expect(platform).toMatch(/^sandbox:\n {2}use: .*AioSandboxProvider$/m);
    expect(env).toMatch(/^SANDBOX_PIDS=64$/m);
    expect((await stat(join(workbench().folder, ".env"))).mode & 0o777).toBe(0o600);
    const again = await workbench().deploy("setup", "--yes");
    expect(again).toMatchObject({
      exitCode: 0,
      stdout: "nothing to change: the files say all this already\nnext      ./deploy up\n",
    });
    expect(await texts()).toEqual([config, platform, env]);
    expect((await readdir(join(workbench().folder, ".deploy"))).sort()).toEqual(["audit.jsonl"]);
    expect(await workbench().changes()).toEqual([]);
  });

  it("stops at a missing or a wrong answer with the name of the flag, and writes nothing", async () => {
    await newFolder();
    const before = await texts();
    const said = await refused(workbench(), 2, "setup", "--mode", "aio", "--port", "0");
    expect(said).toContain("D181 --port has to be a whole number from 1 to 65535");
    expect(said).toContain("fix: --exposure machine|network|domain, DEPLOY_SETUP_EXPOSURE, or exposure: in a file");
    expect(await refused(workbench(), 2, "setup", "--answers", "none.yaml")).toContain(
      "there is no file of answers none.yaml",
    );
    await workbench().write("answers.yaml", "moed: aio\n");
    expect(await refused(workbench(), 2, "setup", "--answers", "answers.yaml")).toContain(
      "answers.yaml:1:1 error D182",
    );
    expect(await texts()).toEqual(before);
  });

  it("shows the plan with the files as they would be, and what up would refuse, and writes all the same", async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    const address = taken.address();
    const port = typeof address === "object" ? String(address?.port) : "";
    try {
      const { exitCode, stdout, stderr } = await workbench().deploy("setup", "--yes", "--port", port);
      expect(exitCode).toBe(0);
      expect(stderr).toMatch(new RegExp(`warning D184 port ${port} is in use by .*\\(process \\d+\\)`));
      expect(stderr).toContain(`published-port  127.0.0.1:${port} -> 8080/tcp`);
      expect(stderr).toMatch(new RegExp(`\\./deploy up would stop, because\n {2}D047 127\\.0\\.0\\.1:${port}`));
      expect(stdout).toContain("written   .env\n");
      expect(await workbench().read(".env")).toContain(`PORT=${port}\n`);
    } finally {
      taken.close();
    }
  });

  it("takes a token from a variable, a file or standard input into the environment file, and shows it nowhere", async () => {
    const token = "sk-ant-oat01-Q7vTz3mWn5xYb7cRd2fPq6";
    const { environment, folder, tool } = workbench();
    await workbench().write("token.txt", `${token}\n`);
    const ask = ["setup", "--yes", "--claude", "env"];
    const ways = [
      () => workbench().deployWith({ DEPLOY_SETUP_CLAUDE_TOKEN: token }, ...ask),
      () => workbench().deploy(...ask, "--claude-token-file", "token.txt"),
      () =>
        command(process.execPath, ["--", join(tool, "dist/main.js"), ...ask, "--claude-token-file", "-"], {
          ...{ cwd: folder, env: environment, input: `${token}\n` },
        }),
    ];
    const env = await workbench().read(".env");
    for (const way of ways) {
      await workbench().write(".env", env);
      await workbench().write("deploy.config.yaml", "version: 1\nproject: scripted\n");
      const { exitCode, stdout, stderr } = await way();
      expect(`${exitCode} ${stdout}`).toContain("0 written   deploy.config.yaml, .env\n");
      expect(stdout + stderr).not.toContain(token);
      expect(stderr).toContain("+ CLAUDE_CODE_OAUTH_TOKEN=‹hidden›");
      expect(await workbench().read(".env")).toBe(`${env}CLAUDE_CODE_OAUTH_TOKEN=${token}\n`);
    }
    await workbench().write(".env", env);
    const said = await refused(workbench(), 2, "setup", "--claude", "env");
    expect(said).toContain("--claude-token-file <file> (- is standard input), or DEPLOY_SETUP_CLAUDE_TOKEN");
  });

  it("works where nothing can be asked of Docker: then there is no plan", async () => {
    await newFolder();
    const { exitCode, stdout, stderr } = await workbench().deployWith({ PATH: "/nowhere" }, "setup", "--yes", "--json");
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ plan: null, files: [{ file: "config.yaml" }, { file: ".env" }] });
    expect(stderr).toBe("");
  });

  it("refuses to write a variable that this shell exports, since that would have no effect", async () => {
    const before = await texts();
    const { exitCode, stderr } = await workbench().deployWith({ PORT: "1" }, "setup", "--yes", "--port", "2044");
    expect(exitCode).toBe(3);
    expect(stderr).toContain("D100 this shell exports PORT");
    expect(await texts()).toEqual(before);
  });

  it("removes the draft of an environment that a killed process left behind", async () => {
    const state = join(workbench().folder, ".deploy");
    await mkdir(state, { recursive: true, mode: 0o700 });
    // No process has this number: it is beyond what Linux gives out.
    await writeFile(join(state, "setup-4999999.env"), "TOKEN=x\n");
    await newFolder();
    expect(await workbench().deploy("setup", "--yes", "--port", String(workbench().port))).toMatchObject({
      exitCode: 0,
    });
    expect((await readdir(state)).filter((name) => name.startsWith("setup"))).toEqual([]);
  });

  it("makes a configuration in a folder without one", async () => {
    for (const name of files) await rm(join(workbench().folder, name));
    expect(await workbench().deploy("setup", "--yes", "--port", String(workbench().port))).toMatchObject({
      exitCode: 0,
    });
    expect((await texts())[0]).toBe("version: 1\n");
  });
});
