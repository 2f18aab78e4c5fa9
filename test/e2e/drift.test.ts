import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { command, output } from "../support/command.ts";
import { createStack, platformConfigs, type TestStack } from "../support/stack.ts";

const image = "sandbox-deploy/test-busybox:1";

interface StatusDocument {
  readonly exitCode: number;
  readonly drift: readonly { readonly container: string; readonly what: string }[];
  readonly verified: { readonly findings: readonly { readonly message: string }[] } | null;
}

describe("what somebody does by hand to a stack that runs", () => {
  let stack: TestStack;
  let other: string;
  beforeAll(async () => {
    stack = await createStack("drift", platformConfigs.localRefusing);
    other = `${stack.project}-other`;
    await stack.deployOk("up", "--yes");
  });
  afterAll(async () => {
    await command("docker", ["rm", "--force", "--volumes", `${other}-box`, `${other}-added`]);
    await stack.dispose();
    await command("docker", ["network", "rm", other]);
  });

  const named = (service: string) => `${stack.project}-${service}-1`;
  async function verified(): Promise<StatusDocument & { readonly messages: readonly string[] }> {
    const { exitCode, stdout } = await stack.deploy("status", "--verify", "--json");
    const document = JSON.parse(stdout) as StatusDocument;
    expect(document.exitCode).toBe(exitCode);
    return { ...document, messages: document.verified?.findings.map(({ message }) => message) ?? [] };
  }

  it("is nothing at first", async () => {
    expect(await verified()).toMatchObject({ exitCode: 0, drift: [], messages: [] });
  });

  it("is shown by status and plan, fails a verification where it is more than planned, and up puts it right", async () => {
    await output("docker", ["update", "--memory", "2g", "--memory-swap", "2g", named("gateway")]);
    await output("docker", ["network", "create", other]);
    await output("docker", ["network", "connect", other, named("store")]);
    await output("docker", ["pause", named("proxy")]);
    const label = ["--label", `com.docker.compose.project=${stack.project}`];
    await output("docker", [
      "run",
      "--detach",
      "--network",
      "none",
      "--name",
      `${other}-added`,
      ...label,
      image,
      "sleep",
      "600",
    ]);
    const sandbox = ["--label", `sandbox-deploy.project=${stack.project}`, "--label", "sandbox-deploy.role=sandbox"];
    await output("docker", [
      "run",
      "--detach",
      "--network",
      "none",
      "--name",
      `${other}-box`,
      ...sandbox,
      "--volume",
      "/var/run/docker.sock:/s",
      image,
      "sleep",
      "600",
    ]);

    const { exitCode, drift, messages } = await verified();
    expect(exitCode).toBe(1);
    expect(messages).toEqual(
      expect.arrayContaining([
        `${named("gateway")} has the memory limit 2 GiB instead of 1 GiB`,
        `${named("store")} holds more than planned: foreign-network ${other}`,
        `${other}-added belongs to no service of the deployment`,
        `${other}-box holds more than planned: runtime-socket /var/run/docker.sock (rw)`,
        `${other}-box has the process limit none instead of 128`,
      ]),
    );
    expect(drift.map(({ container, what }) => `${container} ${what}`)).toEqual(
      expect.arrayContaining([
        `${named("gateway")} has the memory limit 2 GiB instead of 1 GiB`,
        `${named("store")} is on the network ${other} as well`,
        `${named("proxy")} is paused`,
        `${other}-added belongs to no service`,
      ]),
    );
    const { stdout: plan } = await stack.deploy("plan");
    expect(plan).toContain("not as the last deployment left it");
    // Looking changes nothing.
    expect(await output("docker", ["inspect", "--format", "{{.State.Running}}", `${other}-box`])).toBe("true\n");

    await stack.deployOk("up", "--yes");
    expect(await verified()).toMatchObject({ exitCode: 0, drift: [], messages: [] });
    expect(await output("docker", ["inspect", "--format", "{{.HostConfig.Memory}}", named("gateway")])).toBe(
      `${2 ** 30}\n`,
    );
    expect((await stack.deploy("plan", "--exit-code")).exitCode).toBe(0);
  });

  it("is found where a container was replaced by one with more rights, and stopped or crashed ones are told", async () => {
    const labels = JSON.parse(
      await output("docker", ["inspect", "--format", "{{json .Config.Labels}}", named("store")]),
    ) as Record<string, string>;
    const flags = Object.entries(labels).flatMap(([key, value]) => ["--label", `${key}=${value}`]);
    await output("docker", ["rm", "--force", named("store")]);
    // Under the very labels by which Compose knows its own.
    const more = ["--user", "0", "--cap-add", "NET_ADMIN", "--name", named("store")];
    await output("docker", ["run", "--detach", "--network", "none", ...flags, ...more, image, "sleep", "600"]);
    await output("docker", ["stop", "--time", "1", named("proxy")]);
    const { exitCode, drift, messages } = await verified();
    expect(exitCode).toBe(1);
    expect(messages).toEqual(
      expect.arrayContaining([
        `${named("store")} runs as root instead of 10003:10003`,
        `${named("store")} has a writable root file system`,
        `${named("store")} lacks the security option no-new-privileges`,
        `${named("store")} holds more than planned: capability NET_ADMIN`,
        expect.stringMatching(/runs the image [0-9a-f]{12} instead of [0-9a-f]{12}$/),
      ]),
    );
    expect(drift.map(({ what }) => what)).toEqual(
      expect.arrayContaining(["is not the container that was deployed", expect.stringMatching(/^is stopped/)]),
    );
    await stack.deployOk("up", "--yes");
    expect(await verified()).toMatchObject({ exitCode: 0, drift: [], messages: [] });
  });
});
