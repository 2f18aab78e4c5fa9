import { spawn } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { command, eventually, output } from "../support/command.ts";
import { asPolicy, sandboxName } from "../support/policy-sandbox.ts";
import { createStack, platformConfigs, repositoryRoot, type TestStack } from "../support/stack.ts";

const run = (code: string) => ({ language: "bash", code, timeoutSeconds: 30 });

/** Sends one request from inside the gateway's container to what it believes to be Docker. */
async function fromGateway(stack: TestStack, method: string, path: string, body?: unknown): Promise<string> {
  const script = `
    const sent = require("node:http").request({ socketPath: "/run/guard/docker.sock", method: "${method}", path: "${path}",
      headers: { "content-type": "application/json" } }, (answer) => {
        let text = ""; answer.on("data", (chunk) => (text += chunk)); answer.on("end", () => console.log(answer.statusCode, text.trim()));
      });
    sent.end(${body === undefined ? "" : JSON.stringify(JSON.stringify(body))});`;
  return output("docker", ["exec", `${stack.project}-gateway-1`, "node", "-e", script]);
}

async function inGateway(stack: TestStack, line: string): Promise<string> {
  const { stdout, stderr } = await command("docker", ["exec", `${stack.project}-gateway-1`, "bash", "-c", line]);
  return stdout + stderr;
}

async function mountsOf(container: string): Promise<string[]> {
  const json = await output("docker", ["container", "inspect", "--format", "{{json .Mounts}}", container]);
  return (JSON.parse(json) as { Source: string }[]).map(({ Source }) => Source);
}

