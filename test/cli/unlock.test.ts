import { mkdir, readdir } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { refused, useWorkbench } from "./support/use-workbench.ts";

const workbench = useWorkbench();

const nowhere = { boot: "", namespace: "", id: "" };
const gone = {
  ...{
    host: hostname(),
    pid: 2 ** 22 + 1,
    started: "70",
    user: "ann",
    command: "up",
    since: "2026-01-01T00:00:00.000Z",
  },
  ...{ at: Date.parse("2026-01-01T00:00:00.000Z"), token: "0a", project: "scripted", folder: "/srv/shop" },
  machine: nowhere,
};
const live = { ...gone, pid: process.pid, started: "", token: "0b" };
const faraway = { ...gone, host: "far-away", token: "0c" };
const claims = "^volume ls .*sandbox-deploy.lock=";
const claimsOf = (...holders: readonly (typeof gone)[]) =>
  holders.map((holder) => `sandbox-deploy-lock-scripted-${holder.token}\t${JSON.stringify(holder)}\n`).join("");

beforeEach(() => mkdir(join(workbench().folder, ".deploy"), { mode: 0o700 }));

const lockFiles = async () =>
  (await readdir(join(workbench().folder, ".deploy"))).filter((name) => name.startsWith("lock"));

async function removedClaims(): Promise<string[]> {
  return (await workbench().calls()).flatMap((argv) => (argv.join(" ").startsWith("volume rm") ? argv.slice(3) : []));
}

describe("unlock", () => {
  it("has nothing to do where nothing is held", async () => {
    const { exitCode, stdout } = await workbench().deploy("unlock");
    expect(`${exitCode} ${stdout}`).toBe("0 nothing holds the lock\n");
  });

  it("removes what a dead owner left in the folder and on the engine", async () => {
    await workbench().write(".deploy/lock", `${JSON.stringify(gone)}\n`);
    await workbench().write(".deploy/lock.takeover", `${JSON.stringify(gone)}\n`);
    await workbench().script({ when: claims, stdout: claimsOf(gone) });
    const { exitCode, stdout } = await workbench().deploy("unlock", "--json");
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      ...{ version: 1, exitCode: 0, project: "scripted" },
      removed: [
        { where: expect.stringMatching(/lock.takeover$/), fate: "dead" },
        { where: expect.stringMatching(/lock$/), fate: "dead", holder: { user: "ann", pid: gone.pid } },
        { where: "the volume sandbox-deploy-lock-scripted-0a", fate: "dead" },
      ],
    });
    expect(await lockFiles()).toEqual([]);
    expect(await removedClaims()).toEqual(["sandbox-deploy-lock-scripted-0a"]);
  });

  it("leaves all as it is, exit 4, where an owner may still run, and names each owner once", async () => {
    await workbench().write(".deploy/lock", `${JSON.stringify(live)}\n`);
    await workbench().script({ when: claims, stdout: claimsOf(live, faraway) });
    const said = await refused(workbench(), 4, "unlock");
    expect(said.match(/error D063/g)?.length).toBe(2);
    expect(said).toContain(`process ${process.pid} on ${hostname()}, in /srv/shop\n`);
    expect(said).toContain("on far-away, in /srv/shop; from here nobody can tell");
    expect(await lockFiles()).toEqual(["lock"]);
    expect(await removedClaims()).toEqual([]);
  });

  it.each([[["--force"]], [["--force", "--yes"]]])("%j asks, and without an answer removes nothing", async (flags) => {
    await workbench().write(".deploy/lock", "who knows");
    const said = await refused(workbench(), 3, "unlock", ...flags);
    expect(said).toContain("error D069 the removal of a lock that may be held was not accepted");
    expect(said).toContain("--accept held-lock");
    expect(await lockFiles()).toEqual(["lock"]);
  });

  it("--force --accept held-lock removes what is left, whoever holds it, and works without a configuration", async () => {
    await workbench().write("deploy.config.yaml", "version: [");
    await workbench().write(".deploy/lock", "{ cut of");
    await workbench().script({ when: claims, stdout: claimsOf(live, faraway) });
    const { exitCode, stdout } = await workbench().deploy(
      ...["unlock", "--force", "--accept", "held-lock", "--project", "scripted"],
    );
    expect(`${exitCode} ${stdout}`).toMatch(/^0 removed .*\.deploy\/lock does not tell by whom\nremoved /);
    expect(await lockFiles()).toEqual([]);
    expect((await removedClaims()).length).toBe(2);
  });
});

describe("a lock in the folder that is", () => {
  it("garbage is held by nobody knows whom", async () => {
    await workbench().write(".deploy/lock", '{"host": "he');
    expect(await refused(workbench(), 4, "up")).toMatch(
      /D063 the lock is held: .*lock does not tell by whom\n.*unlock --force/,
    );
  });

  it("no file at all is a finding as well, also for unlock", async () => {
    await mkdir(join(workbench().folder, ".deploy/lock"));
    expect(await refused(workbench(), 4, "up")).toMatch(/D063 the lock is held: .*it is a directory does not tell/);
    expect(await refused(workbench(), 3, "unlock", "--force", "--accept", "held-lock")).toMatch(
      /D049 .*it is a directory/,
    );
  });
});
