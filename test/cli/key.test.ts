import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, test } from "vitest";
import { eventually } from "../support/command.ts";
import { refused, useWorkbench } from "./support/use-workbench.ts";

const workbench = useWorkbench();

async function ownKey(): Promise<string> {
  return /^GATEWAY_API_KEY=(.*)$/m.exec(await workbench().read(".env"))?.[1] ?? "";
}

async function deployed(): Promise<void> {
  workbench().openFrontDoor("local");
  const { exitCode, stderr } = await workbench().deploy("up");
  expect(`${exitCode}\n${stderr}`).toMatch(/^0\n/);
}

describe("key", () => {
  it("prints the key and nothing else on stdout, and the audit log tells who asked but not what for", async () => {
    const key = await ownKey();
    const { exitCode, stdout, stderr } = await workbench().deploy("key");
    expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 0, stdout: `${key}\n`, stderr: "" });
    const log = await workbench().read(".deploy/audit.jsonl");
    expect(log).toContain('"command":["key"]');
    expect(log).not.toContain(key);
    const audit = await workbench().deploy("audit");
    expect(audit.stdout).toMatch(/ {2}key\n.*\n {2}exit 0 after /);
  });

  it("prints one document with --json", async () => {
    const { stdout } = await workbench().deploy("key", "--json");
    const file = ".env";
    expect(JSON.parse(stdout)).toEqual({ version: 1, exitCode: 0, name: "GATEWAY_API_KEY", file, key: await ownKey() });
  });

  it("prints what the containers have, and says so where the environment file has another one by now", async () => {
    const folder = join(workbench().folder, ".deploy/secrets");
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, "gateway_api_key"), "the-one-that-runs");
    const { stdout, stderr } = await workbench().deploy("key");
    expect(stdout).toBe("the-one-that-runs\n");
    expect(stderr).toMatch(/^the stack has another GATEWAY_API_KEY than .*\.env says: /);
    expect(stderr).not.toContain(await ownKey());
  });

  test.each<[string, string[], string]>([
    ["KEY", [], "D170 KEY has no value yet\n  fix: ./deploy up generates it"],
    [
      "STORE_PASSWORD",
      ["STORE_PASSWORD"],
      "D170 STORE_PASSWORD is no key that clients send\n  fix: name one: ./deploy key KEY",
    ],
    ["a typo", ["KEYS"], "D170 KEYS is no key that clients send\n  fix: did you mean KEY?"],
  ])("refuses %s where it is no key with a value", async (_what, args, said) => {
    await ownFile("secrets: { KEY: { value: '', clientKey: true }, STORE_PASSWORD: { value: x } }");
    expect(await refused(workbench(), 3, "key", ...args)).toContain(said);
  });

  it("refuses where no Compose file says which secret is one, and says how it would", async () => {
    await ownFile("secrets: { KEY: { value: something } }");
    const said = await refused(workbench(), 3, "key");
    expect(said).toContain("D170 no Compose file of this stack says which secret its clients send");
    expect(said).toContain("clientKey: true");
  });

  it("prints none that the audit log cannot tell of", async () => {
    await mkdir(join(workbench().folder, ".deploy/audit.jsonl"), { recursive: true });
    const said = await refused(workbench(), 3, "key");
    expect(said).toContain("D049");
    expect(said).not.toContain(await ownKey());
  });
});

async function ownFile(extension: string): Promise<void> {
  await workbench().write("app.yaml", `services:\n  app:\n    image: demo:1\nx-sandbox-deploy-own:\n  ${extension}\n`);
  await workbench().write(
    "deploy.config.yaml",
    "version: 1\nproject: scripted\ncompose: { base: app.yaml, proxy: app }\nplatform: { service: app }\nsandbox: { mode: local }\n",
  );
}

describe("open", () => {
  it("gives the browser the URL and no key, and goes on without waiting for it", async () => {
    await deployed();
    const { folder, environment, port } = workbench();
    const opener = join(environment["SCRIPTED_DOCKER"] ?? "", "xdg-open");
    await writeFile(opener, `#!/bin/sh\necho "$@" >'${folder}/opened'\nexec tail -f /dev/null --pid=${process.pid}\n`);
    await chmod(opener, 0o755);
    const env = { DISPLAY: ":0", SSH_CONNECTION: undefined, SSH_CLIENT: undefined, SSH_TTY: undefined };
    const { exitCode, stdout } = await workbench().deployWith(env, "open", "--json");
    const url = `http://127.0.0.1:${port}`;
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ version: 1, exitCode: 0, url, opened: true, tunnel: null });
    const opened = await eventually(() => readFile(join(folder, "opened"), "utf8"));
    expect(opened).toBe(`${url}\n`);
  });

  it("shows the URL and the tunnel to copy over SSH, and where the browser's program fails", async () => {
    await deployed();
    const { port, environment } = workbench();
    const url = `http://127.0.0.1:${port}`;
    const ssh = { DISPLAY: ":0", SSH_CONNECTION: "198.51.100.1 5000 203.0.113.5 22" };
    const { stdout } = await workbench().deployWith(ssh, "open");
    expect(stdout.startsWith(`${url}\n\n`)).toBe(true);
    expect(stdout).toMatch(new RegExp(`\n {2}ssh -N -L ${port}:127.0.0.1:${port} \\S+@203.0.113.5\n`));
    const opener = join(environment["SCRIPTED_DOCKER"] ?? "", "xdg-open");
    await writeFile(opener, "#!/bin/sh\nexit 3\n", { mode: 0o755 });
    const local = { DISPLAY: ":0", SSH_CONNECTION: undefined, SSH_CLIENT: undefined, SSH_TTY: undefined };
    expect(JSON.parse((await workbench().deployWith(local, "open", "--json")).stdout)).toMatchObject({ opened: false });
  });

  it("refuses where nothing is deployed, also after a down", async () => {
    expect(await refused(workbench(), 3, "open")).toContain("D171 there is no page to open: nothing of scripted");
    await deployed();
    await workbench().deploy("down", "--yes");
    const { exitCode, stderr } = await workbench().deploy("open");
    expect(`${exitCode} ${stderr}`).toMatch(/^3 .*D171 /);
  });
});

test("up and status say where page and key are, and neither says the key", async () => {
  workbench().openFrontDoor("local");
  const up = await workbench().deploy("up");
  const status = await workbench().deploy("status");
  const url = `http://127.0.0.1:${workbench().port}`;
  expect(up.stdout).toContain(`\nurl       ${url}\nmode      local (`);
  expect(up.stdout).toContain("\nkey       GATEWAY_API_KEY in .env\n");
  expect(status.stdout).toContain(
    `\nurl       ${url} (./deploy open)\nkey       GATEWAY_API_KEY in .env (./deploy key)\n`,
  );
  expect(JSON.parse((await workbench().deploy("status", "--json")).stdout)).toMatchObject({
    url,
    key: "GATEWAY_API_KEY",
  });
  for (const { stdout, stderr } of [up, status]) expect(stdout + stderr).not.toContain(await ownKey());
});
