import { existsSync } from "node:fs";
import { readlink, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, test } from "vitest";
import { refused, useWorkbench } from "./support/use-workbench.ts";

const workbench = useWorkbench();

async function linkNowhere(name: string): Promise<string> {
  const path = join(workbench().folder, name);
  const target = join(workbench().folder, "elsewhere", "target");
  await rm(path, { force: true });
  await symlink(target, path);
  return target;
}

describe("a symbolic link that leads nowhere", () => {
  test.each([".env", "config.yaml"])(
    "in the place of %s is named with its target, and nothing is made",
    async (name) => {
      const target = await linkNowhere(name);
      for (const command of ["plan", "up"]) {
        const said = await refused(workbench(), 2, command);
        expect(said).toContain(`error D014 ${name} is a symbolic link to ${target}, which does not exist\n`);
        expect(said).toContain("fix: bring back what it points to, or remove the link");
      }
      expect(await readlink(join(workbench().folder, name))).toBe(target);
      expect(existsSync(target)).toBe(false);
    },
  );

  it("does not keep a down from its work", async () => {
    await linkNowhere(".env");
    expect(await workbench().deploy("down")).toMatchObject({ exitCode: 0 });
  });

  it("is no finding where it leads to a file", async () => {
    const real = join(workbench().folder, "real.env");
    await writeFile(real, await workbench().read(".env"), { mode: 0o600 });
    await rm(join(workbench().folder, ".env"));
    await symlink("real.env", join(workbench().folder, ".env"));
    const { exitCode, stderr } = await workbench().deploy("plan");
    expect(`${exitCode} ${stderr}`).toBe("0 ");
  });
});

it("a value with a dollar sign that Compose takes for a variable is a warning of plan and up, without the value", async () => {
  await workbench().write(".env", `${await workbench().read(".env")}EXTRA=abcdef$hunter22\n`);
  workbench().openFrontDoor("local");
  for (const command of ["plan", "up"]) {
    const { exitCode, stdout, stderr } = await workbench().deploy(command);
    expect(exitCode).toBe(0);
    expect(stderr).toContain(".env:4:1 warning D034 the value of EXTRA refers with $ to a variable that is not set");
    expect(`${stdout}${stderr}`).not.toMatch(/abcdef|hunter22/);
  }
});

it("a variable of .env that the platform's file names is D021 until a Compose file hands it to the gateway", async () => {
  await workbench().write(".env", `${await workbench().read(".env")}EXTRA=given\n`);
  await workbench().write("config.yaml", `k: $EXTRA\n${await workbench().read("config.yaml")}`);
  const said = await refused(workbench(), 2, "plan");
  expect(said).toContain("config.yaml:1:4 error D021 k starts with $ and so names the variable EXTRA");
  expect(said).toContain("in a file under compose.overlays.always (a line in .env reaches no container by itself)");
  await workbench().write("more.yaml", `services:\n  gateway:\n    environment:\n      EXTRA: $\{EXTRA}\n`);
  await workbench().write(
    "deploy.config.yaml",
    "version: 1\nproject: scripted\ncompose:\n  overlays:\n    always: [more.yaml]\n",
  );
  const { exitCode, stderr } = await workbench().deploy("plan");
  expect(`${exitCode} ${stderr}`).toBe("0 ");
});
