import { spawnSync } from "node:child_process";
import { chmod, chown, mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it, test } from "vitest";
import { someOf } from "../support/some-of.ts";
import type { Rule } from "./support/scripted-docker.ts";
import { refused, useWorkbench } from "./support/use-workbench.ts";

const workbench = useWorkbench();
const isRoot = process.getuid?.() === 0;

/** What the command lines of Docker 28 and 20.10 print where they cannot do what they are asked. */
const words = {
  noDaemon: "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\n",
  newNoDaemon:
    "failed to connect to the docker API at unix:///var/run/docker.sock; check if the path is correct and if the daemon is running: dial unix /var/run/docker.sock: connect: no such file or directory\n",
  noHost:
    'error during connect: Get "http://nosuch.invalid:1/v1.50/containers/json": dial tcp: lookup nosuch.invalid: no such host\n',
  noPermission:
    'permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: Get "http://%2Fvar%2Frun%2Fdocker.sock/v1.50/containers/json": dial unix /var/run/docker.sock: connect: permission denied\n',
  newNoPermission: "permission denied while trying to connect to the docker API at unix:///var/run/docker.sock\n",
  newUsage: "\n\nUsage:  docker [OPTIONS] COMMAND [ARG...]\n\nRun 'docker --help' for more information\n",
  oldUsage: "\nSee 'docker --help'.\n\nUsage:  docker [OPTIONS] COMMAND\n",
};

describe("docker", () => {
  it("that is not installed is D040", async () => {
    for (const command of someOf(["up", "plan", "down", "status", "logs", "restart", "build", "pull", "config"], 3)) {
      const { exitCode, stdout, stderr } = await workbench().deployWith({ PATH: "/nowhere" }, command);
      expect(`${command} ${exitCode} ${stdout}`).toBe(`${command} 3 `);
      expect(stderr).toContain("error D040 Docker is not installed: there is no program called docker");
      expect(stderr).toContain("fix: install Docker Engine with the Compose plugin");
    }
  });

  test.each([
    ["whose daemon is down", words.noDaemon, "D041"],
    ["whose daemon is down, in newer words", words.newNoDaemon, "D041"],
    ["whose host does not exist", words.noHost, "D041"],
    ["whose socket this user may not use", words.noPermission, "D042"],
    ["whose socket this user may not use, in newer words", words.newNoPermission, "D042"],
  ])("%s is told as that, with a fix", async (_case, stderr, code) => {
    await workbench().script({ when: "^(?!compose (version|.*config))", exitCode: 1, stderr });
    for (const command of someOf(["up", "down", "status", "restart", "logs"], 2)) {
      const said = await refused(workbench(), 3, command);
      expect(said).toContain(code === "D041" ? "D041 the Docker daemon does not answer" : "D042 this user may not use");
      expect(said).toContain(code === "D041" ? "fix: start it (systemctl start docker)" : "fix: run as root, or add");
    }
  });

  it("that cannot be run for another reason is D041 in its own words", async () => {
    const stderr = 'unable to resolve docker endpoint: context "foo" does not exist\n';
    await workbench().script({ when: "^(?!compose)", exitCode: 1, stderr });
    expect(await refused(workbench(), 3, "up")).toContain(
      'D041 docker failed: unable to resolve docker endpoint: context "foo"',
    );
  });
});

