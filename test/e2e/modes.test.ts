import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { containersArgv, imagesArgv, listArgv, volumesArgv } from "../../src/core/stack/compose-argv.ts";
import { askEngine } from "../../src/shell/engine/engine-socket.ts";
import { eventually, output } from "../support/command.ts";
import { createStack, platformConfigs, type TestStack } from "../support/stack.ts";

/** Names of services whose container mounts a runtime socket, read from the engine. */
async function socketHolders(stack: TestStack): Promise<string[]> {
  const names = await stack.containers();
  const held = await Promise.all(
    names.map(async (name) => {
      const mounts = JSON.parse(
        await output("docker", ["container", "inspect", "--format", "{{json .Mounts}}", name]),
      ) as { Source: string }[];
      return mounts.some(({ Source }) => Source.endsWith(".sock")) ? [name] : [];
    }),
  );
  return held.flat();
}

/** What an inspection says that neither time nor the order of a map in the engine changes. */
function lasting(inspected: string): unknown[] {
  const documents = JSON.parse(inspected) as { State?: unknown; Mounts?: { Destination: string }[] }[];
  return documents.map(({ State: _, Mounts = [], ...rest }) => ({
    ...rest,
    mounts: Mounts.toSorted((one, other) => (one.Destination < other.Destination ? -1 : 1)),
  }));
}

/** A row of an image: its id, those of its names that no other scenario gives or takes, and its settings whatever the spelling. */
function imageRows(printed: string, project: string): unknown[] {
  return printed
    .trim()
    .split("\n")
    .map((row) => {
      const [, id, names = "[]", rest] = /^(\S+) (\[[^\]]*\]) ([^{]*)/.exec(row) ?? [];
      const own: string[] = JSON.parse(names).filter(
        (name: string) => !/^sdtest-/.test(name) || name.startsWith(project),
      );
      return [id, own, rest, JSON.parse(row.slice(row.indexOf("{")))];
    });
}

async function sandboxesOf(stack: TestStack): Promise<string[]> {
  return stack.containers(`label=sandbox-deploy.project=${stack.project}`);
}

