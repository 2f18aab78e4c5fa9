import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { createStack, platformConfigs, type TestStack } from "../support/stack.ts";

let mine: TestStack;
let other: TestStack | undefined;
afterEach(async () => {
  await mkdir(mine.folder, { recursive: true });
  await mine.dispose();
  await other?.dispose();
  other = undefined;
});

/** Id and start of every container of the project: the same again means that nobody touched them. */
async function untouched(): Promise<unknown> {
  const all = await Promise.all((await mine.containers()).map((name) => mine.inspect(name)));
  return all.map(({ Id, State }) => [Id, (State as Record<string, unknown>)["StartedAt"]]);
}

describe("a project that another folder deployed", () => {
  it("is neither taken over nor removed from a copy of that folder, until that is accepted by name", async () => {
    mine = await createStack("theirs", platformConfigs.localRefusing);
    await mine.deployOk("up", "--yes");
    const before = await untouched();
    other = await createStack("copy", platformConfigs.localRefusing);
    await other.write("deploy.config.yaml", await mine.read("deploy.config.yaml"));

    for (const line of [
      ["up", "--yes"],
      ["down", "--yes"],
      ["down", "--volumes", "--yes"],
    ]) {
      const { exitCode, stderr } = await other.deploy(...line);
      expect(exitCode).toBe(3);
      expect(stderr).toContain("error D066");
      expect(stderr).toContain(`${mine.project}-gateway-1`);
      expect(stderr).toContain(`${mine.folder}/.env`);
    }
    expect(await untouched()).toEqual(before);
    expect((await mine.api("/api/sandbox")).status).toBe(200);

    await other.deployOk("down", "--accept", "foreign-project");
    expect(await mine.containers()).toEqual([]);
  });

  it("is this folder's own after it was moved and its receipt was lost", async () => {
    mine = await createStack("moved", platformConfigs.localRefusing);
    await mine.deployOk("up", "--yes");
    const before = await untouched();
    await rename(mine.folder, `${mine.folder}-moved`);
    await rm(join(`${mine.folder}-moved`, ".deploy/receipt.json"));
    other = await createStack("place", platformConfigs.localRefusing);
    await rm(other.folder, { recursive: true });
    await rename(`${mine.folder}-moved`, other.folder);

    expect((await other.deployOk("status")).stdout).toContain("healthy");
    expect(await untouched()).toEqual(before);
    await other.deployOk("down");
    expect(await mine.containers()).toEqual([]);
  });
});

describe("a project whose name was changed", () => {
  it("is asked about before another one starts beside it, and stays as it is", async () => {
    mine = await createStack("oldname", platformConfigs.localRefusing);
    await mine.deployOk("up", "--yes");
    const before = await untouched();
    const line = ["--project", `${mine.project}-new`];
    await mine.write(".env", (await mine.read(".env")).replace(/^PORT=.*$/m, "PORT=0"));
    const { exitCode, stderr } = await mine.deploy("up", ...line);
    expect(exitCode).toBe(3);
    expect(stderr).toContain(`error D067 not accepted: this folder deployed project ${mine.project} before`);
    expect(await untouched()).toEqual(before);
    expect(await mine.containers(`label=com.docker.compose.project=${mine.project}-new`)).toEqual([]);
  });
});