describe("Compose", () => {
  const missing: [string, Rule[]][] = [
    [
      "28",
      [
        { when: "^compose .*--project-name", exitCode: 125, stderr: `unknown flag: --project-name${words.newUsage}` },
        { when: "^compose version", exitCode: 125, stderr: `unknown flag: --short${words.newUsage}` },
      ],
    ],
    [
      "20.10",
      [
        { when: "^compose .*--project-name", exitCode: 125, stderr: `unknown flag: --project-name${words.oldUsage}` },
        { when: "^compose version", exitCode: 125, stderr: `unknown flag: --short${words.oldUsage}` },
      ],
    ],
    [
      "20.10, without flags",
      [{ when: "^compose", exitCode: 1, stderr: "docker: 'compose' is not a docker command.\nSee 'docker --help'\n" }],
    ],
    [
      "28, without flags",
      [{ when: "^compose", exitCode: 1, stderr: "docker: unknown command: docker compose\n\nRun 'docker --help'\n" }],
    ],
    [
      "20.10, with short flags",
      [{ when: "^compose", exitCode: 125, stderr: `unknown shorthand flag: 'f' in -f${words.oldUsage}` }],
    ],
  ];
  test.each(someOf(missing, 2))(
    "that is missing, or is version 1 only, is D043 with docker %s",
    async (_version, rules) => {
      await workbench().script(...rules);
      const said = await refused(workbench(), 3, "up");
      expect(said).toContain(
        "D043 Docker Compose version 2 is not installed (docker-compose version 1 does not count)",
      );
      expect(said).toContain("fix: install the Compose plugin 2.24.4 or later");
    },
  );

  test.each(someOf(["2.23.3", "v2.24.3", "2.5.0"], 2))("%s is too old: D044", async (version) => {
    await workbench().script({ when: "^compose version", stdout: `${version}\n` });
    const said = await refused(workbench(), 3, "up");
    expect(said).toContain(`D044 Docker Compose ${version} is too old`);
    expect(said).toContain("fix: install 2.24.4 or later");
  });

  it("that is too old to merge the files is still D044", async () => {
    await workbench().script(
      { when: "^compose version", stdout: "2.20.0\n" },
      { when: "config", exitCode: 15, stderr: "services.gateway.volumes.0 additional properties are not allowed\n" },
    );
    expect(await refused(workbench(), 3, "up")).toContain("D044 Docker Compose 2.20.0 is too old");
  });

  test.each(someOf(["2.24.4", "2.26.1-4", "v2.40.3", "5.0.0"], 2))("%s is new enough", async (version) => {
    await workbench().script({ when: "^compose version", stdout: `${version}\n` });
    const { exitCode, stderr } = await workbench().deploy("plan");
    expect(`${exitCode} ${stderr}`).not.toContain("D044");
    expect(exitCode).toBe(0);
  });
});

describe("aio mode", () => {
  const socketConfig = async (path: string, access: "raw" | "guarded" = "raw") => {
    await workbench().write("config.yaml", "sandbox:\n  use: deerflow.community.aio_sandbox:AioSandboxProvider\n");
    await workbench().write(
      "deploy.config.yaml",
      `version: 1\nproject: scripted\nsandbox:\n  docker:\n    access: ${access}\n    socket: ${path}\n`,
    );
  };

  it.each([
    ["raw", ["--accept", "host-root"]],
    ["guarded", []],
  ] as const)("without the socket is D045 at the key that names it, with access %s", async (access, flags) => {
    await socketConfig("/nowhere/docker.sock", access);
    const said = await refused(workbench(), 3, "up", ...flags);
    expect(said).toContain(
      "deploy.config.yaml:6:5 error D045 aio mode needs the Docker socket, and there is none at /nowhere/docker.sock",
    );
    expect(said).toContain("fix: start Docker on this machine, or set sandbox.docker.socket");
  });

  it("with a file in the socket's place is D045", async () => {
    const path = join(workbench().folder, "docker.sock");
    await writeFile(path, "");
    await socketConfig(path);
    expect(await refused(workbench(), 3, "up")).toContain(`D045 ${path} is not a socket`);
  });

  it("with a socket of another place asks for consent, and for nothing else", async () => {
    const path = join(workbench().folder, "docker.sock");
    const server = createServer().listen(path);
    await socketConfig(path);
    const said = await refused(workbench(), 3, "up");
    server.close();
    expect(said).toContain("error D060");
    expect(said).not.toContain("D045");
  });
});

