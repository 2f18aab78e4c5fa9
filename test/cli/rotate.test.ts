import { spawn } from "node:child_process";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { eventually } from "../support/command.ts";
import { useWorkbench } from "./support/use-workbench.ts";

const workbench = useWorkbench();
const strong = "kQ8vTz3mWn5xYb7cRd2fPq6sLh4jKg9e";

beforeEach(async () => {
  workbench().openFrontDoor("local");
  await workbench().remember();
});

async function deployed(): Promise<string> {
  const up = await workbench().deploy("up");
  expect(`${up.exitCode} ${up.stderr}`).toMatch(/^0 /);
  return workbench().read(".env");
}

const secretFile = (name: string) => readFile(join(workbench().folder, ".deploy/secrets", name), "utf8");
const journal = () => readFile(join(workbench().folder, ".deploy/rotation.json"), "utf8").catch(() => undefined);

/** Runs a rotation until docker is told to start something, and kills it there. */
async function killedAtStart(): Promise<void> {
  const { environment, folder, tool } = workbench();
  await workbench().script({ when: " up ", hangs: true });
  const before = (await workbench().changes()).length;
  const child = spawn(process.execPath, ["--", join(tool, "dist/main.js"), "secrets", "rotate", "STORE_PASSWORD"], {
    cwd: folder,
    env: { ...process.env, ...environment },
    stdio: "ignore",
  });
  const ended = new Promise((resolve) => child.on("close", resolve));
  await eventually(async () => expect((await workbench().changes()).length).toBeGreaterThan(before));
  child.kill("SIGKILL");
  await ended;
  await workbench().script();
}

describe("a rotation", () => {
  it("writes a new value into its line and its file, and recreates who reads it, and nobody else", async () => {
    const before = await deployed();
    const { exitCode, stdout, stderr } = await workbench().deploy("secrets", "rotate", "STORE_PASSWORD", "--json");
    expect(`${exitCode} ${stderr}`).toContain("0 STORE_PASSWORD: recreates gateway, store; read at each start");
    expect(JSON.parse(stdout)).toEqual({
      ...{ version: 1, exitCode: 0, rotated: ["STORE_PASSWORD"], services: ["gateway", "store"] },
    });
    const after = await workbench().read(".env");
    const [, value = ""] = /^STORE_PASSWORD=(.{33})$/m.exec(after) ?? [];
    expect(after.replace(value, "")).toBe(before.replace(/^(STORE_PASSWORD=).*$/m, "$1"));
    expect(await secretFile("store_password")).toBe(value);
    const starts = (await workbench().changes()).filter((argv) => argv.includes("up"));
    expect(starts.at(-1)?.join(" ")).toMatch(/--force-recreate gateway store$/);
    expect(stdout + stderr).not.toContain(value);
    expect(await journal()).toBeUndefined();
    expect((await workbench().deploy("plan", "--exit-code")).exitCode).toBe(0);
  });

  it("that fails brings the old value back, and tells both stories", async () => {
    const before = await deployed();
    const old = await secretFile("store_password");
    await workbench().script({ when: " up ", exitCode: 1, stderr: "no space left on device\n", times: 1 });
    const { exitCode, stderr } = await workbench().deploy("secrets", "rotate", "STORE_PASSWORD");
    expect(`${exitCode} ${stderr}`).toMatch(
      /^1 .*error D074 .*no space left.*error D114 the rotation failed, and the old value of STORE_PASSWORD is back/s,
    );
    expect(await workbench().read(".env")).toBe(before);
    expect(await secretFile("store_password")).toBe(old);
    expect(await journal()).toBeUndefined();
  });

  it("that cannot even go back keeps what the next command needs for it", async () => {
    const before = await deployed();
    await workbench().script({ when: " up ", exitCode: 1, stderr: "no space left on device\n" });
    const { exitCode, stderr } = await workbench().deploy("secrets", "rotate", "STORE_PASSWORD");
    expect(`${exitCode} ${stderr}`).toMatch(/^1 .*error D115/s);
    expect((await stat(join(workbench().folder, ".deploy/rotation.json"))).mode & 0o777).toBe(0o600);
    expect((await workbench().deploy("plan")).stderr).toContain("warning D116 a rotation of secrets was interrupted");
    await workbench().script();
    const mended = await workbench().deploy("up");
    expect(`${mended.exitCode} ${mended.stderr}`).toContain("the old value of STORE_PASSWORD is back");
    expect(await workbench().read(".env")).toBe(before);
    expect(await journal()).toBeUndefined();
  });
});

