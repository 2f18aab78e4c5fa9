import { spawn } from "node:child_process";
import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { command, type Ended, eventually } from "../support/command.ts";
import { refused, useWorkbench } from "./support/use-workbench.ts";

const workbench = useWorkbench();
const strong = "kQ8vTz3mWn5xYb7cRd2fPq6sLh4jKg9e";

/** Runs `secrets` with a text on standard input. */
function withInput(input: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const { environment, folder, tool } = workbench();
  const options = { cwd: folder, env: { ...environment, ...env }, input };
  return command(process.execPath, ["--", join(tool, "dist/main.js"), "secrets", ...args], options);
}

/** A stack of the operator's own with a database. */
async function withDatabase(): Promise<void> {
  await workbench().write(
    "more.yaml",
    [
      "services:",
      "  db:",
      "    image: postgres:16",
      "    environment: { POSTGRES_PASSWORD: $DB_PASSWORD }",
      "    volumes: [pg:/var/lib/postgresql/data]",
      "  app:",
      "    image: app",
      "    environment: { DATABASE_URL: $DATABASE_URL, OPENAI_API_KEY: $OPENAI_API_KEY }",
      "volumes: { pg: }",
      "x-sandbox-deploy-more: { secrets: { DB_PASSWORD: { value: $DB_PASSWORD, form: hex } } }",
      "",
    ].join("\n"),
  );
  await workbench().write(
    "deploy.config.yaml",
    "version: 1\nproject: scripted\ncompose:\n  overlays:\n    always: [more.yaml]\n",
  );
  await workbench().write(
    ".env",
    `${await workbench().read(".env")}DB_PASSWORD=${"0123456789abcdef".slice(3)}9e8d7c6b5\nDATABASE_URL=postgres://u:\${DB_PASSWORD}@db/x\nOPENAI_API_KEY=sk-${strong}\n`,
  );
}

describe("secrets list", () => {
  it("shows each secret with its class, its strength and who gets it how, and no value", async () => {
    await withDatabase();
    const { exitCode, stdout, stderr } = await workbench().deploy("secrets", "list", "--json");
    expect(`${exitCode} ${stderr}`).toBe("0 ");
    const secrets: unknown = JSON.parse(stdout).secrets;
    expect(secrets).toMatchObject([
      { name: "GATEWAY_API_KEY", class: "session", uses: [{ service: "gateway", how: "file" }] },
      { name: "STORE_PASSWORD", class: "restart", uses: [{ service: "gateway" }, { service: "store" }] },
      {
        name: "DB_PASSWORD",
        class: "volume",
        generated: true,
        uses: [
          { service: "app", how: "environment", detail: "DATABASE_URL" },
          { service: "db", how: "environment", detail: "POSTGRES_PASSWORD" },
        ],
      },
      {
        name: "OPENAI_API_KEY",
        class: "foreign",
        generated: false,
        uses: [{ service: "app", detail: "OPENAI_API_KEY" }],
      },
    ]);
    const text = (await workbench().deploy("secrets", "list")).stdout;
    expect(text).toMatch(
      /^GATEWAY_API_KEY {2}session, about 2\d\d bits\n +gateway \(file \/run\/secrets\/gateway_api_key\)$/m,
    );
    const env = await workbench().read(".env");
    for (const [, value = ""] of env.matchAll(/^\w*(?:KEY|PASSWORD)=(.*)$/gm))
      expect(text + stdout).not.toContain(value);
  });

  it("says since when a secret has its value, once the stack was deployed", async () => {
    workbench().openFrontDoor("local");
    expect((await workbench().deploy("up")).exitCode).toBe(0);
    const since = async () =>
      Object.fromEntries(
        JSON.parse((await workbench().deploy("secrets", "list", "--json")).stdout).secrets.map(
          ({ name, since }: { name: string; since: string }) => [name, since],
        ),
      );
    const before = await since();
    expect(before["STORE_PASSWORD"]).toMatch(/^20\d\d-/);
    await withInput(strong, ["set", "STORE_PASSWORD"]);
    await workbench().deploy("up");
    const after = await since();
    expect(after["GATEWAY_API_KEY"]).toBe(before["GATEWAY_API_KEY"]);
    expect(after["STORE_PASSWORD"] > before["STORE_PASSWORD"]).toBe(true);
  });
});