describe("provisioner mode", () => {
  const provisionerConfig = async (kubeconfig: string) => {
    const bench = workbench();
    await bench.write(
      "config.yaml",
      "sandbox:\n  use: deerflow.community.aio_sandbox:AioSandboxProvider\n  provisioner_url: http://provisioner:8002\n",
    );
    await bench.write("deploy.config.yaml", `version: 1\nproject: scripted\nsandbox:\n  kubeconfig: ${kubeconfig}\n`);
    await bench.write(
      ".env",
      `${await bench.read(".env")}PROVISIONER_IMAGE=example.test/provisioner:1\nPROVISIONER_API_KEY=kQ8vTz3mWn5xYb7cRd2f\n`,
    );
    return join(bench.folder, kubeconfig);
  };

  it("without a kubeconfig is D046 at the key that names it", async () => {
    const path = await provisionerConfig("kube.yaml");
    const said = await refused(workbench(), 3, "up");
    expect(said).toContain(
      `deploy.config.yaml:4:3 error D046 provisioner mode needs a kubeconfig, and there is none at ${path}`,
    );
    expect(said).toContain("fix: set sandbox.kubeconfig");
  });

  it("with a folder in the kubeconfig's place is D046", async () => {
    const path = await provisionerConfig("kube");
    await mkdir(path);
    expect(await refused(workbench(), 3, "up")).toContain(`D046 ${path} is not a file`);
  });

  it.runIf(isRoot)("with a kubeconfig that the provisioner's user may not read is D046", async () => {
    const path = await provisionerConfig("kube.yaml");
    await writeFile(path, "apiVersion: v1\n");
    await chmod(path, 0o600);
    const said = await refused(workbench(), 3, "up");
    expect(said).toContain(
      `deploy.config.yaml:4:3 error D046 provisioner runs as user 10004:10004, who may not read ${path} (mode 0600, owner 0:0)`,
    );
    expect(said).toContain(`fix: chown 10004:10004 ${path}, or chmod 0644`);
  });

  it.runIf(isRoot).each([
    ["owned by its user", 10004, 10004, 0o400],
    ["readable for its group", 0, 10004, 0o640],
    ["readable for everybody", 0, 0, 0o644],
    ["private to somebody else, whose user it then runs as", 1234, 1234, 0o600],
  ])("takes a kubeconfig %s", async (_case, uid, gid, mode) => {
    const path = await provisionerConfig("kube.yaml");
    await writeFile(path, "apiVersion: v1\n");
    await chown(path, uid, gid);
    await chmod(path, mode);
    const { exitCode, stderr } = await workbench().deploy("plan");
    expect(`${exitCode} ${stderr}`).toBe("0 ");
  });

  it("without its own image variable is D031", async () => {
    await provisionerConfig("kube.yaml");
    await workbench().write(".env", "");
    const said = await refused(workbench(), 2, "up");
    expect(said).toMatch(
      /docker-compose\.provisioner\.yaml:\d+:12 error D031 the Compose files need the variable PROVISIONER_IMAGE/,
    );
  });
});

