import { mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { containersThere, serviceLabels } from "./support/engine-rules.ts";
import { refused, useWorkbench } from "./support/use-workbench.ts";

const workbench = useWorkbench();

/** The gateway of this project, as if it had been deployed with these files. */
function gatewayFrom(environmentFile: string, configFiles = join(workbench().tool, "compose/docker-compose.yaml")) {
  const labels = {
    ...serviceLabels("scripted", "gateway"),
    "com.docker.compose.project.config_files": configFiles,
    "com.docker.compose.project.environment_file": environmentFile,
  };
  return { "scripted-gateway-1": { labels } };
}

const removal = ["compose", "--project-name", "scripted", "--env-file", "/dev/null", "down", "--remove-orphans"];

/** Another checkout, beside this folder. */
async function otherFolder(): Promise<string> {
  const other = join(dirname(workbench().folder), "other");
  await mkdir(other);
  return other;
}

describe("a project that another folder deployed", () => {
  it("is not taken over by up, with --yes either; plan says so as well", async () => {
    const other = await otherFolder();
    await workbench().script(...containersThere(gatewayFrom(`${other}/.env`)));
    for (const line of [["up"], ["up", "--yes"]]) {
      const said = await refused(workbench(), 3, ...line);
      expect(said).toContain("error D066 project scripted runs already, and another folder deployed it");
      expect(said).toContain(`scripted-gateway-1 (deployed with ${other}/.env)`);
    }
    const plan = await workbench().deploy("plan");
    expect(plan.exitCode).toBe(3);
    expect(plan.stderr).toContain("error D066");
  });

  it("is taken over by up where that is accepted by name", async () => {
    const other = await otherFolder();
    await workbench().script(...containersThere(gatewayFrom(`${other}/.env`)));
    const { exitCode, stdout, stderr } = await workbench().deploy("plan", "--accept", "foreign-project");
    expect(`${exitCode} ${stderr}`).toMatch(/^0 warning D066 .*; it is taken over, as --accept says\n$/);
    expect(stdout).toMatch(/recreate +gateway +its configuration changed/);
  });

  it("is not removed by down --yes: what belongs to the other folder is named", async () => {
    const other = await otherFolder();
    await workbench().script(...containersThere(gatewayFrom(`${other}/.env`)), {
      when: "^volume ls",
      stdout: "scripted_store\n",
    });
    for (const line of [["down"], ["down", "--yes"], ["down", "--volumes", "--yes"], ["down", "--json", "--yes"]]) {
      const { exitCode, stdout, stderr } = await workbench().deploy(...line);
      expect(exitCode).toBe(3);
      expect(stdout === "").toBe(!line.includes("--json"));
      expect(stderr).toContain(
        `error D066 not accepted: another folder deployed these containers of scripted: scripted-gateway-1 (deployed with ${other}/.env)`,
      );
      expect(stderr).toContain("--accept foreign-project removes it from here");
    }
    expect(await workbench().changes()).toEqual([]);
  });

  it("is removed by a down that accepts it by name", async () => {
    const other = await otherFolder();
    await workbench().script(...containersThere(gatewayFrom(`${other}/.env`), 2));
    const { exitCode, stdout } = await workbench().deploy("down", "--accept", "foreign-project");
    expect(`${exitCode} ${stdout}`).toBe("0 scripted is down\n");
    expect(await workbench().changes()).toEqual([removal]);
  });

  it("is told by its Compose files where it had no environment file", async () => {
    const other = await otherFolder();
    await workbench().script(...containersThere(gatewayFrom("/dev/null", `${other}/compose.yaml`)));
    expect(await refused(workbench(), 3, "down", "--yes")).toContain(`(deployed with ${other}/compose.yaml)`);
  });

  it("is nobody else's where that folder is gone: down removes it, and up says what it takes over", async () => {
    const lost = join(dirname(workbench().folder), "lost/.env");
    await workbench().script(...containersThere(gatewayFrom(lost)));
    expect((await workbench().deploy("plan")).stderr).toContain("warning D066");
    await workbench().script(...containersThere(gatewayFrom(lost), 2));
    expect(await workbench().deploy("down")).toMatchObject({ exitCode: 0, stdout: "scripted is down\n" });
  });
});

describe("a project that this folder deployed", () => {
  const isOwn = async (...args: string[]) => {
    const { exitCode, stderr } = await workbench().deploy("down", ...args);
    expect(`${exitCode} ${stderr}`).toMatch(/^0 /);
    expect(await workbench().changes()).toEqual([removal]);
  };

  it("is its own without a receipt, a configuration, or anything but the folder", async () => {
    await workbench().script(...containersThere(gatewayFrom(`${workbench().folder}/.env`), 2));
    for (const name of ["deploy.config.yaml", ".env", "config.yaml"]) await rm(join(workbench().folder, name));
    await isOwn("--project", "scripted");
  });

  it("is its own with another environment file of the folder, or with one that --env-file names", async () => {
    const other = await otherFolder();
    await workbench().script(...containersThere(gatewayFrom(`${workbench().folder}/production.env`), 2));
    await isOwn();
    await workbench().write("../other/shared.env", "A=1\n");
    await workbench().script(...containersThere(gatewayFrom(`${other}/shared.env`)));
    expect((await workbench().deploy("plan", "--env-file", `${other}/shared.env`)).stderr).not.toContain("D066");
  });

  it("is its own when the folder was moved and another one is in its place, as the receipt of the deployment tells", async () => {
    workbench().openFrontDoor("local");
    expect((await workbench().deploy("up")).exitCode).toBe(0);
    const before = (await workbench().changes()).length;
    // As after `mv here there` and a new checkout under the old name: only ids and the receipt are the same.
    const { "scripted-gateway-1": gateway } = gatewayFrom(`${await otherFolder()}/.env`);
    await workbench().script(...containersThere({ gateway }, 2), { when: "^network ls" });
    const { exitCode, stderr } = await workbench().deploy("down");
    expect(`${exitCode} ${stderr}`).toMatch(/^0 /);
    expect((await workbench().changes()).slice(before)).toEqual([removal]);
  });
});
