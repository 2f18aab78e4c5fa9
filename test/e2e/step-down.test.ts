import { cp, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ageReceipt } from "../support/aged-receipt.ts";
import { command, type Ended } from "../support/command.ts";
import { createStack, platformConfigs, removeKeptImages, repositoryRoot, type TestStack } from "../support/stack.ts";

const base = `services:
  gateway:
    image: sandbox-deploy/test-busybox:1
    init: true
    stop_grace_period: 1s
    command: [sh, -c, "echo hi >/tmp/hello; exec httpd -f -p 8080 -h /tmp"]
    ports: ["\${ADDRESS:-127.0.0.1}:\${PORT}:8080"]
`;
const mounts = (...paths: string[]) => `services: { gateway: { volumes: ${JSON.stringify(paths)} } }\n`;
const overlay = (name: string) => join(repositoryRoot, "compose", name);
const [raw, guarded] = [overlay("docker-compose.dood-raw.yaml"), overlay("docker-compose.dood.yaml")];

let stack: TestStack;
let other = "";

beforeAll(async () => {
  stack = await createStack("stepdown", platformConfigs.local, settings("raw"));
  other = join(stack.folder, "other");
  await stack.write("stack.yaml", base);
  await stack.write("login.yaml", mounts(`${stack.folder}/home/.claude:/home/agent/.claude:ro`));
  await stack.write("cluster.yaml", mounts(`${stack.folder}/.kube/config:/run/kube/config:ro`));
  await mkdir(join(stack.folder, "home/.claude"), { recursive: true });
  await mkdir(join(stack.folder, ".kube"));
  await stack.write(".kube/config", "clusters: []\n");
  await stack.write(".env", `PORT=${stack.port}\n`);
  await mkdir(other);
  for (const name of ["stack.yaml", "login.yaml", "cluster.yaml", "config.yaml", "deploy.config.yaml", ".env"])
    await cp(join(stack.folder, name), join(other, name));
});
afterAll(() => stack.dispose());

/** The configuration behind the project's name; the socket is the raw one, or behind a guard. */
function settings(access: "raw" | "guarded", ...always: string[]): string {
  const overlays = `aio: [${access === "raw" ? raw : guarded}], provisioner: [cluster.yaml], always: [${always}]`;
  return (
    `  base: stack.yaml\n  proxy: gateway\n  overlays: { ${overlays} }\nplatform: { service: gateway }\n` +
    `sandbox: { kubeconfig: ${access === "raw" ? ".kube/config" : "none"} }\nhealth: { path: /hello, settleSeconds: 1 }\n`
  );
}

const platforms = {
  ...platformConfigs,
  provisioner: platformConfigs.provisioner.replace(/^.*api_key.*\n/m, ""),
};
type Platform = keyof typeof platforms;

/** Writes what decides the mode into a folder. */
async function write(folder: string, platform: Platform, access: "raw" | "guarded", ...always: string[]) {
  const head = `version: 1\nproject: ${stack.project}\ncompose:\n  images: local\n`;
  await writeFile(join(folder, "deploy.config.yaml"), `${head}${settings(access, ...always)}`);
  await writeFile(join(folder, "config.yaml"), platforms[platform]);
}

/** The same project from the other folder. */
function deployThere(...args: string[]): Promise<Ended> {
  return command(join(repositoryRoot, "deploy"), args, { cwd: other, env: { CI: "true" } });
}

/** Deploys what gives something up, as which no more is accepted than that another folder deployed before. */
async function stepDown(deploy: typeof deployThere): Promise<readonly Record<string, unknown>[]> {
  const ended = await deploy("up", "--yes", "--json", "--accept", "foreign-project");
  expect(`${ended.exitCode} ${ended.stderr}`).toMatch(/^0 /);
  return JSON.parse(ended.stdout).dropped;
}

const gateway = () => `${stack.project}-gateway-1`;
/** What the engine says of the service, as text to look for mounts and ports in. */
const inspected = async () => JSON.stringify(await stack.inspect(gateway()));
const proven = (kind: string, detail = "") =>
  expect.objectContaining({ kind, detail: expect.stringContaining(detail), provenOn: [gateway()] });

