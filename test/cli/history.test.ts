import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { useWorkbench } from "./support/use-workbench.ts";

const workbench = useWorkbench();
const at = (path: string) => join(workbench().folder, path);

async function upOk(...args: string[]) {
  const { exitCode, stderr } = await workbench().deploy("up", ...args);
  expect(`${exitCode} ${stderr}`).toMatch(/^0 /);
  return stderr;
}

const ids = async () => (await readdir(at(".deploy/history")).catch(() => [])).toSorted();

async function record(id: string): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(at(`.deploy/history/${id}/deployment.json`), "utf8")).receipt;
}

async function changeModel() {
  const env = await workbench().read(".env");
  await workbench().write(".env", `${env}RATE_LIMIT_PER_MINUTE=${env.split("\n").length + 100}\n`);
}

describe("the record of a deployment", () => {
  it("holds what was deployed, sealed, and no secret but in its private files", async () => {
    const bench = workbench();
    bench.openFrontDoor("local");
    await upOk();
    const [id = "", ...others] = await ids();
    expect([id, ...others]).toEqual([expect.stringMatching(/^\d{8}-\d{6}-[0-9a-f]{4}$/)]);
    const kept = await record(id);
    expect(kept).toMatchObject({
      ...{ version: 1, id, command: "up", outcome: "done", project: "scripted", mode: "local" },
      services: ["gateway", "proxy", "store"],
      images: { store: { id: "sha256:1", tag: `scripted/store:deploy-${id}` } },
      secrets: { GATEWAY_API_KEY: expect.stringMatching(/^[0-9a-f]{64}$/), STORE_PASSWORD: expect.anything() },
      privileges: expect.arrayContaining([expect.objectContaining({ service: "proxy", kind: "published-port" })]),
      findings: [],
    });
    expect(Object.keys(Object(kept["hashes"])).toSorted()).toEqual(["gateway", "proxy", "store"]);
    expect(JSON.parse(await bench.read(".deploy/receipt.json")).receipt.deployment).toBe(id);
    const folder = at(`.deploy/history/${id}`);
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    for (const entry of entries) {
      const path = join(entry.parentPath, entry.name);
      const mode = (await stat(path)).mode & 0o777;
      if (!path.includes("/mounted/")) expect([path, mode]).toEqual([path, entry.isDirectory() ? 0o700 : 0o600]);
    }
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect(JSON.parse(await readFile(join(folder, "model.json"), "utf8"))).toMatchObject({ name: "scripted" });
    expect(await readFile(join(folder, "files/02-.env"), "utf8")).toBe(await bench.read(".env"));
    const mounted = Object(kept["mounted"]).map(({ path }: { path: string }) => path);
    expect(mounted).toEqual([
      at(".deploy/secrets/gateway_api_key"),
      at(".deploy/secrets/store_password"),
      at("config.yaml"),
    ]);
    const copy = Object(kept["mounted"])[0].copy;
    expect((await stat(join(folder, "mounted", copy))).mode & 0o777).toBe(0o444);
    expect(JSON.stringify(kept)).not.toContain("b".repeat(32));
  });

  it("of an up that fails says why, and the receipt stays that of the last good one", async () => {
    workbench().openFrontDoor("local");
    await upOk();
    const receipt = await workbench().read(".deploy/receipt.json");
    await changeModel();
    await workbench().script({ when: " up ", exitCode: 1, stderr: "no such network\n" });
    expect((await workbench().deploy("up")).exitCode).toBe(1);
    const [, failed = ""] = await ids();
    expect(await record(failed)).toMatchObject({
      outcome: "failed",
      findings: [{ code: "D074", message: expect.stringContaining("no such network") }],
    });
    expect(await workbench().read(".deploy/receipt.json")).toBe(receipt);
  });

  it("that cannot be written is a note, and the stack runs all the same", async () => {
    workbench().openFrontDoor("local");
    await mkdir(at(".deploy"), { mode: 0o700 });
    await writeFile(at(".deploy/history"), "no folder");
    expect(await upOk()).toMatch(/the record of this deployment, .* could not be written/);
    expect(JSON.parse(await workbench().read(".deploy/receipt.json")).receipt).not.toHaveProperty("deployment");
  });

  it("goes with the tags of its images once it is too old", async () => {
    const bench = workbench();
    bench.openFrontDoor("local");
    await bench.write("deploy.config.yaml", "version: 1\nproject: scripted\nhistory: { keep: 1 }\n");
    await upOk();
    const [first = ""] = await ids();
    await changeModel();
    await bench.script({ when: "^image ls", stdout: `scripted/store:deploy-${first}\n` });
    await upOk();
    expect(await ids()).toHaveLength(1);
    expect(await ids()).not.toContain(first);
    expect(await bench.changes()).toContainEqual(["image", "rm", `scripted/store:deploy-${first}`]);
  });

  it("whose image could not be tagged has no tag, and says so", async () => {
    workbench().openFrontDoor("local");
    await workbench().script({ when: "^image tag", exitCode: 1, stderr: "no space left\n" });
    expect(await upOk()).toContain("the image of store could not be tagged");
    const [id = ""] = await ids();
    expect(Object(await record(id)).images.store).toEqual({ id: "sha256:1", reference: expect.any(String) });
  });
});