describe("the machine", () => {
  it("with the port in use is D047 and names who has it", async () => {
    const server = createServer().listen(workbench().port, "127.0.0.1");
    const said = await refused(workbench(), 3, "up");
    server.close();
    expect(said).toContain(`error D047 127.0.0.1:${workbench().port}, which proxy publishes, is in use by `);
    expect(said).toContain(`(process ${process.pid})`);
    expect(said).toContain("fix: stop it, or choose another port");
  });

  it("with the port in use by a container is D047 and names the container", async () => {
    await workbench().script({ when: "^ps .*publish=", stdout: "someones-proxy-1\n" });
    const server = createServer().listen(workbench().port, "127.0.0.1");
    expect(await refused(workbench(), 3, "up")).toContain("is in use by the container someones-proxy-1");
    server.close();
  });

  it("with a port that is none is D012, before anything starts", async () => {
    const written = await workbench().read(".env");
    for (const port of someOf(["99999", "abc"], 1)) {
      await workbench().write(".env", written.replace(/^PORT=.*$/m, `PORT=${port}`));
      const said = await refused(workbench(), 2, "up");
      expect(said).toContain(`error D012 proxy publishes the port ${port}, but ports are whole numbers up to 65535`);
      expect(said).toContain("PORT in the environment file");
    }
  });

  it("with the port in use at another address than the running stack has is D047 as well", async () => {
    workbench().openFrontDoor("local");
    expect((await workbench().deploy("up")).exitCode).toBe(0);
    const before = await workbench().changes();
    await workbench().write(".env", `${await workbench().read(".env")}BIND_HOST=127.0.0.2\n`);
    const server = createServer().listen(workbench().port, "127.0.0.2");
    const { exitCode, stderr } = await workbench().deploy("up");
    server.close();
    expect(`${exitCode} ${stderr}`).toMatch(/^3 /);
    expect(stderr).toContain(`error D047 127.0.0.2:${workbench().port}, which proxy publishes, is in use by `);
    expect(await workbench().changes()).toEqual(before);
  });

  it("without the source of a bind mount is D048", async () => {
    await workbench().write("more.yaml", "services:\n  store:\n    volumes: ['/nowhere/data:/extra:ro']\n");
    await workbench().write(
      "deploy.config.yaml",
      "version: 1\nproject: scripted\ncompose:\n  overlays:\n    always: [more.yaml]\n",
    );
    const said = await refused(workbench(), 3, "up");
    expect(said).toContain("error D048 store mounts /nowhere/data, which does not exist");
    expect(said).toContain("fix: create it, or correct the path");
  });

  it.runIf(isRoot)("with a platform configuration that the gateway may not read is D048", async () => {
    const path = join(workbench().folder, "config.yaml");
    await chmod(path, 0o640);
    const said = await refused(workbench(), 3, "up");
    expect(said).toContain(
      `error D048 gateway runs as user 10002:10002, who may not read ${path} (mode 0640, owner 0:0)`,
    );
    expect(said).toContain(`fix: chmod 0644 ${path}, or `);
    await workbench().write("more.yaml", "services:\n  gateway:\n    group_add: ['0']\n");
    await workbench().write(
      "deploy.config.yaml",
      "version: 1\nproject: scripted\ncompose:\n  overlays:\n    always: [more.yaml]\n",
    );
    const { exitCode, stderr } = await workbench().deploy("plan");
    expect(`${exitCode} ${stderr}`).toBe("0 ");
  });

  it("with several of these problems tells them all at once", async () => {
    await workbench().write("more.yaml", "services:\n  store:\n    volumes: ['/nowhere/a:/a', '/nowhere/b:/b']\n");
    await workbench().write(
      "deploy.config.yaml",
      "version: 1\nproject: scripted\ncompose:\n  overlays:\n    always: [more.yaml]\n",
    );
    const server = createServer().listen(workbench().port, "127.0.0.1");
    const said = await refused(workbench(), 3, "up");
    server.close();
    expect(said.match(/error D04[78]/g)?.toSorted()).toEqual(["error D047", "error D048", "error D048"]);
  });

  it.runIf(isRoot)("with a full disk is D049, and leaves the environment file as it was", async ({ skip }) => {
    const folder = join(workbench().folder, "small");
    await mkdir(folder);
    const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", folder]);
    skip(mounted.status !== 0, "nothing can be mounted here");
    try {
      await writeFile(join(folder, "deploy.config.yaml"), "version: 1\nproject: scripted\n");
      await writeFile(join(folder, "config.yaml"), "sandbox:\n  use: deerflow.sandbox.local:LocalSandboxProvider\n");
      await writeFile(join(folder, ".env"), `PORT=${workbench().port}\n`);
      await writeFile(join(folder, "filler"), Buffer.alloc(64 * 1024)).catch(() => undefined);
      const said = await refused(workbench(), 3, "up", "--config", "small/deploy.config.yaml");
      expect(said).toMatch(/error D049 .* cannot be written: the disk is full/);
      expect(said).toContain("fix: free disk space (df -h)");
      expect(await workbench().read("small/.env")).toBe(`PORT=${workbench().port}\n`);
    } finally {
      spawnSync("umount", [folder]);
    }
  });
});