describe("secrets check", () => {
  it("exits 0 with nothing wrong, and 3 with what plan and up would refuse", async () => {
    expect(await workbench().deploy("secrets", "check")).toMatchObject({
      exitCode: 0,
      stdout: "nothing is wrong with the secrets\n",
    });
    await workbench().write(".env", `PORT=${workbench().port}\nGATEWAY_API_KEY=changeme\n`);
    const { exitCode, stdout, stderr } = await workbench().deploy("secrets", "check");
    expect(exitCode).toBe(3);
    expect(stdout).toContain("not generated yet: STORE_PASSWORD");
    expect(stderr).toContain(".env:2:1 error D103");
    expect((await workbench().deploy("secrets", "check", "--accept", "weak-secret")).exitCode).toBe(0);
  });
});

describe("secrets generate", () => {
  it("makes what is missing, in the form that was asked for, and starts nothing", async () => {
    await withDatabase();
    const env = (await workbench().read(".env")).replace(/^(STORE|DB)_PASSWORD=.*$/gm, "$1_PASSWORD=");
    await workbench().write(".env", env);
    const { exitCode, stdout } = await workbench().deploy("secrets", "generate");
    expect(`${exitCode} ${stdout}`).toBe(
      "0 generated DB_PASSWORD, STORE_PASSWORD into .env\n".replace(
        "DB_PASSWORD, STORE_PASSWORD",
        "STORE_PASSWORD, DB_PASSWORD",
      ),
    );
    const made = await workbench().read(".env");
    expect(made).toMatch(/^DB_PASSWORD=[0-9a-f]{64}$/m);
    const [, password = ""] = /^STORE_PASSWORD=(.{33})$/m.exec(made) ?? [];
    expect(await readFile(join(workbench().folder, ".deploy/secrets/store_password"), "utf8")).toBe(password);
    expect(await workbench().changes()).toEqual([]);
    expect((await workbench().deploy("secrets", "generate")).stdout).toBe("every secret has a value\n");
    expect(await workbench().read(".env")).toBe(made);
  });
});

