import { spawn } from "node:child_process";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, test } from "vitest";
import { eventually } from "../support/command.ts";
import { containersThere, sandboxLabels, serviceLabels } from "./support/engine-rules.ts";
import { refused, useWorkbench } from "./support/use-workbench.ts";

const workbench = useWorkbench();

const gateway = { "scripted-gateway-1": { labels: serviceLabels("scripted", "gateway") } };
const sandbox = { "some-sandbox": { labels: sandboxLabels("scripted") } };

async function forgetConfiguration() {
  await rm(join(workbench().folder, "deploy.config.yaml"));
}

/** Deploys with success, so that there is a receipt. */
async function deployed(...args: string[]) {
  const bench = workbench();
  bench.openFrontDoor("local");
  const { exitCode, stderr } = await bench.deploy("up", "--yes", ...args);
  expect(`${exitCode} ${stderr}`).toMatch(/^0 /);
}

async function receipt(): Promise<unknown> {
  const { receipt: sealed, ...plain } = JSON.parse(await workbench().read(".deploy/receipt.json"));
  return sealed ?? plain;
}

const withPrefix = "version: 1\nproject: scripted\nsandbox:\n  namePrefix: agent-box-\n";

describe("down", () => {
  it("fails with D075 while a volume is still there, names who uses it, and keeps the receipt", async () => {
    const bench = workbench();
    await deployed();
    await bench.script(
      { when: "^volume ls", stdout: "scripted_store\n" },
      { when: "^ps .*volume=scripted_store", stdout: "backup\n" },
      { when: "^volume rm", exitCode: 1, stderr: "Error response from daemon: volume is in use\n" },
      { when: "^network ls" },
    );
    const { exitCode, stdout, stderr } = await bench.deploy("down", "--volumes", "--yes");
    expect(`${exitCode} ${stdout}`).toBe("1 ");
    expect(stderr).toContain("error D075 something of scripted could not be removed:");
    expect(stderr).toContain("the volume scripted_store, which backup uses");
    expect(await receipt()).toMatchObject({ services: expect.arrayContaining(["store"]) });
  });

  it("does not mind a volume that was to be kept", async () => {
    await deployed();
    await workbench().script({ when: "^volume ls", stdout: "scripted_store\n" }, { when: "^network ls" });
    const { exitCode, stdout } = await workbench().deploy("down");
    expect(`${exitCode} ${stdout}`).toBe(
      "0 scripted is down\nkept: the data in scripted_store (down --volumes deletes it)\n",
    );
    expect(await receipt()).toMatchObject({ services: [] });
  });

  it("fails with D075 while a network, a container or a sandbox is still there", async () => {
    await workbench().script(...containersThere({ ...gateway, ...sandbox }), {
      when: "^network ls",
      stdout: "scripted_front\n",
    });
    const { exitCode, stderr } = await workbench().deploy("down");
    expect(exitCode).toBe(1);
    expect(stderr).toContain("the container scripted-gateway-1");
    expect(stderr).toContain("the sandbox some-sandbox");
    expect(stderr).toContain("the network scripted_front");
  });

  it("waits for a container that is being removed", async () => {
    const removing = { "scripted-gateway-1": { ...gateway["scripted-gateway-1"], state: { Status: "removing" } } };
    // It is listed for the plan, for the sweep and for the first look afterwards.
    await workbench().script(...containersThere(removing, 3));
    const { exitCode, stdout } = await workbench().deploy("down");
    expect(`${exitCode} ${stdout}`).toBe("0 scripted is down\n");
  });

  it("is done only if the engine said why a removal failed, and that it does not matter", async () => {
    const rules = containersThere(sandbox, 2);
    await workbench().script({ when: "^rm ", exitCode: 1 }, ...rules);
    expect(await workbench().deploy("down")).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining("D074 docker could not remove containers"),
    });
  });

  it("takes a sandbox that somebody else removed for removed, its anonymous volumes included", async () => {
    const stderr = "Error: No such container: id-some-sandbox\n";
    await workbench().script({ when: "^rm ", exitCode: 1, stderr }, ...containersThere(sandbox, 2));
    const { exitCode, stdout } = await workbench().deploy("down");
    expect(`${exitCode} ${stdout}`).toBe("0 scripted is down\n");
    expect(await workbench().changes()).toEqual([["rm", "--force", "--volumes", "id-some-sandbox"]]);
  });

  test.each([
    ["docker rm", "^rm "],
    ["docker compose down", "^compose .* down"],
  ])("that is interrupted during %s never says that the stack is down", async (_call, when) => {
    const bench = workbench();
    await bench.script({ when, hangs: true }, ...containersThere({ ...gateway, ...sandbox }));
    const child = spawn(process.execPath, [join(bench.tool, "dist/main.js"), "down"], {
      cwd: bench.folder,
      env: { ...process.env, ...bench.environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let said = "";
    child.stdout.on("data", (chunk) => (said += String(chunk)));
    const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
    await eventually(async () => {
      const calls = (await bench.calls()).map((argv) => argv.join(" "));
      if (!calls.some((call) => new RegExp(when).test(call))) throw new Error("nothing is removed yet");
    });
    child.kill("SIGINT");
    expect(await ended).toBe(130);
    expect(said).toBe("");
  });
});

describe("down without a readable configuration", () => {
  it("removes nothing where no deployment is known, and lists what this tool runs", async () => {
    await forgetConfiguration();
    const files = `${workbench().tool}/compose/docker-compose.yaml`;
    await workbench().script({
      when: "^ps .*config_files",
      stdout: `shop\t${files}\tabc\t\nother\t/srv/other.yaml\t\t\nvendor\t/srv/v.yaml\t\t\n\t\t\tvendor\n`,
    });
    const said = await refused(workbench(), 2, "down");
    expect(said).toContain("D014 there is no configuration at");
    expect(said).toContain(
      "D014 no configuration and no earlier deployment of this folder say which project to remove",
    );
    expect(said).toContain("./deploy down --project NAME (this tool runs shop, vendor)");
  });

  it("knows the secrets of the environment file that the command line names, from the current folder", async () => {
    const secret = "kQ7vTz0Xb3mWn9LrEy5aHd2sGf8uJc4p";
    await mkdir(join(workbench().folder, "elsewhere"));
    await workbench().write("other.env", `API_KEY=${secret}\n`);
    await workbench().script(
      { when: "^network ls", stdout: "gone_default\n" },
      { when: "^compose .*down", exitCode: 1, stderr: `cannot remove it: ${secret}\n` },
    );
    const named = ["--config", "elsewhere/deploy.config.yaml", "--env-file", "other.env", "--project", "gone"];
    const { exitCode, stderr } = await workbench().deploy("down", ...named);
    expect(`${exitCode} ${stderr}`).toMatch(/^1 /);
    expect(stderr).toContain("cannot remove it: ‹redacted›");
  });

  it("shows what is wrong with the configuration when that is all it knows", async () => {
    await workbench().write("deploy.config.yaml", "version: 1\nproject: scripted\nsandbx: 1\n");
    const said = await refused(workbench(), 2, "down");
    expect(said).toContain("deploy.config.yaml:3:1 error D011");
    expect(said).toContain("(this tool runs none on this engine)");
  });

  it("takes the project that --project names", async () => {
    await forgetConfiguration();
    const { exitCode, stdout, stderr } = await workbench().deploy("down", "--project", "other");
    expect(`${exitCode} ${stdout}`).toBe("0 nothing of other is running\n");
    expect(stderr).toContain("the project's name is taken from --project: other");
  });

  it("takes the project and the prefix of the last deployment, and asks about containers known only by name", async () => {
    const bench = workbench();
    await bench.write("deploy.config.yaml", withPrefix);
    await deployed();
    await forgetConfiguration();
    const there = { "agent-box-1": { labels: {} }, "agent-boxer": { labels: {} }, ...gateway };
    await bench.script(...containersThere(there, 1), { when: "^network ls" });
    const before = await bench.changes();
    const first = await bench.deploy("down");
    expect(first.exitCode).toBe(3);
    expect(first.stderr).toContain("the project's name is taken from the last deployment: scripted");
    expect(first.stderr).toMatch(/error D065 not accepted: .* sandboxes of scripted: agent-box-1\n/);
    expect(await bench.changes()).toEqual(before);
  });

  it("with an engine that does not answer says that", async () => {
    await forgetConfiguration();
    const stderr =
      "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\n";
    await workbench().script({ when: "", exitCode: 1, stderr });
    expect(await refused(workbench(), 3, "down")).toContain("D041 the Docker daemon does not answer");
    expect(await refused(workbench(), 3, "down", "--project", "x")).toContain("D041 the Docker daemon does not answer");
  });
});

describe("down and the receipt", () => {
  it("of another project: says which one the last deployment was, and keeps its receipt", async () => {
    await deployed();
    await workbench().script(
      ...containersThere({ "other-gateway-1": { labels: serviceLabels("other", "gateway") } }, 1),
      { when: "^network ls" },
    );
    const { exitCode, stdout, stderr } = await workbench().deploy("down", "--project", "other");
    expect(`${exitCode} ${stdout}`).toBe("0 other is down\n");
    expect(stderr).toContain(
      "the last deployment from this folder was project scripted; it may still run: ./deploy down --project scripted",
    );
    expect(await receipt()).toMatchObject({ project: "scripted", services: expect.arrayContaining(["gateway"]) });
  });

  it("of a stack whose containers somebody removed by hand: forgets them", async () => {
    await deployed();
    await workbench().script(...containersThere({}), { when: "^network ls" });
    const { stdout } = await workbench().deploy("down");
    expect(stdout).toContain("nothing of scripted is running");
    expect(await receipt()).toMatchObject({ services: [] });
  });

  it("the prefix of this configuration is not that of another project", async () => {
    await workbench().write("deploy.config.yaml", withPrefix);
    await workbench().script(...containersThere({ "agent-box-1": { labels: {} } }));
    const other = await workbench().deploy("down", "--project", "other");
    expect(`${other.exitCode} ${other.stdout}`).toBe("0 nothing of other is running\n");
    expect(await refused(workbench(), 3, "down")).toContain("error D065");
  });
});

describe("settings of Compose", () => {
  it("of the environment and of the current folder's .env do not reach a down", async () => {
    const bench = workbench();
    await bench.script(...containersThere(gateway, 2));
    const { exitCode } = await bench.deployWith({ COMPOSE_FILE: "/nowhere", COMPOSE_PROGRESS: "junk" }, "down");
    expect(exitCode).toBe(0);
    expect(await bench.changes()).toEqual([
      ["compose", "--project-name", "scripted", "--env-file", "/dev/null", "down", "--remove-orphans"],
    ]);
  });

  it("that Compose refuses are named, with what to do", async () => {
    const stderr = 'COMPOSE_PARALLEL_LIMIT must be an integer (found: "abc")\n';
    await workbench().script({ when: "^compose .*down", exitCode: 1, stderr }, ...containersThere(gateway));
    const { exitCode, stderr: said } = await workbench().deploy("down");
    expect(exitCode).toBe(1);
    expect(said).toContain("fix: correct or unset COMPOSE_PARALLEL_LIMIT in the environment");
  });
});
