import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { command, type Ended, output } from "../support/command.ts";
import { createStack, platformConfigs, type TestStack } from "../support/stack.ts";

// One small service whose page tells which deployment answers: its image, its mounted file and its variable are of it.
const base = `services:
  web:
    image: \${WEB_IMAGE}
    init: true
    command: ["sh", "-c", "touch /tmp/ok; cat /image /mounted >/tmp/index.html; echo $\${SHADE} >>/tmp/index.html; \${START:-} exec httpd -f -p 8080 -h /tmp"]
    environment: { SHADE: "\${SHADE}" }
    ports: ["127.0.0.1:\${PORT}:8080"]
    volumes:
      - { type: bind, source: ./page.txt, target: /mounted, read_only: true }
      - { type: volume, source: data, target: /data }
    healthcheck:
      test: [CMD, wget, -q, -O, /dev/null, "http://127.0.0.1:8080/\${CHECK:-ok}"]
      interval: 300ms
      timeout: 2s
      retries: 3
    secrets: [word]
  unnamed:
    build: { dockerfile_inline: "FROM sandbox-deploy/test-busybox:1\\nLABEL sandbox-deploy.test=\${LABEL:-one}" }
    init: true
    command: [sleep, "600"]
  elsewhere:
    image: sandbox-deploy/test-busybox:1
    init: true
    command: [sleep, "600"]
volumes:
  data:
secrets:
  word: { environment: WORD }
`;

const settings = `  base: stack.yaml
  proxy: web
  overlays: { aio: [socket.yaml] }
  onlyIn: { provisioner: [elsewhere] }
platform: { service: web }
health: { path: /, settleSeconds: 1 }
`;

let stack: TestStack;
let configuration: string;
let image: string;

beforeAll(async () => {
  stack = await createStack("rollback", platformConfigs.local, settings);
  configuration = await stack.read("deploy.config.yaml");
  image = `sandbox-deploy/${stack.project}:1`;
  await stack.write("stack.yaml", base);
  await stack.write("socket.yaml", 'services:\n  web:\n    volumes: ["/var/run/docker.sock:/var/run/docker.sock"]\n');
});
// The stack of the scenario before runs on, its operator's files are written anew.
beforeEach(async () => {
  await stack.write("deploy.config.yaml", configuration);
  await stack.write("config.yaml", platformConfigs.local);
  await buildImage("first");
  await write("green", "old");
});
afterAll(async () => {
  await stack.dispose();
  const names = await output("docker", ["image", "ls", "--format", "{{.Repository}}:{{.Tag}}"]);
  const ours = names.split("\n").filter((name) => name.includes(stack.project));
  if (ours.length > 0) await command("docker", ["image", "rm", "--force", ...ours]);
});

async function buildImage(says: string, more = ""): Promise<void> {
  const dockerfile = `FROM sandbox-deploy/test-busybox:1\nLABEL sandbox-deploy.test=rollback\nRUN echo ${says} >/image\n${more}`;
  const built = await command("docker", ["build", "--quiet", "--tag", image, "-"], { input: dockerfile });
  expect(built).toMatchObject({ exitCode: 0 });
}

/** Writes the operator's files, with more lines of the environment. */
async function write(color: string, page: string, more = ""): Promise<void> {
  await stack.write(
    ".env",
    `PORT=${stack.port}\nWEB_IMAGE=${image}\nSHADE=${color}\nWORD=of-${color}-0123456789\n${more}`,
  );
  await stack.write("page.txt", `${page}\n`);
}

/** What the service says, on one line. */
async function answer(): Promise<string> {
  const response = await fetch(stack.url);
  return (await response.text()).trim().split("\n").join(" ");
}

/** The records of all deployments, the newest first. */
async function history(): Promise<{ id: string; command: string; outcome: string }[]> {
  const folder = join(stack.folder, ".deploy/history");
  const ids = (await readdir(folder)).toSorted().toReversed();
  const texts = await Promise.all(ids.map((id) => readFile(join(folder, id, "deployment.json"), "utf8")));
  return texts.map((text) => JSON.parse(text).receipt);
}

const up = (...more: string[]): Promise<Ended> => stack.deploy("up", "--yes", "--wait-seconds", "20", ...more);

it("has nothing to go back to after the first deployment, and says so", async () => {
  await write("green", "old", "CHECK=nowhere\n");
  const { exitCode, stderr } = await up();
  expect(exitCode).toBe(1);
  expect(stderr).not.toContain("D098");
  const byHand = await stack.deploy("rollback");
  expect(byHand.exitCode).toBe(3);
  expect(byHand.stderr).toContain("D097");
  await rm(join(stack.folder, ".deploy"), { recursive: true });
  expect((await stack.deploy("rollback", "nonsense")).exitCode).toBeGreaterThan(1);
});

