import { spawn } from "node:child_process";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { bundleProgram } from "../support/bundled-program.ts";
import { command, type Ended, eventually, output } from "../support/command.ts";
import { createOwnEngine, type OwnEngine } from "../support/own-engine.ts";
import { createStack, platformConfigs, repositoryRoot, type TestStack } from "../support/stack.ts";

// It takes its time until it is healthy, so that the engine is restarted while the tool waits for it.
const base = `services:
  web:
    image: sandbox-deploy/test-busybox:1
    init: true
    command: ["sh", "-c", "sleep $\${PAUSE}; touch /ready; exec sleep 600"]
    environment: { SHADE: "\${SHADE}", PAUSE: "\${PAUSE}" }
    network_mode: none
    restart: unless-stopped
    stop_grace_period: 0s
    secrets: [token]
    healthcheck: { test: [CMD, test, -e, /ready], interval: 1s, timeout: 2s, retries: 60 }
secrets:
  token: { file: "\${SECRETS_DIR:-secrets}/token" }
x-sandbox-deploy-restart:
  secrets:
    WEB_TOKEN: { value: "\${WEB_TOKEN:-}", file: token, bytes: 32 }
`;

const settings = "  base: stack.yaml\nplatform: { service: web }\nhealth: { waitSeconds: 60, settleSeconds: 1 }\n";

let engine: OwnEngine;
let stack: TestStack;
let env: Record<string, string>;

beforeAll(async () => {
  // Another runtime by name; that it is the usual one underneath does not matter to who asks for it.
  engine = await createOwnEngine({ flags: ["--add-runtime", "runsc=runc"] });
  env = { CI: "true", DOCKER_HOST: engine.host };
  await engine.start();
  await engine.load("sandbox-deploy/test-busybox:1");
  stack = await createStack("restart", platformConfigs.localRefusing, settings);
  await stack.write("stack.yaml", base);
});
afterAll(async () => {
  await deploy("down");
  await engine.dispose();
  await stack.dispose();
});

const deploy = (...args: string[]): Promise<Ended> =>
  command(join(repositoryRoot, "deploy"), args, { cwd: stack.folder, env });

async function deployOk(...args: string[]): Promise<Ended> {
  const ended = await deploy(...args);
  expect(`${args.join(" ")}: ${ended.exitCode}\n${ended.stderr}`).toMatch(/^[^:]*: 0\n/);
  return ended;
}

/** What the container that runs was started with. */
async function shade(): Promise<string> {
  const format = "{{range .Config.Env}}{{println .}}{{end}}{{.State.Status}}";
  const text = await output("docker", ["inspect", "--format", format, `${stack.project}-web-1`], { env });
  return `${/^SHADE=(.*)$/m.exec(text)?.[1]} ${text.trim().split("\n").at(-1)}`;
}

const write = async (color: string, pause: number) => {
  const token = /^WEB_TOKEN=.*$/m.exec(await stack.read(".env"))?.[0] ?? "";
  await stack.write(".env", `SHADE=${color}\nPAUSE=${pause}\n${token}\n`);
};
const secretOf = async () => /^WEB_TOKEN=(.+)$/m.exec(await stack.read(".env"))?.[1];

/** Runs a command, and restarts the engine once the container of that color is there and not yet healthy. */
async function acrossRestart(color: string, ...args: string[]): Promise<Ended> {
  const child = spawn(join(repositoryRoot, "deploy"), args, { cwd: stack.folder, env: { ...process.env, ...env } });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    stdout += chunk;
  });
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    stderr += chunk;
  });
  const ended = new Promise<number>((resolve) => child.on("close", (code) => resolve(code ?? 1)));
  await eventually(async () => expect(await shade()).toBe(`${color} running`));
  await engine.stop();
  await engine.start();
  return { exitCode: await ended, stdout, stderr };
}

/** Whatever a restarted engine made of a command: it says that all is well and the new color runs, or that the old one is back. */
async function isTrue({ exitCode, stderr }: Ended, after: string, before: string): Promise<void> {
  expect([0, 1], stderr).toContain(exitCode);
  if (exitCode === 1) expect(stderr).toMatch(/warning D098 /);
  expect(await shade(), stderr).toBe(`${exitCode === 0 ? after : before} running`);
  expect(stderr).not.toContain("this is a bug");
  await deployOk("status");
}

it("an engine that restarts in the middle of an up and of a rollback: what is said to run does, no secret changes, and no lock is left", async () => {
  await write("green", 0);
  await deployOk("up");
  const secret = await secretOf();
  await write("red", 8);
  await isTrue(await acrossRestart("red", "up"), "red", "green");
  await deployOk("up");
  expect(await shade()).toBe("red running");
  await write("blue", 0);
  await deployOk("up");
  await isTrue(await acrossRestart("red", "rollback", "--yes"), "red", "blue");
  await deployOk("up");
  expect(await shade()).toBe("blue running");
  expect(await secretOf()).toBe(secret);
  expect(await stack.read(".deploy/secrets/token")).toBe(secret);
  expect(await readdir(join(stack.folder, ".deploy"))).not.toContain("lock");
  expect(await output("docker", ["volume", "ls", "--quiet"], { env })).toBe("");
});

it("a runtime that the policy names runs every sandbox, and no client may ask for another", async () => {
  const policy = `owner: runtimes\nimages: [sandbox-deploy/test-busybox:1]\nnames: 'box-[a-z]+'\nnetwork: none\nruntime: runsc\noperations: { attach: true }\n`;
  await stack.write("policy.yaml", policy);
  const at = (name: string) => join(stack.folder, name);
  const guard = await bundleProgram("guard", "src/guard/main.ts");
  const paths = ["--policy", at("policy.yaml"), "--audit", at("audit.jsonl"), "--upstream", engine.host];
  const served = guard.run(["serve", "--listen", `unix:${at("guard.sock")}`, ...paths]);
  try {
    const through = { env: { DOCKER_HOST: `unix://${at("guard.sock")}` } };
    await eventually(() => output("docker", ["version"], through));
    const words = ["--name", "box-a", "--network", "none", "sandbox-deploy/test-busybox:1", "echo", "ran"];
    expect((await command("docker", ["run", "--runtime", "runc", ...words], through)).exitCode).toBe(125);
    expect(await output("docker", ["run", ...words], through)).toBe("ran\n");
    const format = ["--format", "{{.HostConfig.Runtime}}", "box-a"];
    expect(await output("docker", ["inspect", ...format], { env })).toBe("runsc\n");
  } finally {
    served.child.kill("SIGTERM");
    await served.exitCode;
    await guard.remove();
    await command("docker", ["rm", "--force", "box-a"], { env });
  }
});
