import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { command, output } from "../support/command.ts";
import { createStack, platformConfigs, type TestStack } from "../support/stack.ts";

const image = "sandbox-deploy/test-busybox:1";
const accepted = ["--accept", "host-root", "--accept", "host-network", "--accept", "host-files"];

let stack: TestStack;
let outside: string;
afterEach(async () => {
  await stack.dispose();
  const other = `${stack.project}-other`;
  await command("docker", ["rm", "--force", "--volumes", other]);
  await command("docker", ["network", "rm", other]);
  await command("docker", ["volume", "rm", other, `${other}-data`]);
  await command("docker", ["rmi", `${stack.project}-built`]);
  await rm(outside, { recursive: true, force: true });
});

/** A stack without a front door, from a Compose file of its own. */
async function stackOf(name: string, services: (other: string) => string): Promise<string> {
  outside = await mkdtemp(join(tmpdir(), "sandbox-deploy-outside-"));
  const platform = "  base: stack.yaml\nplatform:\n  service: app\n";
  stack = await createStack(name, platformConfigs.localRefusing, platform);
  const other = `${stack.project}-other`;
  await stack.write("stack.yaml", services(other));
  return other;
}

/** What others have: a container with the engine's socket, on a network, with volumes of their own. */
async function startOther(other: string): Promise<void> {
  await output("docker", ["network", "create", other]);
  await output("docker", ["volume", "create", "--label", "com.docker.compose.project=vault", `${other}-data`]);
  const mounts = ["--volume", "/var/run/docker.sock:/engine", "--volume", `${other}:/own`];
  await output("docker", ["run", "--detach", "--name", other, "--network", other, ...mounts, image, "sleep", "600"]);
}

/** The privileges in the plan, as `change service detail`. */
async function planned(): Promise<string[]> {
  const { stdout } = await stack.deploy("plan", "--json");
  const { privileges } = JSON.parse(stdout) as { privileges: { change: string; service: string; detail: string }[] };
  return privileges.map(({ change, service, detail }) => `${change} ${service} ${detail}`);
}

describe("what a stack takes from others", () => {
  it("is in the plan, and its containers show the same and nothing more", async () => {
    const other = await stackOf(
      "others",
      (name) => `
services:
  app:
    image: ${image}
    command: [sleep, "600"]
    pid: container:${name}
    network_mode: container:${name}
    volumes_from: ["container:${name}:ro"]
  linked:
    image: ${image}
    command: [sleep, "600"]
    pid: service:app
    network_mode: bridge
    volumes: ["data:/data:ro"]
  reaching:
    image: ${image}
    command: [sleep, "600"]
    environment: { DOCKER_HOST: "tcp://linked:1", CONTAINER_HOST: "tcp://172.17.0.1:1" }
    logging: { driver: syslog, options: { syslog-address: "udp://127.0.0.1:5140" } }
    network_mode: ${name}
volumes:
  data: { external: true, name: ${name}-data }
`,
    );
    await startOther(other);
    const expected = [
      "app /var/run/docker.sock (rw)",
      `app network: container ${other}`,
      `app pid: container ${other}`,
      `app volume ${other} (rw)`,
      `app volumes of container ${other}`,
      `linked pid: container ${other}`,
      `linked volume ${other}-data of project vault (ro)`,
      "linked bridge, the engine's own",
      "reaching CONTAINER_HOST tcp://172.17.0.1:1",
      "reaching DOCKER_HOST tcp://linked:1",
      `reaching ${other}`,
      "reaching syslog udp://127.0.0.1:5140",
    ];
    expect(await planned()).toEqual(expected.map((line) => `gained ${line}`));
    expect((await stack.deploy("up", "--yes")).exitCode).toBe(3);
    await stack.deployOk("up", "--yes", ...accepted);
    expect(await planned()).toEqual(expected.map((line) => `kept ${line}`));
    // Compose's own hash says nothing of a service that shares what another one has.
    const { exitCode: again, stdout } = await stack.deploy("plan", "--exit-code");
    expect(`${again} ${stdout}`).toMatch(/^0 [\s\S]*steps: none/);
  });
});

describe("what Compose does on the host", () => {
  it("is asked about: a program for a service that is scaled to zero, and the registry logins", async () => {
    await stackOf(
      "programs",
      () => `
services:
  app:
    image: ${image}
    command: [sleep, "600"]
    network_mode: none
    depends_on: [helper]
    use_api_socket: true
  helper: { provider: { type: ./run.sh }, scale: 0 }
`,
    );
    const mark = join(stack.folder, "ran");
    await stack.write("run.sh", `#!/bin/sh\ntouch ${mark}\n`);
    await chmod(join(stack.folder, "run.sh"), 0o755);
    const { exitCode, stderr } = await stack.deploy("up", "--yes");
    expect(exitCode).toBe(3);
    expect(stderr).toContain("helper: host-program provider ./run.sh");
    expect(stderr).toContain("app: credential-directory the operator's registry logins, by use_api_socket");
    expect((await command("test", ["-e", mark])).exitCode).not.toBe(0);
    await stack.deployOk("up", "--yes", ...accepted);
    expect((await command("test", ["-e", mark])).exitCode).toBe(0);
    expect((await stack.deploy("plan")).stdout).not.toContain("recreate");
  });
});

describe("an image build that reads beside the project where its paths do not say so", () => {
  const app = (project: string) => `
services:
  app:
    image: ${project}-built
    command: [sleep, "600"]
    network_mode: none
    build:
`;
  const template = (folder: string, keys: string) => `
      context: "./$\${\\"${"\\\\u002e\\\\u002e/".repeat(folder.split("/").length - 1)}${keys.slice(1)}\\"}"
      dockerfile_inline: |
        FROM ${image}
        COPY key /key
`;
  const secret = (_folder: string, keys: string) => `
      context: .
      network: none
      secrets: [key]
      dockerfile_inline: |
        FROM ${image}
        RUN --mount=type=secret,id=key ["/bin/cp", "/run/secrets/key", "/key"]
secrets:
  key: { file: "./x,src=${keys}/key" }
`;

  it.each([
    ["a template", template],
    ["fields in a secret", secret],
  ])("is asked about, and really would read there: %s", async (_what, build) => {
    await stackOf("builds", () => "");
    await writeFile(join(outside, "key"), "taken\n");
    await stack.write("stack.yaml", `${app(stack.project)}${build(stack.folder, outside)}`);
    const refused = await stack.deploy("up", "--yes");
    expect(refused.exitCode).toBe(3);
    expect(refused.stderr.replaceAll(/\s+/g, " ")).toContain("which the image build takes apart");
    await stack.deployOk("up", "--yes", ...accepted);
    expect(await output("docker", ["exec", `${stack.project}-app-1`, "cat", "/key"])).toContain("taken");
  });
});
