import { rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { command } from "../support/command.ts";
import { refused, useWorkbench } from "./support/use-workbench.ts";

const workbench = useWorkbench();

const aio = "sandbox:\n  use: deerflow.community.aio_sandbox:AioSandboxProvider\n";
const policy = 'owner: mine\nimages: ["sandbox:1"]\nnames: "mine-[0-9]+"\nnetwork: none\n';

async function aioStack(more = ""): Promise<void> {
  await workbench().write("config.yaml", aio);
  await workbench().write("deploy.config.yaml", `version: 1\nproject: scripted\n${more}`);
}

describe("guard policy", () => {
  it("prints what is in force for this stack: the preset, with the keys of the configuration in its place", async () => {
    await aioStack("sandbox: { docker: { guard: { sandboxes: { alive: 3, createsPerMinute: 9 } } } }\n");
    const { exitCode, stdout } = await workbench().deploy("guard", "policy");
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^# sha256 [0-9a-f]{64}\n/);
    expect(stdout).toContain("owner: scripted\n");
    expect(stdout).toMatch(/sandboxes:\n {2}alive: 3\n {2}createsPerMinute: 9\n/);
    expect(stdout).toMatch(/images:\n {2}- sandbox-deploy\/sandbox:/);
    const document = JSON.parse((await workbench().deploy("guard", "policy", "--json")).stdout);
    expect(document).toMatchObject({ version: 1, exitCode: 0 });
  });

  it("takes another preset, whose images the configuration has to name", async () => {
    await aioStack("sandbox: { docker: { guard: { preset: deer-flow, images: [example.test/aio:1] } } }\n");
    const { exitCode, stdout, stderr } = await workbench().deploy("guard", "policy");
    expect(`${exitCode} ${stderr}`).toBe("0 ");
    expect(stdout).toContain("example.test/aio:1");
  });

  it("of a stack without a guard says where guards belong", async () => {
    expect(await refused(workbench(), 2, "guard", "policy")).toContain("sandbox.docker.access: guarded");
  });
});

describe("a policy that the guard would refuse", () => {
  it("is shown by guard policy at the key of the configuration, or of its file", async () => {
    await aioStack("sandbox:\n  docker:\n    guard:\n      limits:\n        pids: none\n");
    expect(await refused(workbench(), 2, "guard", "policy")).toMatch(/deploy\.config\.yaml:7:9 error D035 /);
    await workbench().write("policy.yaml", `${policy}unknown: 1\n`);
    const said = await refused(workbench(), 2, "guard", "policy", "--policy", "policy.yaml");
    expect(said).toMatch(/^policy\.yaml:5:1 error D035 unknown is not a key of a policy\n {2}fix: /);
  });

  it("stops a plan at the key of the configuration", async () => {
    await aioStack("sandbox:\n  docker:\n    guard:\n      limits:\n        pids: none\n");
    const said = await refused(workbench(), 2, "up");
    expect(said).toMatch(/deploy\.config\.yaml:7:9 error D035 .*limits\.pids/);
  });

  it("with a key that no policy has is refused as well", async () => {
    await aioStack("sandbox:\n  docker:\n    guard:\n      privileged: true\n");
    expect(await refused(workbench(), 2, "up")).toMatch(/deploy\.config\.yaml:6:7 error D035 .*privileged/);
  });
});

describe("a policy that allows what may not be meant", () => {
  const lines = ["sandbox:", "  docker:", "    guard:", "      network: bridge", ""];

  it("is a warning of the plan at the key of the configuration", async () => {
    await aioStack(lines.join("\n"));
    const { exitCode, stderr } = await workbench().deploy("plan");
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(
      /^deploy\.config\.yaml:6:7 warning D036 sandbox\.docker\.guard: network is the engine's shared/m,
    );
  });

  it("is a warning of guard policy as well, which prints it all the same", async () => {
    await aioStack(lines.join("\n"));
    const { exitCode, stdout, stderr } = await workbench().deploy("guard", "policy");
    expect([exitCode, stdout.includes("network: bridge\n")]).toEqual([0, true]);
    expect(stderr).toContain("deploy.config.yaml:6:7 warning D036");
  });

  it("in a file is a warning at its place there", async () => {
    await workbench().write("policy.yaml", policy.replace("none", "bridge"));
    const { exitCode, stderr } = await workbench().deploy("guard", "policy", "--policy", "policy.yaml");
    expect([exitCode, stderr]).toEqual([0, expect.stringMatching(/^policy\.yaml:4:1 warning D036 network is/)]);
  });
});

describe("guard check", () => {
  const request = (body: object) =>
    workbench().write(
      "request.json",
      JSON.stringify({
        method: "POST",
        target: "/containers/create?name=mine-1",
        body: { Image: "sandbox:1", ...body },
      }),
    );

  it("says which rule refuses a request, with the exit code of a refusal", async () => {
    await workbench().write("policy.yaml", policy);
    await request({ HostConfig: { Privileged: true } });
    const ended = await workbench().deploy("guard", "check", "request.json", "--policy", "policy.yaml");
    expect(ended.exitCode).toBe(3);
    expect(ended.stdout).toContain("HostConfig.Privileged");
  });

  it("needs neither a configuration nor an engine, and says what it could not find out", async () => {
    await workbench().write("policy.yaml", policy);
    await request({});
    await rm(join(workbench().folder, "deploy.config.yaml"), { force: true });
    const words = ["guard", "check", "request.json", "--policy", "policy.yaml"];
    const nobody = await workbench().deploy(...words, "--upstream", "unix:/nonexistent/docker.sock");
    expect(nobody.exitCode).toBe(1);
    expect(nobody.stdout).toBe(
      `not decided, though the policy alone does not refuse it: the Docker engine cannot be reached (ENOENT)
  unknown    the engine for the image sandbox:1
  unknown    how many sandboxes there are
`,
    );
    await request({ HostConfig: { Privileged: true } });
    const alone = await workbench().deploy(...words);
    expect(alone.exitCode).toBe(3);
    expect(alone.stdout).not.toMatch(/^ +(?:mounts|ports)/m);
  });

  it.each([
    [["request.json", "--policy", "policy.yaml"], "request.json"],
    [["policy.yaml", "--policy", "absent.yaml"], "absent.yaml"],
  ])("of a file that is not there says so: %j", async (words, missing) => {
    await workbench().write("policy.yaml", policy);
    const said = await refused(workbench(), 2, "guard", "check", ...words);
    expect(said).toContain(`error D014 there is no file ${missing}\n`);
  });

  it("without a request says how one looks", async () => {
    expect(await refused(workbench(), 2, "guard", "check")).toContain('"target": "/containers/create?name=x"');
  });
});

describe("guard log", () => {
  it("shows another audit file readably", async () => {
    await workbench().write("audit.jsonl", "");
    const { exitCode, stdout } = await workbench().deploy("guard", "log", "audit.jsonl");
    expect([exitCode, stdout.trim()]).toEqual([0, ""]);
  });
});

describe("guard log of a stack", () => {
  it.each([
    ["has ended", 'service "guard" is not running'],
    ["is started again and again", "Error response from daemon: Container 0a1b is restarting, wait until it runs"],
  ])("whose guard %s says how its audit is read", async (_what, stderr) => {
    await aioStack();
    await workbench().script({ when: "exec --no-TTY guard", exitCode: 1, stderr });
    const ended = await workbench().deploy("guard", "log");
    expect(ended).toMatchObject({ exitCode: 3, stdout: "" });
    expect(ended.stderr).toContain(
      "docker cp scripted-guard-1:/var/lib/guard/audit.jsonl . and then ./deploy guard log",
    );
  });
});

describe("guard serve", () => {
  it("is a program of its own, which refuses to start without a sound policy", async () => {
    await workbench().write("policy.yaml", `${policy}unknown: 1\n`);
    const { tool, folder } = workbench();
    const ended = await command(
      process.execPath,
      [join(tool, "dist/main.js"), "guard", "serve", "--policy", "policy.yaml", "--listen", `unix:${folder}/d.sock`],
      { cwd: folder },
    );
    expect(ended.exitCode).toBe(2);
    expect(ended.stderr).toContain("policy.yaml:5:1 error unknown is not a key of a policy");
  });

  it.each([
    ["a flag of its own", ["guard", "--policy", "policy.yaml", "serve"]],
    ["a flag of the tool", ["--no-color", "guard", "serve"]],
  ])("behind %s says where its flags stand", async (_what, words) => {
    const said = await refused(workbench(), 2, ...words);
    expect(said).toContain("fix: write its flags behind it: ./deploy guard serve --policy FILE");
  });
});