describe("a rotation that is killed", () => {
  it.each([["up"], ["restart"], ["down"], ["secrets", "rotate", "GATEWAY_API_KEY"]])(
    "while services start is undone by the next %s %s %s",
    async (...next) => {
      const before = await deployed();
      const old = await secretFile("store_password");
      await killedAtStart();
      expect(await workbench().read(".env")).not.toBe(before);
      const { exitCode, stderr } = await workbench().deploy(...next.filter((word) => word !== undefined));
      expect(`${exitCode} ${stderr}`).toMatch(
        /^0 .*rotation of STORE_PASSWORD was interrupted: bringing the old value back/s,
      );
      const line = /^STORE_PASSWORD=.*$/m;
      expect(line.exec(await workbench().read(".env"))?.[0]).toBe(line.exec(before)?.[0]);
      expect(await secretFile("store_password")).toBe(old);
      expect(await journal()).toBeUndefined();
    },
  );

  it.each(["begun", "verified"])("in the phase %s needs nothing but the end of its journal", async (phase) => {
    const before = await deployed();
    const calls = (await workbench().changes()).length;
    const text = { version: 1, names: ["STORE_PASSWORD"], phase, before, after: `${before}#\n`, databases: [] };
    await writeFile(join(workbench().folder, ".deploy/rotation.json"), JSON.stringify(text), { mode: 0o600 });
    expect((await workbench().deploy("up")).exitCode).toBe(0);
    expect(await workbench().read(".env")).toBe(before);
    expect(await journal()).toBeUndefined();
    expect((await workbench().changes()).slice(calls).filter((argv) => argv.includes("up"))).toEqual([]);
  });

  it("is not undone over an edit of the file since then", async () => {
    await deployed();
    await killedAtStart();
    await writeFile(join(workbench().folder, ".env"), `${await workbench().read(".env")}MORE=1\n`);
    const { exitCode, stderr } = await workbench().deploy("up");
    expect(`${exitCode} ${stderr}`).toMatch(/^1 .*error D115 .*was edited since the rotation of STORE_PASSWORD began/s);
    expect(await journal()).toBeDefined();
  });
});

describe("a rotation is refused, and changes nothing,", () => {
  async function refusal(...args: string[]): Promise<string> {
    const before = await workbench().read(".env");
    const { exitCode, stderr } = await workbench().deploy("secrets", "rotate", ...args);
    expect(await workbench().read(".env")).toBe(before);
    return `${exitCode} ${stderr}`;
  }

  it("for keys that encrypt data, foreign keys, secrets that nobody reads, and other databases", async () => {
    await workbench().write(
      "more.yaml",
      [
        "services:",
        "  db:",
        "    image: mariadb:11",
        '    cap_drop: [ALL]\n    security_opt: ["no-new-privileges:true"]\n    restart: unless-stopped',
        "    environment: { MARIADB_ROOT_PASSWORD: $DB_PASSWORD, K: $FERNET_KEY, O: $OPENAI_API_KEY }",
        "    volumes: [my:/var/lib/mysql]",
        "volumes: { my: }",
        'x-sandbox-deploy-more: { secrets: { DB_PASSWORD: { value: $DB_PASSWORD }, LONELY_KEY: { value: "${LONELY_KEY:-}" } } }',
        "",
      ].join("\n"),
    );
    const config = "version: 1\nproject: scripted\ncompose:\n  overlays:\n    always: [more.yaml]\n";
    await workbench().write("deploy.config.yaml", config);
    const names = ["DB_PASSWORD", "FERNET_KEY", "OPENAI_API_KEY", "LONELY_KEY"];
    const lines = names.map((name, index) => `${name}=${strong}${index}\n`).join("");
    await workbench().write(".env", `${await workbench().read(".env")}${lines}`);
    await deployed();
    const said = await refusal(...names);
    expect(said).toMatch(/^3 /);
    for (const why of ["MySQL or MariaDB keeps it", "encrypts data", "somebody else's key", "no service reads it"])
      expect(said).toContain(why);
    const all = await workbench().deploy("secrets", "rotate", "--all");
    expect(`${all.exitCode} ${all.stdout}`).toMatch(/^0 rotated GATEWAY_API_KEY, STORE_PASSWORD; gateway, store run/);
    expect(all.stderr).toContain("info D113 DB_PASSWORD is not rotated");
    expect(await workbench().read(".env")).toContain(lines);
  });

  it("when somebody takes the stack down until the lock is held", async () => {
    await deployed();
    const gone = [{ when: "^ps ", stdout: "" }];
    await workbench().script({ when: "^volume create .*sandbox-deploy-lock-", stdout: "made\n", afterwards: gone });
    expect(await refusal("STORE_PASSWORD")).toMatch(/^3 .*^error D113 the stack does not run as planned/ms);
  });

  it("while the stack does not run as planned, without names, and for names that nobody has", async () => {
    expect(await refusal("STORE_PASSWORD")).toContain("3 error D113 the stack does not run as planned");
    await deployed();
    expect(await refusal()).toContain("2 error D001 secrets rotate needs the names of secrets, or --all");
    expect(await refusal("STORE_PASWORD")).toMatch(/^2 error D112 .*\n {2}fix: did you mean STORE_PASSWORD\?/);
  });
});
