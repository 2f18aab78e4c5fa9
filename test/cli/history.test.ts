import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { eventually } from "../support/command.ts";
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

  it("that cannot be written is one note, and the stack runs all the same; the next up that can writes it", async () => {
    workbench().openFrontDoor("local");
    await workbench().remember();
    await mkdir(at(".deploy"), { mode: 0o700 });
    await writeFile(at(".deploy/history"), "no folder");
    const receipt = async () => JSON.parse(await workbench().read(".deploy/receipt.json")).receipt;
    const told = (await upOk()).match(/the record of this deployment, .* could not be written.*/g);
    expect(told).toEqual([expect.stringContaining("nothing leads back to this deployment")]);
    expect(await receipt()).not.toHaveProperty("deployment");
    const changes = await workbench().changes();
    const tags = changes.flatMap(([kind, verb, , tag = ""]) => (kind === "image" && verb === "tag" ? [tag] : []));
    expect(tags.length).toBeGreaterThan(0);
    const removed = changes.flatMap(([kind, verb, ...rest]) => (kind === "image" && verb === "rm" ? rest : []));
    // Tags are set at the same time, and come in any order.
    expect(removed.toSorted()).toEqual(tags.toSorted());
    await rm(at(".deploy/history"));
    expect(await upOk()).not.toContain("could not be written");
    const [id] = await ids();
    expect(await receipt()).toMatchObject({ deployment: id });
  });

  it("has a copy of the secrets that an environment file lost since, and plan leads to it before up makes others", async () => {
    const bench = workbench();
    bench.openFrontDoor("local");
    await bench.remember();
    await upOk();
    const env = await bench.read(".env");
    const [id = ""] = await ids();
    await bench.write(".env", env.replace(/^(STORE_PASSWORD=).*$/m, "$1"));
    const { stderr } = await bench.deploy("plan");
    expect(stderr).toMatch(/warning D118 \.env has lost the value of STORE_PASSWORD, which the last deployment had/);
    const [folder = ""] = /\.deploy\/history\/\S+\/files/.exec(stderr) ?? [];
    expect(folder).toContain(id);
    const [copy = ""] = (await readdir(at(folder))).filter((name) => name.endsWith(".env"));
    expect(await bench.read(join(folder, copy))).toBe(env);
    await bench.write(".env", env);
    expect(await upOk()).not.toContain("D118");
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

describe("history", () => {
  it("lists deployments, the newest first, with how each ended and which one runs", async () => {
    const bench = workbench();
    bench.openFrontDoor("local");
    expect((await bench.deploy("history")).stdout).toBe("no deployment of this folder is recorded\n");
    await upOk();
    await changeModel();
    await bench.script({ when: " up ", exitCode: 1, stderr: "no such network\n" });
    await bench.deploy("up");
    const [good = "", failed = ""] = await ids();
    const killed = "20991231-000000-0000";
    await mkdir(at(`.deploy/history/${killed}`));
    await writeFile(at(`.deploy/history/${killed}/deployment.json`), "{");
    const { exitCode, stdout } = await bench.deploy("history");
    expect(exitCode).toBe(0);
    expect(stdout.split("\n").slice(1, -1)).toEqual([
      expect.stringMatching(new RegExp(`^${killed} .* the record cannot be read$`)),
      expect.stringMatching(new RegExp(`^${failed}  \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d  up .* failed$`)),
      expect.stringMatching(new RegExp(`^${good} .* done, runs now$`)),
    ]);
    const { deployments } = JSON.parse((await bench.deploy("history", "--json")).stdout);
    expect(deployments).toMatchObject([
      { id: killed, outcome: null, problem: "damaged", runs: false },
      { id: failed, outcome: "failed", command: "up", mode: "local", runs: false },
      { id: good, outcome: "done", runs: true, durationMilliseconds: expect.any(Number) },
    ]);
    await bench.script({ when: "^ps", exitCode: 1, stderr: "Cannot connect to the Docker daemon at x.\n" });
    await bench.write("deploy.config.yaml", "{{{");
    const without = await bench.deploy("history");
    expect([without.exitCode, without.stdout]).toEqual([0, stdout.replace(", runs now", "")]);
    expect(without.stderr).toContain("which deployment runs is not known");
  });

  it("show says everything of one deployment, and of secrets only the names", async () => {
    workbench().openFrontDoor("local");
    await upOk();
    const [id = ""] = await ids();
    const { stdout } = await workbench().deploy("history", "show", id.slice(0, 8));
    for (const part of [
      `deployment  ${id} (runs now)`,
      "outcome     done",
      "mode        local (",
      "  deploy.config.yaml ",
      `kept as scripted/store:deploy-${id}`,
      "published-port  127.0.0.1:",
      "  GATEWAY_API_KEY, STORE_PASSWORD",
      "  .deploy/secrets/store_password",
    ])
      expect(stdout).toContain(part);
    const { stdout: text } = await workbench().deploy("history", "show", "last", "--json");
    const document = JSON.parse(text);
    expect(document).toMatchObject({ id, outcome: "done", runs: true, secrets: ["GATEWAY_API_KEY", "STORE_PASSWORD"] });
    const fingerprints = Object.values(Object((await record(id))["secrets"])).map(String);
    expect(fingerprints).toHaveLength(2);
    for (const hash of fingerprints) expect(stdout + text).not.toContain(hash);
  });

  it("shows a deployment whose process died as interrupted", async () => {
    workbench().openFrontDoor("local");
    await workbench().script({ when: " up ", hangs: true });
    const child = spawn(process.execPath, ["--", join(workbench().tool, "dist/main.js"), "up"], {
      cwd: workbench().folder,
      env: { ...process.env, ...workbench().environment },
      stdio: "ignore",
    });
    const ended = once(child, "exit");
    await eventually(async () => expect(JSON.stringify(await workbench().changes())).toContain('"up"'));
    expect((await workbench().deploy("history")).stdout).toMatch(/ in progress\n$/);
    child.kill("SIGKILL");
    await ended;
    expect((await workbench().deploy("history")).stdout).toMatch(/ interrupted\n$/);
  });

  it.each([
    ["is unknown", "2001", /there is no deployment 2001\n {2}fix: name one of \d{8}-/],
    ["could be two", "2", /2 could be \d{8}-\d{6}-[0-9a-f]{4} or \d{8}-/],
    ["is damaged", "20991231", /the record of the deployment 20991231-000000-0000 is damaged/],
  ])("refuses an id that %s, and says what there is", async (_what, word, said) => {
    workbench().openFrontDoor("local");
    await upOk();
    await mkdir(at(".deploy/history/20991231-000000-0000"));
    for (const line of [
      ["history", "show", word],
      ["diff", word],
    ]) {
      const { exitCode, stdout, stderr } = await workbench().deploy(...line);
      expect([exitCode, stdout]).toEqual([2, ""]);
      expect(stderr).toMatch(/^error D081 /);
      expect(stderr).toMatch(said);
    }
  });
});

describe("diff", () => {
  it("names what up would change, what ran before, and no value", async () => {
    const bench = workbench();
    bench.openFrontDoor("local");
    expect(await bench.deploy("diff")).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("D081") });
    await upOk();
    const [first = ""] = await ids();
    expect((await bench.deploy("diff")).stdout).toMatch(/\nno difference\n$/);
    const env = await bench.read(".env");
    const secret = "planted7c1e9a3b5d7f";
    await bench.write(
      ".env",
      `${env.replace(/^STORE_PASSWORD=.*$/m, `STORE_PASSWORD=${secret}`)}RATE_LIMIT_PER_MINUTE=777\n`,
    );
    const changed = [
      "files",
      "  ~ .env",
      "configuration",
      "  ~ gateway        environment.RATE_LIMIT_PER_MINUTE",
      "  ~ (whole stack)  x-sandbox-deploy.secrets.STORE_PASSWORD.value",
      "secrets",
      "  ~ STORE_PASSWORD",
      "",
    ].join("\n");
    const planned = await bench.deploy("diff");
    expect(planned.stdout).toBe(
      `from deployment ${first} to what up would deploy now (+ added, - removed, ~ changed)\n${changed}`,
    );
    await upOk();
    const [, second = ""] = await ids();
    expect((await bench.deploy("diff", first)).stdout.split("\n").slice(1).join("\n")).toBe(changed);
    const both = await bench.deploy("diff", first, second, "--json");
    expect(JSON.parse(both.stdout)).toMatchObject({
      ...{ version: 1, exitCode: 0, mode: null, images: [], privileges: [] },
      files: [{ name: at(".env"), change: "changed" }],
      secrets: [{ name: "STORE_PASSWORD", change: "changed" }],
    });
    expect((await bench.deploy("diff", "last")).stdout).toMatch(/\nno difference\n$/);
    expect(planned.stdout + both.stdout).not.toMatch(/777|planted/);
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