describe("guarded aio mode", () => {
  let stack: TestStack;
  beforeAll(async () => {
    stack = await createStack("guarded", platformConfigs.aio);
  });
  afterAll(() => stack.dispose());

  it("needs no consent, and its plan shows sandbox operations in place of a socket", async () => {
    const { stdout } = await stack.deployOk("plan");
    expect(stdout).toMatch(/\+ gateway +sandbox-operations +through the guard/);
    expect(stdout).not.toMatch(/gateway +runtime-socket/);
    expect(stdout).not.toContain("questions");
    await stack.deployOk("up", "--yes");
  });

  it("runs code in a container of its own that is gone afterwards", async () => {
    const { status, body } = await stack.api("/api/run", run("echo $((6*7)); id -u"));
    expect({ status, ...body }).toMatchObject({ status: 200, stdout: "42\n65534\n", exitCode: 0 });
    await eventually(async () =>
      expect(await stack.containers(`label=sandbox-deploy.guard=${stack.project}`)).toEqual([]),
    );
  });

  it("gives the socket to the guard alone, which has no network", async () => {
    const held = await Promise.all(
      (await stack.containers()).map(async (name) =>
        (await mountsOf(name)).some((source) => source.endsWith(".sock")) ? [name] : [],
      ),
    );
    expect(held.flat()).toEqual([`${stack.project}-guard-1`]);
    const guard = await stack.inspect(`${stack.project}-guard-1`);
    expect(guard).toMatchObject({ HostConfig: { NetworkMode: "none", ReadonlyRootfs: true, CapDrop: ["ALL"] } });
  });

  it("changes nothing and recreates nothing on a second up", async () => {
    const before = await output("docker", [
      "ps",
      "--quiet",
      "--filter",
      `label=com.docker.compose.project=${stack.project}`,
    ]);
    expect((await stack.deployOk("up", "--yes")).stdout).toContain("nothing to change");
    const after = await output("docker", [
      "ps",
      "--quiet",
      "--filter",
      `label=com.docker.compose.project=${stack.project}`,
    ]);
    expect(after).toBe(before);
  });

  // Each is what the policy allows but for one thing: otherwise it would be refused for its name, whatever else it asks for.
  const permitted = { Image: "sandbox-deploy/sandbox:0.1.0-local", User: "65534:65534", Cmd: ["true"] };
  const createPath = "/containers/create?name=SANDBOX";
  const named = (path: string) =>
    path.replace("SANDBOX", sandboxName(stack.project, 3)).replace("PROJECT", stack.project);

  it("gives a gateway that is taken over a sandbox, and nothing of the host with it", async () => {
    expect(await fromGateway(stack, "POST", named(createPath), permitted)).toMatch(/^201 /);
    const { HostConfig: host } = await stack.inspect(named("SANDBOX"));
    expect(host).toMatchObject({ Privileged: false, NetworkMode: "none", CapDrop: ["ALL"], PidsLimit: 128 });
    expect(await fromGateway(stack, "DELETE", named("/containers/SANDBOX"))).toMatch(/^204/);
  });

  it.each([
    [
      "a privileged container",
      ["POST", createPath, { ...permitted, HostConfig: { Privileged: true } }],
      "host-config.privileged",
    ],
    [
      "the host's root directory",
      ["POST", createPath, { ...permitted, HostConfig: { Binds: ["/:/host"] } }],
      "bind.off",
    ],
    [
      "the host's processes",
      ["POST", `/v1.41${createPath}`, { ...permitted, HostConfig: { PidMode: "host" } }],
      "host-config.pid-mode",
    ],
    [
      "the host's network",
      ["POST", createPath, { ...permitted, HostConfig: { NetworkMode: "host" } }],
      "host-config.network-mode",
    ],
    [
      "another image",
      ["POST", createPath, { ...permitted, Image: "sandbox-deploy/gateway:0.1.0-local" }],
      "image.not-allowed",
    ],
    ["a shell in the guard itself", ["POST", "/containers/PROJECT-guard-1/exec", { Cmd: ["sh"] }], "route.exec-off"],
    ["the end of the guard", ["POST", "/containers/PROJECT-guard-1/kill", undefined], "No such container"],
    ["what another container is", ["GET", "/containers/PROJECT-store-1/json", undefined], "No such container"],
    ["a build", ["POST", "/build", undefined], "route.unknown"],
    [
      "a volume that is a directory of the host",
      ["POST", "/volumes/create", { DriverOpts: { type: "none", device: "/", o: "bind" } }],
      "route.unknown",
    ],
  ] as const)("a gateway that is taken over does not get %s", async (_what, [method, path, body], why) => {
    const containers = await stack.containers("id=");
    const answer = await fromGateway(stack, method, named(path), body);
    expect(answer).toMatch(/^4\d\d \{"message":/);
    expect(answer).toContain(why);
    expect(await stack.containers("id=")).toEqual(containers);
  });

  it("leaves the gateway no way around: no other socket, no rights over what the guard listens in, no root", async () => {
    expect(await inGateway(stack, "find / -xdev -type s 2>/dev/null; ls /var/run/docker.sock 2>&1")).not.toMatch(
      /^\/.*docker\.sock$/m,
    );
    expect(await inGateway(stack, "rm /run/guard/docker.sock; touch /run/guard/x")).toMatch(
      /Read-only file system|Permission denied/,
    );
    expect(await inGateway(stack, "id -u; cat /proc/self/status | grep CapEff")).toMatch(
      /10002[\s\S]*0000000000000000/,
    );
  });

  it("is verified with its sandboxes: what each has beyond the policy is an error that names it", async () => {
    const without = (option: string) => asPolicy.filter((each) => !each.startsWith(`--${option}`));
    const allowed = "has more than the guard's policy allows:";
    const cases: readonly (readonly [options: readonly string[], image: string, said: string | undefined])[] = [
      [asPolicy, "sandbox", undefined],
      [[...without("user"), "--user=0"], "sandbox", `${allowed} User: the policy does not allow the user "0"`],
      [without("read-only"), "sandbox", `${allowed} HostConfig.ReadonlyRootfs: false -> true`],
      [without("cap-drop"), "sandbox", `${allowed} HostConfig.CapDrop: - -> ALL`],
      [without("security-opt"), "sandbox", `${allowed} HostConfig.SecurityOpt.no-new-privileges: - -> true`],
      [asPolicy, "store", `${allowed} the policy does not allow the container's image`],
      [[...without("pids-limit"), "--pids-limit=129"], "sandbox", "has the process limit 129 instead of 128"],
    ];
    const nameOf = (index: number) => sandboxName(stack.project, index);
    const label = `--label=sandbox-deploy.guard=${stack.project}`;
    for (const [index, [options, image]] of cases.entries()) {
      const program = [`sandbox-deploy/${image}:0.1.0-local`, "sleep", "600"];
      await output("docker", ["create", "--name", nameOf(index), label, ...options, ...program]);
    }
    const { exitCode, stderr } = await stack.deploy("status", "--verify");
    await output("docker", ["rm", "--force", ...cases.map((_, index) => nameOf(index))]);
    const said = stderr.split("\n").filter((line) => line.startsWith("error"));
    const expected = cases.flatMap(([, , what], index) => (what ? [`error D072 ${nameOf(index)} ${what}`] : []));
    expect([exitCode, said.toSorted()]).toEqual([1, expected.toSorted()]);
  });

  it("makes runs fail clearly while the guard is away, and nothing falls back", async () => {
    await output("docker", ["pause", `${stack.project}-guard-1`]);
    await output("docker", ["kill", `${stack.project}-guard-1`]).catch(() => undefined);
    await output("docker", ["rm", "--force", `${stack.project}-guard-1`]);
    const { status, body } = await stack.api("/api/run", run("echo never"));
    expect(status).toBe(503);
    expect(JSON.stringify(body)).toContain("unix:///run/guard/docker.sock");
    expect((await stack.deploy("status")).exitCode).toBe(1);
    await stack.deployOk("up", "--yes");
    await eventually(async () => expect((await stack.api("/api/run", run("echo back"))).status).toBe(200));
  });

  it("shows in the log of the guard what was refused", async () => {
    await fromGateway(stack, "POST", "/containers/create?name=y", { Image: "alpine" });
    const { stdout } = await stack.deployOk("guard", "log", "--denied");
    expect(stdout).toMatch(/DENY +403 +.*containers\/create/);
  });

  it("leaves nothing in the guard when who follows its log is killed", async () => {
    const words = ["guard", "log", "--follow"];
    const child = spawn(join(repositoryRoot, "deploy"), words, {
      cwd: stack.folder,
      stdio: ["ignore", "pipe", "ignore"],
    });
    const shown = new Promise((resolve) => child.stdout.once("data", resolve));
    const followers = async () =>
      (await output("docker", ["top", `${stack.project}-guard-1`, "-eo", "pid,args"])).match(/--follow/g);
    await shown;
    expect(await followers()).toHaveLength(1);
    child.kill("SIGKILL");
    await eventually(async () => expect(await followers()).toBeNull());
  });

  it("shows in the status how many sandboxes live, against the limit, what was refused, and since when", async () => {
    const { stdout } = await stack.deployOk("status");
    expect(stdout).toMatch(/guard +0 of \d+ sandboxes, \d+ refused, since \d{4}-\d\d-\d\dT/);
  });

  describe("with folders of the host for sandboxes", () => {
    let root = "";
    let configuration = "";
    const sandbox = (name: "one" | "more") => `${stack.project}-sandbox-${(name === "one" ? "1" : "2").repeat(16)}`;
    const create = (name: "one" | "more", source: string, target = "/data") =>
      fromGateway(stack, "POST", `/containers/create?name=${sandbox(name)}`, {
        Image: "sandbox-deploy/sandbox:0.1.0-local",
        User: "65534:65534",
        Cmd: ["sh", "-c", "cat /data/given; echo mine > /data/made; ls -a /data /data/..; sleep 600"],
        HostConfig: { Binds: [`${source}:${target}`] },
      });

    beforeAll(async () => {
      configuration = await stack.read("deploy.config.yaml");
      root = await mkdtemp(join(tmpdir(), "sandbox-deploy-threads-"));
      await chmod(root, 0o755);
      await writeFile(join(root, "of-others"), "secret\n");
      for (const thread of ["one", "two"]) {
        await mkdir(join(root, "threads", thread), { recursive: true });
        await chmod(join(root, "threads", thread), 0o777);
        await writeFile(join(root, "threads", thread, "given"), `to ${thread}\n`);
      }
      await symlink("/etc", join(root, "threads", "link"));
      await symlink("..", join(root, "threads", "above"));
      await stack.write("guard-data.yaml", `services: { guard: { volumes: ["${root}:${root}:ro"] } }\n`);
      const binds = `{ root: ${root}, allowed: [{ source: 'threads/[a-z]+', target: '/data' }] }`;
      await stack.write(
        "deploy.config.yaml",
        `${configuration.replace("compose:\n", "compose:\n  overlays: { always: [guard-data.yaml] }\n")}sandbox: { docker: { guard: { binds: ${binds} } } }\n`,
      );
    });
    afterAll(async () => {
      await command("docker", ["rm", "--force", sandbox("one")]);
      await stack.write("deploy.config.yaml", configuration);
      await rm(root, { recursive: true, force: true });
    });

    it("asks for them by name, and for nothing else", async () => {
      const refused = await stack.deploy("up", "--yes");
      expect([refused.exitCode, refused.stderr]).toEqual([3, expect.stringContaining("--accept host-files")]);
      expect(refused.stderr).not.toContain("host-root");
      const { stderr } = await stack.deployOk("up", "--yes", "--accept", "host-files");
      expect(stderr.replace(/\s+/g, " ")).toContain(
        `+ gateway sandbox-folders folders below ${root} (rw) reaches the host: host-files`,
      );
    });

    it("gives a sandbox the folder of its thread and nothing above it", async () => {
      expect(await create("one", `${root}/threads/one`)).toMatch(/^201 /);
      expect(await fromGateway(stack, "POST", `/containers/${sandbox("one")}/start`)).toMatch(/^204/);
      await eventually(async () => expect(await readFile(join(root, "threads/one/made"), "utf8")).toBe("mine\n"));
      const shown = await eventually(async () => {
        const { stdout } = await command("docker", ["logs", sandbox("one")]);
        expect(stdout).toContain("given");
        return stdout;
      });
      expect(shown).toContain("to one");
      expect(shown).not.toMatch(/two|of-others/);
      expect(await mountsOf(sandbox("one"))).toEqual([`${root}/threads/one`]);
    });

    it.each([
      ["the root", ""],
      ["the folder of all threads", "/threads"],
      ["what lies above by two dots", "/threads/one/.."],
      ["a link to the host", "/threads/link"],
      ["a link to the root", "/threads/above"],
      ["what the policy does not name", "/of-others"],
    ])("refuses %s", async (_what, path) => {
      expect(await create("more", `${root}${path}`)).toMatch(/^403 .*bind\./);
      expect(await stack.containers(`name=${sandbox("more")}`)).toEqual([]);
    });

    it("plans nothing more, and finds nothing more, while such a sandbox lives", async () => {
      expect((await stack.deployOk("up", "--yes")).stdout).toContain("nothing to change");
      expect((await stack.deployOk("status")).stdout).toMatch(/gateway +sandbox-folders +folders below/);
      expect(await stack.containers(`name=${sandbox("one")}`)).toEqual([sandbox("one")]);
    });

    it("gives them up without a question", async () => {
      expect(await fromGateway(stack, "DELETE", `/containers/${sandbox("one")}?force=1`)).toMatch(/^204/);
      await stack.write("deploy.config.yaml", configuration);
      expect((await stack.deployOk("up", "--yes")).stderr).toMatch(/- +gateway +sandbox-folders/);
    });
  });

  it("takes the raw socket only with consent, and gives it back without a question, whatever an older receipt says", async () => {
    const configuration = await stack.read("deploy.config.yaml");
    const older = await stack.read(".deploy/receipt.json");
    await stack.write("deploy.config.yaml", `${configuration}sandbox:\n  docker:\n    access: raw\n`);
    const refused = await stack.deploy("up", "--yes");
    expect([refused.exitCode, refused.stderr]).toEqual([3, expect.stringContaining("--accept host-root")]);
    await stack.deployOk("up", "--yes", "--accept", "host-root");
    expect(await mountsOf(`${stack.project}-gateway-1`)).toContain("/var/run/docker.sock");
    await stack.write("deploy.config.yaml", configuration);
    // As out of a backup from before: what runs is asked of the engine.
    await stack.write(".deploy/receipt.json", older);
    const { stdout, stderr } = await stack.deployOk("up", "--yes");
    expect(stderr).toMatch(/- +gateway +runtime-socket/);
    const gateway = `${stack.project}-gateway-1`;
    expect(stdout).toContain(
      `gateway no longer holds runtime-socket /var/run/docker.sock (rw): verified on ${gateway}`,
    );
    expect((await mountsOf(`${stack.project}-gateway-1`)).some((source) => source.endsWith(".sock"))).toBe(false);
  });

  it("refuses a policy that the guard would refuse, with its place, and starts nothing", async () => {
    const configuration = await stack.read("deploy.config.yaml");
    await stack.write("deploy.config.yaml", `${configuration}sandbox:\n  docker:\n    guard:\n      network: host\n`);
    const { exitCode, stderr } = await stack.deploy("up", "--yes");
    await stack.write("deploy.config.yaml", configuration);
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/deploy\.config\.yaml:\d+:\d+ error D035 .*network has to be/);
  });
});
