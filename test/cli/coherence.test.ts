import { chmod, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { output } from "../support/command.ts";
import { refused, useWorkbench } from "./support/use-workbench.ts";

const workbench = useWorkbench();
const strong = "kQ8vTz3mWn5xYb7cRd2fPq6sLh4jKg9e";

async function append(text: string): Promise<void> {
  await workbench().write(".env", (await workbench().read(".env")) + text);
}

/** What `plan` warns of, without messages and fixes. */
async function warnings(env: Readonly<Record<string, string>> = {}): Promise<string[]> {
  const { exitCode, stderr } = await workbench().deployWith(env, "plan");
  expect(`${exitCode} ${stderr}`).toMatch(/^0 /);
  return stderr.split("\n").flatMap((line) => /^(\S+ )?warning (D\d+)/.exec(line)?.[0] ?? []);
}

describe("before anything starts", () => {
  it("a generated secret that everybody knows is refused by plan and up, and taken as it is once accepted", async () => {
    await workbench().write(".env", `PORT=${workbench().port}\nGATEWAY_API_KEY=changeme\nSTORE_PASSWORD=${strong}\n`);
    expect(await refused(workbench(), 3, "up", "--yes")).toContain(
      ".env:2:1 error D103 the secret GATEWAY_API_KEY has a value that everybody tries first",
    );
    expect((await workbench().deploy("plan")).exitCode).toBe(3);
    const accepted = await workbench().deploy("plan", "--accept", "weak-secret");
    expect(`${accepted.exitCode} ${accepted.stderr}`).toContain("0 .env:2:1 warning D103");
    expect(accepted.stdout + accepted.stderr).not.toContain("changeme");
  });

  it("a secret that Compose would cut off at its dollar sign is refused at its place", async () => {
    await append(`DB_PASSWORD="abc$hunter22"\n`);
    const said = await refused(workbench(), 2, "up");
    expect(said).toContain(".env:4:1 error D034 the value of DB_PASSWORD");
    expect(said).not.toMatch(/abc\$|hunter22/);
  });

  it("values that contradict each other are warnings with their places", async () => {
    await append(`STORE_PASSWORD=${strong}\nGATEWAY_APIKEY=${strong}x\n`);
    expect(await warnings({ GATEWAY_API_KEY: `${strong}y` })).toEqual([
      ".env:3:1 warning D101",
      ".env:2:1 warning D100",
      ".env:5:1 warning D109",
    ]);
  });

  it("a service's env_file that gets the file's value where Compose gets the shell's is refused", async () => {
    const { folder } = workbench();
    await append(`API_TOKEN=${strong}\n`);
    await workbench().write(
      "more.yaml",
      `services:\n  store:\n    env_file: ["${folder}/.env"]\n  proxy:\n    environment:\n      API_TOKEN: \${API_TOKEN}\n`,
    );
    await workbench().write(
      "deploy.config.yaml",
      "version: 1\nproject: scripted\ncompose:\n  overlays:\n    always: [more.yaml]\n",
    );
    const { exitCode, stderr } = await workbench().deployWith({ API_TOKEN: `${strong}y` }, "up");
    expect(`${exitCode} ${stderr}`).toMatch(/^3 .*error D100 API_TOKEN has two values, .* store gets the file's/s);
    expect(await warnings()).toEqual([]);
  });

  it("an environment file that others may change is refused, one that they may read is a warning", async () => {
    await chmod(join(workbench().folder, ".env"), 0o644);
    expect(await warnings()).toEqual([".env warning D106"]);
    await chmod(join(workbench().folder, ".env"), 0o666);
    expect(await refused(workbench(), 3, "up")).toContain(".env error D106 everybody on this machine may change .env");
  });

  it("a build that takes the environment file along is a warning until .dockerignore names it", async () => {
    const { folder } = workbench();
    await workbench().write("more.yaml", `services:\n  store:\n    build: !override\n      context: ${folder}\n`);
    await workbench().write(
      "deploy.config.yaml",
      "version: 1\nproject: scripted\ncompose:\n  overlays:\n    always: [more.yaml]\n",
    );
    expect(await warnings()).toEqual([".env warning D108"]);
    await workbench().write(".dockerignore", ".env\n.deploy\n");
    expect(await warnings()).toEqual([]);
  });
});

describe("an environment file in a repository", () => {
  const git = (...args: string[]) =>
    output("git", ["-c", "user.name=t", "-c", "user.email=t@example.test", ...args], { cwd: workbench().folder });

  it("is a warning while git tracks it, and once it is only in the history", async () => {
    await git("init", "--quiet");
    expect(await warnings()).toEqual([]);
    await git("add", ".env");
    expect(await warnings()).toEqual([".env warning D107"]);
    await git("commit", "--quiet", "--message", "oops");
    await git("rm", "--quiet", "--cached", ".env");
    await git("commit", "--quiet", "--message", "removed");
    const { stderr } = await workbench().deploy("plan");
    expect(stderr).toMatch(/\.env warning D107 git has \.env in its history \([0-9a-f]{7,}\)/);
  });

  it("is none where git cannot say anything", async () => {
    await mkdir(join(workbench().folder, ".git"));
    expect(await warnings()).toEqual([]);
  });
});