describe("local mode", () => {
  let stack: TestStack;
  beforeAll(async () => {
    stack = await createStack("local", platformConfigs.localRefusing);
    await stack.deployOk("up", "--yes");
  });
  afterAll(() => stack.dispose());

  it("answers at the front door and names its mode", async () => {
    const response = await fetch(`${stack.url}/health`);
    expect(await response.json()).toMatchObject({ mode: "local" });
  });

  it("gives no container a runtime socket", async () => {
    expect(await socketHolders(stack)).toEqual([]);
  });

  it("refuses to run code in the gateway until the configuration allows it, and says why", async () => {
    const { status, body } = await stack.api("/api/run", { language: "bash", code: "id", timeoutSeconds: 5 });
    expect(status).toBe(403);
    expect(JSON.stringify(body)).toContain("allow_host_bash");
  });

  it("changes nothing and recreates nothing on a second up", async () => {
    const before = await output("docker", [
      "ps",
      "--quiet",
      "--no-trunc",
      "--filter",
      `label=com.docker.compose.project=${stack.project}`,
    ]);
    const { stdout } = await stack.deployOk("up", "--yes");
    const after = await output("docker", [
      "ps",
      "--quiet",
      "--no-trunc",
      "--filter",
      `label=com.docker.compose.project=${stack.project}`,
    ]);
    expect(after).toBe(before);
    expect(stdout).toContain("nothing to change");
    expect((await stack.deploy("plan", "--exit-code")).exitCode).toBe(0);
  });

  it("answers of itself what docker would answer, at the socket that docker named", async () => {
    const { receipt } = JSON.parse(await readFile(join(stack.folder, ".deploy/receipt.json"), "utf8"));
    const { containers, images, volumes } = receipt.stack;
    const both = async (args: string[]): Promise<[string, string]> => {
      const command = { program: "/nowhere/docker", args, env: {} };
      const [ofDocker, { stdout }] = await Promise.all([
        output("docker", args),
        askEngine(receipt.engine, command, new AbortController().signal),
      ]);
      return [ofDocker, stdout];
    };
    // Other scenarios' containers come and go.
    const rows = (await both(listArgv())).map((text) =>
      text.split("\n").filter((row) => containers.some((id: string) => row.startsWith(id))),
    );
    expect(rows[0]).toHaveLength(3);
    expect(rows[1]).toEqual(rows[0]);
    for (const args of [containersArgv(containers), volumesArgv(volumes)]) {
      const [ofDocker, ofEngine] = await both(args);
      expect(lasting(ofEngine)).toEqual(lasting(ofDocker));
    }
    const [ofDocker, ofEngine] = await both(imagesArgv(images));
    expect(imageRows(ofEngine, stack.project)).toEqual(imageRows(ofDocker, stack.project));
  });

  it("runs code in the gateway once the operator allowed exactly that", async () => {
    await stack.write("config.yaml", platformConfigs.local);
    await stack.deployOk("restart", "gateway");
    const { status, body } = await eventually(async () => {
      const answer = await stack.api("/api/run", { language: "python", code: "print(6*7)", timeoutSeconds: 10 });
      expect(answer.status).toBe(200);
      return answer;
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({ stdout: "42\n", exitCode: 0 });
  });

  it("keeps the history of what was answered over a restart of the gateway", async () => {
    await stack.deployOk("restart", "gateway");
    const { body } = await stack.api("/api/history");
    expect(JSON.stringify(body)).toContain("6*7");
  });
});

describe("aio mode with the raw socket", () => {
  let stack: TestStack;
  beforeAll(async () => {
    stack = await createStack("aio", platformConfigs.aio, "sandbox:\n  docker:\n    access: raw\n");
  });
  afterAll(() => stack.dispose());

  it("is refused without consent to the raw socket, and starts nothing", async () => {
    const { exitCode, stderr } = await stack.deploy("up", "--yes");
    expect(exitCode).toBe(3);
    expect(stderr).toContain("--accept host-root");
    expect(await stack.containers()).toEqual([]);
  });

  it("runs code in a container of its own that is gone afterwards", async () => {
    await stack.deployOk("up", "--yes", "--accept", "host-root");
    for (const [language, code] of [
      ["bash", "echo $((6*7))"],
      ["python", "print(6*7)"],
      ["node", "console.log(6*7)"],
    ] as const) {
      const { status, body } = await stack.api("/api/run", { language, code, timeoutSeconds: 30 });
      expect({ status, ...body }).toMatchObject({ status: 200, stdout: "42\n", exitCode: 0 });
    }
    const overdue = await stack.api("/api/run", { language: "bash", code: "echo on; sleep 600", timeoutSeconds: 1 });
    expect({ ...overdue, ...overdue.body }).toMatchObject({
      status: 200,
      stdout: "on\n",
      exitCode: 137,
      timedOut: true,
    });
    await eventually(async () => expect(await sandboxesOf(stack)).toEqual([]));
  });

  it("gives the socket to the gateway and to nobody else", async () => {
    expect(await socketHolders(stack)).toEqual([`${stack.project}-gateway-1`]);
  });

  it("needs no second consent for what it holds already", async () => {
    const { exitCode } = await stack.deploy("up", "--yes");
    expect(exitCode).toBe(0);
  });

  it("has no sandbox left once a gateway that died while one ran is back", async () => {
    const running = stack
      .api("/api/run", { language: "bash", code: "sleep 50", timeoutSeconds: 55 })
      .catch(() => undefined);
    await eventually(async () => expect((await sandboxesOf(stack)).length).toBe(1));
    const gateway = `${stack.project}-gateway-1`;
    await output("docker", ["kill", "--signal", "KILL", gateway]);
    await running;
    await output("docker", ["start", gateway]);
    await eventually(async () => expect(await sandboxesOf(stack)).toEqual([]));
    await eventually(async () => expect((await fetch(`${stack.url}/health`)).status).toBe(200));
  });

  it("loses the socket and its sandboxes when the mode becomes local", async () => {
    const running = stack
      .api("/api/run", { language: "bash", code: "sleep 50", timeoutSeconds: 55 })
      .catch(() => undefined);
    await eventually(async () => expect((await sandboxesOf(stack)).length).toBe(1));
    await stack.write("config.yaml", platformConfigs.localRefusing);
    // Neither a receipt nor the folder of the first deployment is needed for the proof.
    await rm(join(stack.folder, ".deploy", "receipt.json"));
    const { stdout, stderr } = await stack.deployOk("up", "--yes");
    await running;
    expect(stderr).toMatch(/- +gateway +runtime-socket/);
    const gateway = `${stack.project}-gateway-1`;
    expect(stdout).toContain(
      `gateway no longer holds runtime-socket /var/run/docker.sock (rw): verified on ${gateway}`,
    );
    expect(await socketHolders(stack)).toEqual([]);
    expect(await sandboxesOf(stack)).toEqual([]);
  });
});

describe("provisioner mode", () => {
  let stack: TestStack;
  beforeAll(async () => {
    stack = await createStack("prov", platformConfigs.provisioner, "sandbox:\n  kubeconfig: kubeconfig\n");
    await writeFile(join(stack.folder, "kubeconfig"), "apiVersion: v1\nkind: Config\n", { mode: 0o644 });
    await stack.write(
      ".env",
      `${await stack.read(".env")}PROVISIONER_IMAGE=sandbox-deploy/test-provisioner:1\nPROVISIONER_HEALTHCHECK=node -e "fetch('http://127.0.0.1:8002/health').then(r=>process.exit(r.ok?0:1))"\n`,
    );
    await stack.deployOk("up", "--yes");
  });
  afterAll(() => stack.dispose());

  it("runs code in the sandbox that the provisioner made, and removes it", async () => {
    const { status, body } = await stack.api("/api/run", {
      language: "python",
      code: "print(6*7)",
      timeoutSeconds: 20,
    });
    expect({ status, ...body }).toMatchObject({ status: 200, stdout: "42\n", exitCode: 0 });
    const script =
      "fetch('http://127.0.0.1:8002/api/sandboxes',{headers:{'x-api-key':process.env.PROVISIONER_API_KEY}}).then(r=>r.text()).then(console.log)";
    const left = await output("docker", ["exec", `${stack.project}-provisioner-1`, "node", "-e", script]);
    expect(JSON.parse(left)).toEqual({ sandboxes: [] });
  });

  it("gives the provisioner one kubeconfig file, read-only, and nobody a socket", async () => {
    const mounts = await output("docker", [
      "container",
      "inspect",
      "--format",
      "{{range .Mounts}}{{.Source}} {{.RW}}{{end}}",
      `${stack.project}-provisioner-1`,
    ]);
    expect(mounts.trim()).toBe(`${join(stack.folder, "kubeconfig")} false`);
    expect(await socketHolders(stack)).toEqual([]);
  });

  it("removes the provisioner when the mode becomes local", async () => {
    await stack.write("config.yaml", platformConfigs.localRefusing);
    const { stdout } = await stack.deployOk("up", "--yes", "--json");
    expect(JSON.parse(stdout)).toMatchObject({
      dropped: [{ service: "provisioner", kind: "kubeconfig", provenOn: [] }],
    });
    expect(await stack.containers()).toEqual(
      ["gateway", "proxy", "store"].map((service) => `${stack.project}-${service}-1`),
    );
  });
});