describe("secrets set", () => {
  it("ends at a signal while it waits for an input that nobody closes", async () => {
    const { environment, folder, tool, calls } = workbench();
    const child = spawn(process.execPath, [join(tool, "dist/main.js"), "secrets", "set", "GATEWAY_API_KEY"], {
      ...{ cwd: folder, env: { ...process.env, ...environment }, stdio: ["pipe", "ignore", "ignore"] },
    });
    const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
    child.stdin.write("half of ");
    await eventually(async () => expect((await calls()).length).toBeGreaterThan(1));
    child.kill("SIGINT");
    expect(await ended).toBe(130);
    expect(await workbench().read(".env")).not.toContain("half of");
  });

  it("takes the value from standard input into one line of the file, and says who gets it at the next up", async () => {
    const before = `# mine\r\nPORT=${workbench().port}\r\nexport STORE_PASSWORD = 'old one'  # note\r\nUNKNOWN line\n`;
    await workbench().write(".env", before.replace("UNKNOWN line\n", "OTHER=1"));
    const value = `it's "$5" & #${strong}`;
    const { exitCode, stdout, stderr } = await withInput(`${value}\n`, ["set", "STORE_PASSWORD"]);
    expect(`${exitCode} ${stdout}${stderr}`).toBe(
      "0 STORE_PASSWORD is set in .env; ./deploy up gives it to gateway, store\n",
    );
    const written = await workbench().read(".env");
    const quoted = `'${value.replace("'", "\\'")}'`;
    expect(written).toBe(before.replace("UNKNOWN line\n", "OTHER=1").replace("'old one'", () => quoted));
    expect((await stat(join(workbench().folder, ".env"))).mode & 0o777).toBe(0o600);
    expect(await workbench().changes()).toEqual([]);
  });

  it("keeps the value that was piped in while it waits for the lock", async () => {
    const { environment, folder, tool } = workbench();
    const lock = join(folder, ".deploy/lock");
    await mkdir(join(folder, ".deploy"), { recursive: true, mode: 0o700 });
    await writeFile(lock, "who knows\n");
    const args = ["secrets", "set", "STORE_PASSWORD", "--lock-wait", "600"];
    const child = spawn(process.execPath, ["--", join(tool, "dist/main.js"), ...args], {
      cwd: folder,
      env: { ...process.env, ...environment },
      stdio: ["pipe", "ignore", "pipe"],
    });
    let said = "";
    child.stderr.on("data", (chunk) => (said += String(chunk)));
    const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
    child.stdin.end(`${strong}\n`);
    await eventually(async () => expect(said).toContain("waiting, 600 s at most: the lock is held"));
    await rm(lock);
    expect(await ended).toBe(0);
    expect(await workbench().read(".env")).toContain(`STORE_PASSWORD=${strong}`);
  });

  it.each([
    ["an empty one", "\n"],
    ["several lines", `${strong}\n${strong}\n`],
    ["a mask", "***\n"],
    ["a weak one", "changeme\n"],
  ])("refuses %s and leaves the file as it is", async (_name, input) => {
    const before = await workbench().read(".env");
    const { exitCode, stdout, stderr } = await withInput(input, ["set", "STORE_PASSWORD"]);
    expect(`${exitCode} ${stdout}${stderr}`).toMatch(/^3 error D111 the value for STORE_PASSWORD/);
    expect(await workbench().read(".env")).toBe(before);
  });

  it("refuses what would have no effect, and names that nobody has", async () => {
    const exported = await withInput(strong, ["set", "STORE_PASSWORD"], { STORE_PASSWORD: "x" });
    expect(`${exported.exitCode} ${exported.stderr}`).toContain("3 error D100 this shell exports STORE_PASSWORD");
    const unknown = await withInput(strong, ["set", "STORE_PASWORD"]);
    expect(`${unknown.exitCode} ${unknown.stderr}`).toMatch(/^2 error D112 .*\n {2}fix: did you mean STORE_PASSWORD\?/);
    expect((await withInput("", ["set"])).exitCode).toBe(2);
  });
});

describe("a database whose data is there", () => {
  it("gets no other password by an edit of the file, nor a new one when the old is lost", async () => {
    await withDatabase();
    const volume = [{ Name: "scripted_pg", Driver: "local", Labels: {}, Options: null }];
    workbench().openFrontDoor("local");
    await workbench().script({ when: "^volume inspect", stdout: JSON.stringify(volume) });
    const up = await workbench().deploy("up");
    expect(`${up.exitCode} ${up.stderr}`).toMatch(/^0 /);
    const before = await workbench().read(".env");
    await workbench().write(".env", before.replace(/^DB_PASSWORD=.*$/m, `DB_PASSWORD=${strong}`));
    const changed = await workbench().deploy("plan");
    expect(`${changed.exitCode} ${changed.stderr}`).toMatch(
      /^3 \.env:4:1 error D110 the password of db \(POSTGRES_PASSWORD\) is another one/,
    );
    expect((await workbench().deploy("plan", "--accept", "database-password")).exitCode).toBe(0);
    await workbench().write(".env", before.replace(/^DB_PASSWORD=.*$/m, "DB_PASSWORD="));
    expect((await workbench().deploy("secrets", "generate")).stderr).toContain(
      "a new password would be generated for db",
    );
    await workbench().write(".env", before);
    expect((await workbench().deploy("plan")).exitCode).toBe(0);
  });
});

it("an action that is not known is refused with those that are", async () => {
  expect(await refused(workbench(), 2, "secrets", "show")).toContain("D001");
});
