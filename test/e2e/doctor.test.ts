import { chmod, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { command, output } from "../support/command.ts";
import { createOwnEngine, type OwnEngine } from "../support/own-engine.ts";
import { createStack, platformConfigs, repositoryRoot, type TestStack } from "../support/stack.ts";

const image = "sandbox-deploy/test-busybox:1";
const base = `services:
  web:
    image: ${image}
    init: true
    command: [sleep, "600"]
    mem_limit: 64m
    network_mode: none
    stop_grace_period: 0s
`;
const settings = "  base: stack.yaml\nplatform: { service: web }\nhealth: { waitSeconds: 60, settleSeconds: 1 }\n";

interface Document {
  readonly exitCode: number;
  readonly checks: readonly { readonly check: string; readonly state: string }[];
  readonly findings: readonly { readonly check: string; readonly code: string; readonly evidence: readonly string[] }[];
}

let stack: TestStack;
beforeAll(async () => {
  stack = await createStack("doctor", platformConfigs.localRefusing, settings);
  await stack.write("stack.yaml", base);
});
afterAll(async () => {
  await command("docker", ["rm", "--force", `${stack.project}-old`]);
  await stack.dispose();
});

async function diagnosis(env: Record<string, string>, ...args: string[]) {
  const options = { cwd: stack.folder, env: { CI: "true", ...env } };
  const { exitCode, stdout } = await command(
    join(repositoryRoot, "deploy"),
    ["doctor", "--json", "--timeout", "120", ...args],
    options,
  );
  const document = JSON.parse(stdout) as Document;
  expect(document.exitCode).toBe(exitCode);
  return { ...document, found: document.findings.map(({ check, code }) => `${check} ${code}`) };
}

/** What a stack itself can have wrong, whatever the machine is like. */
function foundOfStack(found: readonly string[]): string[] {
  const checks = /^(configuration|environment|files|mounts|ports|lock|leftovers|deployment|plan) /;
  return found.filter((each) => checks.test(each));
}

/** This stack has no front door, which is a warning of every plan. */
const nothing = ["plan D033"];

describe("doctor, on a real engine", () => {
  it("finds nothing wrong with a stack that runs as deployed, then all that was done to it by hand, and mends it", async () => {
    await stack.deployOk("up", "--yes");
    const before = await diagnosis({});
    const stateOf = (name: string) => before.checks.find(({ check }) => check === name)?.state;
    expect(foundOfStack(before.found)).toEqual(nothing);
    for (const name of ["docker", "compose", "limits", "storage", "disk", "memory", "clock"])
      expect(`${name} ${stateOf(name)}`).not.toBe(`${name} skipped`);
    expect(before.exitCode).toBe(0);

    await output("docker", ["update", "--memory", "128m", "--memory-swap", "256m", `${stack.project}-web-1`]);
    const old = ["--label", `com.docker.compose.project=${stack.project}`, "--label", "com.docker.compose.service=old"];
    const name = ["--name", `${stack.project}-old`];
    await output("docker", ["run", "--detach", "--network", "none", ...name, ...old, image, "sleep", "600"]);
    await chmod(join(stack.folder, ".deploy"), 0o755);
    const broken = await diagnosis({});
    expect(broken.exitCode).toBe(3);
    expect(broken.found).toEqual(
      expect.arrayContaining(["files D217", "leftovers D222", "deployment D072", "deployment D224"]),
    );

    await diagnosis({}, "--fix", "--yes");
    expect(await stack.containers()).toEqual([`${stack.project}-web-1`]);
    await stack.deployOk("up", "--yes");
    expect(foundOfStack((await diagnosis({})).found)).toEqual(nothing);
  });
});

describe("doctor, on an engine of its own", () => {
  let engine: OwnEngine;
  beforeAll(async () => {
    engine = await createOwnEngine({ flags: ["--storage-driver", "vfs"] });
    await engine.start();
  });
  afterAll(() => engine.dispose());

  it("tells of a socket that is open to all and of slow storage, and ends while the engine hangs or is gone", async () => {
    const env = { DOCKER_HOST: engine.host };
    const socket = engine.host.replace("unix://", "");
    await chmod(socket, 0o666);
    const { found, exitCode } = await diagnosis(env);
    expect(found).toEqual(expect.arrayContaining(["storage D209", "rights D207"]));
    expect(exitCode).toBe(0);

    const pid = Number(await readFile(join(socket, "../pid"), "utf8"));
    process.kill(pid, "SIGSTOP");
    const hanging = await diagnosis(env, "--timeout", "2");
    process.kill(pid, "SIGCONT");
    expect(hanging.exitCode).toBe(3);
    expect(hanging.findings.find(({ code }) => code === "D041")?.evidence).toEqual(["docker info did not end"]);

    await engine.stop();
    const gone = await diagnosis(env);
    expect([gone.exitCode, gone.found.filter((each) => each.startsWith("docker "))]).toEqual([3, ["docker D041"]]);
  });
});