it("brings back image, environment and mounted file of what ran when a change fails, and tells both stories", async () => {
  await stack.deployOk("up", "--yes");
  expect(await answer()).toBe("first old green");
  // What Compose would notice only after it stopped the old container.
  await stack.write(".env", (await stack.read(".env")).replace(/WORD=.*|green/g, ""));
  expect(await up()).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("variable WORD") });
  expect(await answer()).toBe("first old green");
  await buildImage("second");
  await write("red", "new", "LABEL=two\nSTART=sleep 1; exit 3;\n");
  const { exitCode, stderr } = await up();
  expect(await answer()).toBe("first old green");
  expect(exitCode).toBe(1);
  expect(stderr).toContain("D070");
  expect(stderr).toContain("D098");
  expect(await stack.containers()).toEqual([`${stack.project}-unnamed-1`, `${stack.project}-web-1`]);
  const [back, failed, first] = await history();
  expect(back).toMatchObject({ command: "rollback", outcome: "done" });
  expect(failed).toMatchObject({ command: "up", outcome: "rolled-back" });
  expect(stderr).toContain(`${first?.id}`);
  // The operator's files are as they were left, and an up that works deploys them.
  expect(await stack.read("page.txt")).toBe("new\n");
  await write("red", "new");
  await stack.deployOk("up", "--yes");
  expect(await answer()).toBe("second new red");
  expect((await stack.deployOk("plan", "--exit-code")).stdout).toContain("none");
});

it("goes back from a container that is healthy at first and ends some seconds later", async () => {
  const config = await stack.read("deploy.config.yaml");
  await stack.write("deploy.config.yaml", config.replace("settleSeconds: 1", "settleSeconds: 5"));
  await stack.deployOk("up", "--yes");
  await write("red", "old", "START=( sleep 3; kill -9 -1 ) &\n");
  const { exitCode, stderr } = await up();
  expect(await answer()).toBe("first old green");
  expect(exitCode).toBe(1);
  expect(stderr).toContain("D070");
  expect(stderr).toContain("D098");
});

it("goes back from an image whose program is not there, and from a container that never gets healthy", async () => {
  await stack.deployOk("up", "--yes");
  await buildImage("broken", 'ENTRYPOINT ["/nowhere"]\n');
  const broken = await up();
  expect(await answer()).toBe("first old green");
  expect(`${broken.exitCode} ${broken.stderr}`).toMatch(/^1 .*error D070 .*exec \/nowhere failed.*warning D098 /s);
  await buildImage("second");
  await write("red", "new", "CHECK=nowhere\n");
  const unhealthy = await up();
  expect(await answer()).toBe("first old green");
  expect(`${unhealthy.exitCode} ${unhealthy.stderr}`).toMatch(/^1 .*error D070 .*warning D098 /s);
});

it("goes back from a front door that does not answer although every container is healthy", async () => {
  await stack.deployOk("up", "--yes");
  await write("red", "old", "START=rm /tmp/index.html;\n");
  const { exitCode, stderr } = await stack.deploy("up", "--yes", "--wait-seconds", "8");
  expect(await answer()).toBe("first old green");
  expect(exitCode).toBe(1);
  expect(stderr).toContain("D071");
  expect(stderr).toContain("D098");
});

it("goes back by hand to any deployment, across modes with consent, and warns of data that a newer image may have changed", async () => {
  await stack.write("config.yaml", platformConfigs.aio);
  await stack.deployOk("up", "--yes", "--accept", "host-root");
  await buildImage("second");
  await stack.write("config.yaml", platformConfigs.local);
  await write("red", "new");
  await stack.deployOk("up", "--yes");
  expect(await answer()).toBe("second new red");
  const [, first] = await history();
  const refused = await stack.deploy("rollback", `${first?.id}`, "--yes");
  expect(refused.exitCode).toBe(3);
  expect(refused.stderr).toContain("D060");
  expect(await answer()).toBe("second new red");
  const { stdout, stderr } = await stack.deployOk("rollback", `${first?.id}`, "--yes", "--accept", "host-root");
  // The file of that line says something else by now.
  expect(stdout).toContain(`mode      aio (as recorded in ${first?.id}: config.yaml:2 `);
  expect(await answer()).toBe("first old green");
  expect(stderr).toContain("D099");
  expect((await stack.deployOk("status")).stdout).toContain("mode      aio");
  // The newest files are still those of the second one.
  await stack.deployOk("up", "--yes");
  expect(await answer()).toBe("second new red");
});

it("keeps the broken state with --no-rollback, and gives nothing back unasked that was taken away by it", async () => {
  await stack.write("config.yaml", platformConfigs.aio);
  await stack.deployOk("up", "--yes", "--accept", "host-root");
  await stack.write("config.yaml", platformConfigs.local);
  await write("red", "old", "CHECK=nowhere\n");
  const { exitCode, stderr } = await up("--no-rollback");
  expect(exitCode).toBe(1);
  expect(stderr).not.toContain("D098");
  expect(await answer()).toBe("first old red");
  await write("blue", "old", "CHECK=nowhere\n");
  const second = await up();
  expect(await answer()).toBe("first old blue");
  expect(second.exitCode).toBe(1);
  expect(second.stderr).toMatch(/error D098 .* host-root/);
  expect((await stack.deploy("status")).stdout).toContain("never verified");
  await stack.deployOk("rollback", "--yes", "--accept", "host-root");
  expect(await answer()).toBe("first old green");
  expect((await stack.deployOk("status")).stdout).toMatch(/runs +deployment \S+ again, by the rollback/);
});