describe("a privilege that a step down takes away is proven gone on the container", () => {
  it("from raw to guarded aio, by a folder that knows nothing of the first deployment", async () => {
    await write(stack.folder, "aio", "raw");
    await stack.deployOk("up", "--yes", "--accept", "host-root");
    expect(await inspected()).toContain("/var/run/docker.sock");
    await write(other, "aio", "guarded");
    expect(await stepDown(deployThere)).toContainEqual(proven("runtime-socket"));
    expect(await inspected()).not.toContain("docker.sock:");
    expect(await inspected()).toContain("_guard-socket");
  });

  it("from guarded aio to local, by the first folder, whose receipt an earlier version wrote of what ran before", async () => {
    await ageReceipt(stack.folder);
    await write(stack.folder, "local", "raw");
    expect(await stepDown(stack.deploy)).toContainEqual(proven("sandbox-operations"));
    expect(await inspected()).not.toMatch(/docker\.sock|guard-socket/);
    expect(await stack.containers()).toEqual([gateway()]);
  });

  it("from raw aio to local, by the other folder, whose receipt an earlier version wrote of the guarded one", async () => {
    await write(stack.folder, "aio", "raw");
    await stack.deployOk("up", "--yes", "--accept", "host-root");
    await ageReceipt(other);
    await write(other, "local", "guarded");
    expect(await stepDown(deployThere)).toContainEqual(proven("runtime-socket"));
    expect(await inspected()).not.toContain("docker.sock");
  });

  it("from provisioner to local, with a login that was lent and a port that was open to all, by a folder without a trace", async () => {
    await write(stack.folder, "provisioner", "raw", "login.yaml");
    await stack.write(".env", `PORT=${stack.port}\nADDRESS=0.0.0.0\n`);
    const accepted = ["--accept", "host-files", "--accept", "foreign-project"];
    // What others reach has to be sound, item by item, unless somebody writes down why not; the whole is a question then.
    const unsound = await stack.deploy("up", "--yes", ...accepted);
    expect(unsound.exitCode).toBe(3);
    const needed = [...unsound.stderr.matchAll(/accept ([a-z-]+) with a reason/g)].map(([, item]) => item);
    expect(needed).toEqual(["no-tls", "no-limits", "unpinned-images"]);
    const reasons = needed.map((item) => `{ privilege: ${item}, reason: a test of what is open }`);
    await writeFile(join(stack.folder, "deploy.config.yaml"), `accept: [${reasons.join(", ")}]\n`, { flag: "a" });
    const unasked = await stack.deploy("up", ...accepted);
    expect(unasked.exitCode).toBe(3);
    expect(unasked.stderr).toContain("D145");
    expect(unasked.stderr).toContain("holds: no raw Docker socket");
    expect(await inspected()).not.toContain("0.0.0.0");
    await stack.deployOk("up", "--yes", ...accepted);
    const { exposure } = JSON.parse(await stack.read(".deploy/receipt.json")).receipt;
    expect(exposure).toMatchObject({ level: "network", failed: needed });
    expect(exposure.accepted).toContainEqual({ name: "no-tls", reason: "a test of what is open" });
    // It is no news to the next one.
    const next = await stack.deployOk("up", "--json");
    expect(JSON.parse(next.stdout)).toMatchObject({ changed: false, plan: { questions: [], findings: [] } });

    await removeKeptImages(other, stack.project);
    await rm(join(other, ".deploy"), { recursive: true });
    const dropped = await stepDown(deployThere);
    expect(dropped).toContainEqual(proven("kubeconfig", ".kube/config"));
    expect(dropped).toContainEqual(proven("credential-directory", ".claude"));
    expect(dropped).toContainEqual(proven("published-port", "0.0.0.0"));
    expect(await inspected()).not.toMatch(/\.claude|\.kube|0\.0\.0\.0/);
  });
});