const notUtf8 = Buffer.from([0xff, 0xfe, 0x00, 0xc3, 0x28]);

describe("a receipt that cannot be used", () => {
  const damages: [what: string, damage: (text: string) => string | Buffer][] = [
    ["truncated", (text) => text.slice(0, text.length / 2)],
    ["empty", () => ""],
    ["changed by one letter", (text) => text.replace('"local"', '"lokal"')],
    ["not UTF-8", () => notUtf8],
    ["of another user", (text) => text.replace(/"seal": "\w/, '"seal": "x')],
  ];

  it.each(damages)("%s: is reported once by each command, and set aside by the next up", async (_what, damage) => {
    const bench = workbench();
    bench.openFrontDoor("local");
    await upOk();
    const damaged = damage(await bench.read(".deploy/receipt.json"));
    await writeFile(at(".deploy/receipt.json"), damaged);
    for (const command of ["status", "plan"]) {
      const { exitCode, stderr } = await bench.deploy(command);
      expect([command, exitCode, stderr.split("warning D080").length - 1]).toEqual([command, 0, 1]);
    }
    expect(await readdir(at(".deploy"))).not.toContainEqual(expect.stringContaining("damaged"));
    const said = await upOk();
    expect(said.split("warning D080").length - 1).toBe(1);
    const aside = (await readdir(at(".deploy"))).find((name) => name.startsWith("receipt.json.damaged-")) ?? "";
    expect(await readFile(at(`.deploy/${aside}`))).toEqual(Buffer.from(damaged));
    expect((await bench.deploy("status")).stderr).toBe("");
  });

  it("is no obstacle for down, which sets it aside", async () => {
    workbench().openFrontDoor("local");
    await upOk();
    await writeFile(at(".deploy/receipt.json"), notUtf8);
    const { exitCode, stderr } = await workbench().deploy("down");
    expect([exitCode, stderr.split("warning D080").length - 1]).toEqual([0, 1]);
    expect(await readdir(at(".deploy"))).toContainEqual(expect.stringMatching(/^receipt\.json\.damaged-\d{8}-\d{6}$/));
  });

  it("because a newer version wrote it is reported and left where it is", async () => {
    workbench().openFrontDoor("local");
    await upOk();
    const newer = JSON.stringify({ seal: "x", receipt: { version: 2 } });
    await workbench().write(".deploy/receipt.json", newer);
    const { exitCode, stderr } = await workbench().deploy("down");
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining("a newer version of this tool")]);
    expect(await workbench().read(".deploy/receipt.json")).toBe(newer);
  });

  it("because it is gone is no finding", async () => {
    workbench().openFrontDoor("local");
    await upOk();
    await rm(at(".deploy/receipt.json"));
    expect((await workbench().deploy("status")).stderr).toBe("");
    expect(await upOk()).not.toContain("D080");
  });
});
