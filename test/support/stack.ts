import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { command, type Ended, output } from "./command.ts";
import { withoutSecrets } from "./failed-story.ts";

/** The checkout under test. */
export const repositoryRoot = fileURLToPath(new URL("../..", import.meta.url));

/** A folder with a configuration, a project name and a port of its own; everything it starts is removed by `dispose`. */
export interface TestStack {
  readonly folder: string;
  readonly project: string;
  readonly port: number;
  readonly url: string;
  deploy(...args: string[]): Promise<Ended>;
  /** Like deploy, but fails the test with the whole transcript unless it exits 0. */
  deployOk(...args: string[]): Promise<Ended>;
  write(name: string, text: string): Promise<void>;
  read(name: string): Promise<string>;
  /** Calls the gateway's API with its key, which is read from the environment file. */
  api(path: string, body?: unknown): Promise<{ status: number; body: Record<string, unknown> }>;
  containers(filter?: string): Promise<string[]>;
  inspect(container: string): Promise<Record<string, unknown>>;
  dispose(): Promise<void>;
}

/** What happened to each stack that is still there, for the report of a failed test. */
export const stories = new Map<string, () => Promise<string>>();

/** Platform configurations of each mode, in DeerFlow's form. */
export const platformConfigs = {
  localRefusing: "sandbox:\n  use: deerflow.sandbox.local:LocalSandboxProvider\n  allow_host_bash: false\n",
  local: "sandbox:\n  use: deerflow.sandbox.local:LocalSandboxProvider\n  allow_host_bash: true\n",
  aio: "sandbox:\n  use: deerflow.community.aio_sandbox:AioSandboxProvider\n",
  provisioner:
    "sandbox:\n  use: deerflow.community.aio_sandbox:AioSandboxProvider\n  provisioner_url: http://provisioner:8002\n  provisioner_api_key: $PROVISIONER_API_KEY\n",
} as const;

/** Makes a stack's folder; nothing is started yet. */
export async function createStack(name: string, platformConfig: string, deployConfig = ""): Promise<TestStack> {
  const folder = await mkdtemp(join(tmpdir(), "sandbox-deploy-e2e-"));
  const project = `sdtest-${name}-${randomBytes(3).toString("hex")}`;
  const port = await freePort();
  const transcript: string[] = [];
  await writeFile(
    join(folder, "deploy.config.yaml"),
    `version: 1\nproject: ${project}\ncompose:\n  images: local\n${deployConfig}${healthOf(deployConfig)}`,
  );
  await writeFile(join(folder, "config.yaml"), platformConfig);
  await writeFile(join(folder, ".env"), `PORT=${port}\nRATE_LIMIT_PER_MINUTE=600\n`, { mode: 0o600 });
  const deploy = async (...args: string[]): Promise<Ended> => {
    const ended = await command(join(repositoryRoot, "deploy"), args, { cwd: folder, env: { CI: "true" } });
    transcript.push(`$ deploy ${args.join(" ")} -> ${ended.exitCode}\n${ended.stdout}${ended.stderr}`);
    return ended;
  };
  const containers = (filter = `label=com.docker.compose.project=${project}`) =>
    output("docker", ["ps", "--all", "--filter", filter, "--format", "{{.Names}}"]).then((text) =>
      text
        .split("\n")
        .filter((line) => line !== "")
        .toSorted(),
    );
  const story = async () => {
    const logs = await Promise.all(
      (await containers()).map(async (each) => {
        const { stdout, stderr } = await command("docker", ["logs", "--tail", "30", each]);
        return `--- ${each}\n${stdout}${stderr}`;
      }),
    );
    const told = [...transcript, (await command("docker", ["ps", "--all"])).stdout, ...logs].join("\n");
    return withoutSecrets(told, folder);
  };
  stories.set(project, story);
  return {
    folder,
    project,
    port,
    url: `http://127.0.0.1:${port}`,
    deploy,
    async deployOk(...args) {
      const ended = await deploy(...args);
      if (ended.exitCode !== 0)
        throw new Error(`deploy ${args.join(" ")} ended with ${ended.exitCode}:\n${ended.stdout}${ended.stderr}`);
      return ended;
    },
    write: (file, text) => writeFile(join(folder, file), text),
    read: (file) => readFile(join(folder, file), "utf8"),
    async api(path, body) {
      const key = /^GATEWAY_API_KEY=(.*)$/m.exec(await readFile(join(folder, ".env"), "utf8"))?.[1] ?? "";
      const response = await fetch(`http://127.0.0.1:${port}${path}`, {
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
        ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
      });
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    },
    containers,
    inspect: async (container) =>
      JSON.parse(await output("docker", ["container", "inspect", container]))[0] as Record<string, unknown>,
    async dispose() {
      stories.delete(project);
      await deploy("down", "--volumes", "--yes", "--project", project);
      await removeKeptImages(folder, project);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/**
 * Spares scenarios of many ups two waits of the default stack. Old engines let a whole interval pass before they look after
 * health the first time; and a gateway whose store went first ends only when the name of that was looked up, which lasts
 * where no name server answers. `more` are other overlays.
 */
export async function hasten(stack: TestStack, ...more: string[]): Promise<void> {
  const often = "healthcheck: { interval: 1s }";
  const soon = `${often}, dns_opt: ["timeout:1", "attempts:1"]`;
  const services = `proxy: { ${often} }, gateway: { ${soon} }, store: { ${often} }`;
  await stack.write("often.yaml", `services: { ${services} }\n`);
  const config = (await stack.read("deploy.config.yaml")).replace(/^ {2}overlays: .*\n/m, "");
  const overlays = `  overlays: { always: [${["often.yaml", ...more].join(", ")}] }\n`;
  await stack.write("deploy.config.yaml", config.replace("compose:\n", `compose:\n${overlays}`));
}

/** Removes what the records of a folder keep for a rollback, which stays after a down; the guard's image keeps its own name. */
export async function removeKeptImages(folder: string, project: string): Promise<void> {
  const ids = await readdir(join(folder, ".deploy/history")).catch(() => []);
  const kept = await Promise.all([`${project}/*`, ...ids.map((id) => `*/*:deploy-${id}`)].map(images));
  const tags = [...new Set(kept.flat())];
  if (tags.length > 0) await command("docker", ["image", "rm", ...tags]);
}

/** The images whose name and tag match a pattern. */
export async function images(pattern: string): Promise<string[]> {
  const format = "{{.Repository}}:{{.Tag}}";
  const text = await output("docker", ["image", "ls", "--filter", `reference=${pattern}`, "--format", format]);
  return text
    .split("\n")
    .filter((line) => line !== "")
    .toSorted();
}

/** What runs in scenarios is known to last: only those that are about it wait for long. */
function healthOf(deployConfig: string): string {
  return /^health:/m.test(deployConfig) ? "" : "health: { settleSeconds: 1 }\n";
}

/** An address of this machine alone that nothing else uses: every address of 127.0.0.0/8 is its own. */
export function loopbackAddress(): string {
  const [first = 0, second = 0] = randomBytes(2);
  return `127.${(first % 200) + 10}.${second}.1`;
}

/** A port that is free now on loopback. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        typeof address === "object" && address ? resolve(address.port) : reject(new Error("no port")),
      );
    });
  });
}

/** Whether a program could listen on this port of loopback now. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
