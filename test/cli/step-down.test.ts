import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { someOf } from "../support/some-of.ts";
import { useWorkbench } from "./support/use-workbench.ts";

const workbench = useWorkbench();
const at = (path: string) => join(workbench().folder, path);
let socket: Server | undefined;
afterEach(() => socket?.close());

const use = {
  local: "sandbox: { use: deerflow.sandbox.local:LocalSandboxProvider }\n",
  aio: "sandbox: { use: deerflow.community.aio_sandbox:AioSandboxProvider }\n",
  provisioner:
    "sandbox: { use: deerflow.community.aio_sandbox:AioSandboxProvider, provisioner_url: http://provisioner:8002 }\n",
};

/** Two deployments (from raw to guarded: test/e2e/guarded.test.ts) of which the second holds less, as the files that make them. */
interface StepDown {
  readonly what: string;
  readonly more: Readonly<Record<string, string>>;
  readonly less: Readonly<Record<string, string>>;
  readonly accept: string;
  /** What the report says is gone. */
  readonly gone: RegExp;
}

const small = (overlays: string, more = "") =>
  `version: 1\nproject: scripted\ncompose: { base: stack.yaml, proxy: gateway, overlays: { ${overlays} } }\n${more}`;
const mount = (path: string, target = path) => `services: { gateway: { volumes: ["${path}:${target}"] } }\n`;
const files = {
  "stack.yaml": "services: { gateway: { image: demo:1 } }\n",
  "socket.yaml": mount("./docker.sock", "/var/run/docker.sock"),
  "cluster.yaml": mount("./.kube/config", "/root/.kube/config"),
  "login.yaml": mount("../../home/.claude", "/root/.claude"),
};

const steps: StepDown[] = [
  {
    what: "from aio to local",
    more: { "config.yaml": use.aio, "deploy.config.yaml": small("aio: [socket.yaml]") },
    less: { "config.yaml": use.local },
    accept: "host-root",
    gone: /gone +gateway no longer holds runtime-socket .*docker\.sock \(rw\):\s+verified on\s+scripted-gateway-1/,
  },
  {
    what: "from provisioner to local",
    more: {
      "config.yaml": use.provisioner,
      "deploy.config.yaml": small("provisioner: [cluster.yaml]", "sandbox: { kubeconfig: .kube/config }\n"),
    },
    less: { "config.yaml": use.local },
    accept: "host-files",
    gone: /gone +gateway no longer holds kubeconfig .*\.kube\/config \(rw\):\s+verified on\s+scripted-gateway-1/,
  },
  {
    what: "to no lent login",
    more: { "config.yaml": use.local, "deploy.config.yaml": small("always: [login.yaml]") },
    less: { "deploy.config.yaml": small("always: []") },
    accept: "host-files",
    gone: /gone +gateway no longer holds credential-directory .*\.claude \(rw\):\s+verified on\s+scripted-gateway-1/,
  },
];

type Deploy = (...args: string[]) => ReturnType<ReturnType<typeof workbench>["deploy"]>;

/** What is known of the first deployment where the second one is made from, and how that is run. */
interface Origin {
  readonly knows: string;
  /** Before the first deployment of the step. */
  readonly before?: (deploy: Deploy, step: StepDown) => Promise<unknown>;
  readonly after: () => Promise<Deploy>;
}

const here: Deploy = (...args) => workbench().deploy(...args);
const elsewhere: Deploy = (...args) =>
  workbench().deploy(...args, "--config", join(dirname(workbench().folder), "other/deploy.config.yaml"));

const origins: Origin[] = [
  { knows: "by its receipt", after: async () => here },
  {
    knows: "by the receipt of the deployment before it",
    async before(deploy, step) {
      await write(step.less);
      const first = await deploy("up", "--yes");
      expect(`${first.exitCode} ${first.stderr}`).toMatch(/^0 /);
      await cp(at(".deploy/receipt.json"), at("../older.json"));
    },
    async after() {
      await cp(at("../older.json"), at(".deploy/receipt.json"));
      return here;
    },
  },
  {
    knows: "by nothing, in another folder",
    async after() {
      await rm(at(".deploy"), { recursive: true });
      const other = join(dirname(workbench().folder), "other");
      // A socket is no file that could be copied.
      await cp(workbench().folder, other, { recursive: true, filter: (path) => !path.endsWith(".sock") });
      const path = join(other, "deploy.config.yaml");
      const text = (await readFile(path, "utf8")).replace("./docker.sock", at("docker.sock"));
      await writeFile(path, text);
      return elsewhere;
    },
  },
];

async function write(named: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(named)) await workbench().write(name, text);
}

const cases = steps.flatMap((step, index) =>
  origins.map((_, turn) => ({ step, origin: origins[(index + turn) % origins.length] ?? origins[0], turn })),
);
const inTurns = cases
  .toSorted((a, b) => a.turn - b.turn)
  .flatMap(({ step, origin }) => (origin ? [{ step, origin }] : []));

describe("a step down", () => {
  test.each(someOf(inTurns, 3))(
    "$step.what, where the first deployment is known $origin.knows, asks nothing and proves that the privilege is gone",
    async ({ step, origin }) => {
      const bench = workbench();
      socket = createServer().listen(at("docker.sock"));
      await mkdir(at(".kube"), { recursive: true });
      await mkdir(at("../../home/.claude"), { recursive: true });
      await write({ ...files, ".kube/config": "clusters: []\n", ...step.more });
      await origin.before?.(here, { ...step, less: { ...step.more, ...step.less } });
      await write(step.more);
      await bench.script();
      const up = await here("up", "--yes", "--accept", step.accept);
      expect(`${up.exitCode} ${up.stderr}`).toMatch(/^0 /);
      await write(step.less);
      const deploy = await origin.after();
      const down = await deploy("up", "--yes");
      expect(`${down.exitCode} ${down.stderr}`).toMatch(/^0 /);
      expect(down.stdout).toMatch(step.gone);
      expect((await deploy("status", "--verify")).exitCode).toBe(0);
    },
  );
});
