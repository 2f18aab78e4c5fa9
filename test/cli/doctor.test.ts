import { chmod, mkdir, readFile, rename, stat, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { hostname } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { checkNames } from "../../src/core/doctor/check.ts";
import { healthyInfo, healthyVersion } from "../doctor/reports.ts";
import { command, eventually, output } from "../support/command.ts";
import { containersThere, sandboxLabels, serviceLabels } from "./support/engine-rules.ts";
import type { Rule } from "./support/scripted-docker.ts";
import { useWorkbench } from "./support/use-workbench.ts";

const workbench = useWorkbench();

/** A program that is found before the machine's own. */
async function program(name: string, script: string): Promise<void> {
  await writeFile(join(workbench().environment["SCRIPTED_DOCKER"] ?? "", name), `#!/bin/sh\n${script}\n`, {
    mode: 0o755,
  });
}

function engine(info: Record<string, unknown> = {}): Rule[] {
  const now = { SystemTime: new Date().toISOString() };
  return [
    { when: "^info --format ..json .*", stdout: JSON.stringify({ ...healthyInfo, ...now, ...info }) },
    { when: "^version --format", stdout: JSON.stringify(healthyVersion) },
    { when: "^context inspect", stdout: "unix:///run/none.sock\n" },
  ];
}

const df = (kib: number) =>
  `[ "$1" = -Pk ] && free=${kib} || free=900000\necho Filesystem; echo "/dev/x 900000000 1 $free 1% $2"`;

beforeEach(async () => {
  await program("df", df(800_000_000));
  await program("getent", "exit 2");
  for (const name of ["iptables", "nft", "firewall-cmd"]) await program(name, "exit 1");
  await workbench().write("deploy.config.yaml", "version: 1\nproject: scripted\ncompose: { images: local }\n");
  await workbench().script(...engine());
});

interface Document {
  readonly exitCode: number;
  readonly checks: readonly { readonly check: string; readonly state: string; readonly text: string }[];
  readonly findings: readonly { readonly check: string; readonly code: string; readonly severity: string }[];
}

/** Runs doctor for a script; what it printed is one document, and its exit code is the process's. */
async function diagnosis(...args: string[]): Promise<Document & { readonly found: string[]; readonly stderr: string }> {
  const { exitCode, stdout, stderr } = await workbench().deploy("doctor", "--json", "--timeout", "120", ...args);
  const document: Document = JSON.parse(stdout);
  expect(document.exitCode).toBe(exitCode);
  return {
    ...document,
    stderr,
    found: document.findings.map(({ check, severity, code }) => `${check}: ${severity} ${code}`),
  };
}

describe("doctor", () => {
  it("makes every check, finds a machine on which all is well, and changes nothing", async () => {
    const { exitCode, checks, found } = await diagnosis();
    expect(checks.map(({ check }) => check)).toEqual(checkNames);
    expect(found).toEqual([]);
    expect(exitCode).toBe(0);
    const skipped = checks.filter(({ state }) => state === "skipped").map(({ check }) => check);
    expect(skipped).toEqual(["dns", "registry", "certificate", "cluster", "deployment"]);
    expect(await workbench().changes()).toEqual([]);
    expect((await workbench().deploy("doctor", "--timeout", "120")).stdout).toMatch(/\nall is well\n$/);
  });

  it.each([
    ["that hangs", "exec tail -f /dev/null"],
    ["that hangs and will not be ended", `trap "" TERM\nexec tail -f /dev/null`],
  ])("ends with a docker %s, and leaves no process behind", async (_case, script) => {
    const pids = join(workbench().folder, "pids");
    await program("docker", `echo $$ >>"${pids}"\n${script}`);
    const { exitCode, found, checks } = await diagnosis("--timeout", "1");
    expect(exitCode).toBe(3);
    expect(found).toContain("docker: error D041");
    expect(checks.map(({ check }) => check)).toEqual(checkNames);
    const started = (await readFile(pids, "utf8")).trim().split("\n").map(Number);
    await eventually(async () => expect(started.filter(isRunning)).toEqual([]));
  });

  it("works without Docker: it says so once, and checks what it can", async () => {
    const { exitCode, stdout } = await workbench().deployWith({ PATH: "/usr/bin-not" }, "doctor", "--json");
    const { checks, findings }: Document = JSON.parse(stdout);
    expect(exitCode).toBe(3);
    expect(findings.filter(({ severity }) => severity === "error").map(({ code }) => code)).toEqual(["D040"]);
    expect(checks.find(({ check }) => check === "files")?.state).toBe("healthy");
  });

  it("works without a configuration, for whoever has nothing yet", async () => {
    const away = join(workbench().folder, "elsewhere");
    await mkdir(away);
    const main = join(workbench().tool, "dist/main.js");
    const options = { cwd: away, env: workbench().environment };
    const { stdout } = await command(process.execPath, [main, "doctor", "--json", "--timeout", "120"], options);
    const { checks, findings }: Document = JSON.parse(stdout);
    expect(checks.find(({ check }) => check === "configuration")).toMatchObject({
      ...{ state: "skipped", text: "there is no deploy.config.yaml here" },
    });
    expect(checks.filter(({ state }) => state === "healthy").length).toBeGreaterThan(8);
    expect(findings.filter(({ check }) => !["dns", "registry"].includes(check))).toEqual([]);
    const named = await workbench().deploy("doctor", "--json", "--config", "elsewhere/none.yaml");
    expect(`${named.exitCode} ${named.stdout}`).toMatch(/^3 [\s\S]*"code": "D014"/);
  });

  it("shows what is wrong with the configuration beside all else", async () => {
    await workbench().write("deploy.config.yaml", "version: 1\nprojct: x\n");
    const { exitCode, found } = await diagnosis();
    expect([exitCode, found]).toEqual([3, expect.arrayContaining(["configuration: error D011"])]);
  });

  it("shows findings of the environment, ports and mounts, which up would stop at", async () => {
    const { port } = workbench();
    const server = createServer().listen(port, "127.0.0.1");
    await workbench().write("more.yaml", "services: { proxy: { volumes: ['/nowhere/data:/x'] } }\n");
    await workbench().write(
      "deploy.config.yaml",
      "version: 1\nproject: scripted\ncompose: { images: local, overlays: { always: [more.yaml] } }\n",
    );
    await workbench().write(".env", `PORT=${port}\nGATEWAY_API_KEY=changeme\nSTORE_PASSWORD=\n`);
    const { exitCode, found } = await diagnosis();
    server.close();
    expect(exitCode).toBe(3);
    expect(found).toEqual(["environment: error D103", "mounts: error D048", "ports: error D047"]);
  });

  it("shows what only the plan finds: a project of this name that another folder deployed", async () => {
    const other = join(workbench().folder, "../other");
    await mkdir(other);
    await writeFile(join(other, "compose.yaml"), "services: {}\n");
    const files = { "com.docker.compose.project.config_files": join(other, "compose.yaml") };
    await workbench().script(
      ...engine(),
      ...containersThere({ "scripted-proxy-1": { labels: { ...serviceLabels("scripted", "proxy"), ...files } } }),
    );
    const { exitCode, found } = await diagnosis();
    expect(exitCode).toBe(3);
    expect(found).toContain("plan: error D066");
    expect((await diagnosis("--accept", "foreign-project")).found).not.toContain("plan: error D066");
  });

  it("shows what is wrong with the certificate that the stack is to use", async () => {
    const tls = "public: { tls: files, domain: shop.example.org, files: { certificate: no.crt, key: no.key } }\n";
    await workbench().write("deploy.config.yaml", `version: 1\nproject: scripted\ncompose: { images: local }\n${tls}`);
    const { exitCode, findings } = await diagnosis();
    expect(exitCode).toBe(3);
    const certificate = findings.filter(({ check }) => check === "certificate").map(({ code }) => code);
    expect(certificate.length).toBeGreaterThan(0);
    expect(certificate.filter((code) => !/^D1[23]\d$/.test(code))).toEqual([]);
  });

  it("warns of what a firewall does not protect", async () => {
    await program("firewall-cmd", "echo running");
    const env = await workbench().read(".env");
    await workbench().write(".env", `${env}BIND_HOST=0.0.0.0\n`);
    expect((await diagnosis()).found).toContain("firewall: warning D216");
  });

  it("takes a full disk for an error, which may be accepted by name", async () => {
    await program("df", df(10_000));
    const { exitCode, found } = await diagnosis();
    expect([exitCode, found]).toEqual([3, ["disk: error D210", "disk: error D210"]]);
    const accepted = await diagnosis("--accept", "low-disk");
    expect([accepted.exitCode, accepted.found]).toEqual([0, ["disk: warning D210", "disk: warning D210"]]);
  });

  it("asks registries as the engine does, and holds the clock against theirs", async () => {
    const registry = createServer((_request, response) => {
      response.setHeader("Date", "Fri, 02 Jan 1998 03:04:05 GMT");
      response.writeHead(401).end();
    });
    await new Promise<void>((resolve) => registry.listen(0, "127.0.0.1", resolve));
    const address = registry.address();
    const host = typeof address === "object" ? `127.0.0.1:${address?.port}` : "";
    await workbench().write("mine.yaml", `services: { app: { image: "${host}/app:1" } }\n`);
    await workbench().write("deploy.config.yaml", "version: 1\nproject: scripted\ncompose: { base: mine.yaml }\n");
    const { found, checks } = await diagnosis();
    expect(found.filter((each) => /^(dns|registry|clock)/.test(each))).toEqual(["clock: warning D212"]);
    expect(checks.find(({ check }) => check === "registry")?.text).toBe(`${host} answers`);
    registry.closeAllConnections();
    await new Promise((resolve) => registry.close(resolve));
    const later = await diagnosis();
    expect(later.found.filter((each) => /^(dns|registry|clock)/.test(each))).toEqual(["registry: warning D214"]);
  });
});

const gone = {
  ...{ host: hostname(), pid: 2 ** 22 + 1, started: "70", user: "ann", command: "up", project: "scripted" },
  ...{ since: "2026-01-01T00:00:00.000Z", at: 0, token: "0a", folder: "/srv" },
};

describe("doctor --fix", () => {
  const state = () => join(workbench().folder, ".deploy");

  beforeEach(async () => {
    await mkdir(state(), { mode: 0o700 });
    await chmod(state(), 0o755);
    await workbench().write(".deploy/lock", `${JSON.stringify(gone)}\n`);
    await workbench().script(
      // The last of them: then nothing is left.
      { when: "^rm --force id-scripted-box", afterwards: engine() },
      ...engine(),
      ...containersThere({
        "scripted-old-1": { labels: serviceLabels("scripted", "old") },
        "scripted-box": { labels: sandboxLabels("scripted") },
      }),
    );
  });

  const all = ["files: warning D217", "lock: warning D223", "leftovers: warning D222", "leftovers: warning D222"];
  const mode = async () => ((await stat(state())).mode & 0o777).toString(8);

  it("changes nothing where nobody can be asked, and says what would agree", async () => {
    const { found, stderr } = await diagnosis("--fix");
    expect(found).toEqual(expect.arrayContaining(all));
    expect(stderr).toContain("not mended: stale-lock; nobody can be asked here: --yes agrees");
    expect([await mode(), await workbench().changes()]).toEqual(["755", []]);
  });

  it("with --yes mends what is safe, notes it in the audit log, and looks again", async () => {
    const { exitCode, stdout } = await workbench().deploy("doctor", "--fix", "--yes", "--timeout", "120");
    expect(stdout).toContain(`mended  remove ${state()}/lock\n`);
    expect(stdout).toContain(`mended  chmod 0700 ${state()}\n`);
    expect(stdout).toContain("mended  remove the container scripted-box\n");
    expect(`${exitCode} ${stdout}`).toMatch(/^0 [\s\S]*\nall is well\n$/);
    expect(await mode()).toBe("700");
    expect(await workbench().changes()).toEqual([
      ["rm", "--force", "id-scripted-old-1"],
      ["rm", "--force", "id-scripted-box"],
    ]);
    expect((await workbench().deploy("audit")).stdout).toContain("doctor --yes");
  });

  it("without --fix only offers it", async () => {
    const { stdout } = await workbench().deploy("doctor", "--yes");
    expect(stdout).toContain("./deploy doctor --fix offers to mend: ");
    expect([await mode(), await workbench().changes()]).toEqual(["755", []]);
  });

  it("removes no container while somebody deploys", async () => {
    await workbench().write(".deploy/lock", `${JSON.stringify({ ...gone, pid: process.pid, started: "" })}\n`);
    const { exitCode, stderr } = await workbench().deploy("doctor", "--fix", "--yes");
    expect(exitCode).toBe(4);
    expect(stderr).toContain("error D063");
    expect(await workbench().changes()).toEqual([]);
  });
});

describe("doctor --fix without Docker", () => {
  const ownBench = useWorkbench({ ownTool: true });

  /** A PATH on which there is no docker but the one that the installer brings. */
  async function pathWithoutDocker(): Promise<string> {
    const bin = ownBench().environment["SCRIPTED_DOCKER"] ?? "";
    const tools = join(ownBench().folder, "tools");
    await mkdir(tools);
    const names = ["sh", "mv", "id", "cat", "chmod", "test", "df", "getent"];
    const paths = await Promise.all(names.map((name) => output("sh", ["-c", `command -v ${name}`])));
    const programs = names.map((name, index) => [name, paths[index]?.trim() ?? ""] as const);
    for (const [name, path] of programs) if (path.startsWith("/")) await symlink(path, join(tools, name));
    await symlink("/usr/bin/test", join(tools, "test")).catch(() => undefined);
    await rename(join(bin, "docker"), join(bin, "docker-to-come"));
    await mkdir(join(ownBench().tool, "scripts"));
    const script = `[ "$1" = --dry-run ] && echo "it would bring docker" >&2 || mv "${bin}/docker-to-come" "${bin}/docker"`;
    await writeFile(join(ownBench().tool, "scripts/install-docker.sh"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return `${bin}:${tools}`;
  }

  it.runIf(process.getuid?.() === 0)("offers to install it, does so by --yes alone, and looks again", async () => {
    const PATH = await pathWithoutDocker();
    await ownBench().write("deploy.config.yaml", "version: 1\nproject: scripted\ncompose: { images: local }\n");
    await ownBench().script(...engine());
    const asked = await ownBench().deployWith({ PATH }, "doctor", "--fix");
    expect(asked.exitCode).toBe(3);
    expect(asked.stderr).toContain("it would bring docker");
    expect(asked.stderr).toContain("not mended: install-docker; run ");
    expect(asked.stdout).toContain("error D040");
    const done = await ownBench().deployWith({ PATH }, "doctor", "--fix", "--yes", "--timeout", "120");
    expect(`${done.exitCode} ${done.stdout}`).toMatch(/^0 mended {2}install Docker Engine, Compose and buildx\nok /);
  });
});

describe("doctor CODE", () => {
  it("explains a code in the words of the page on troubleshooting, and asks nobody", async () => {
    const { exitCode, stdout } = await workbench().deploy("doctor", "d047");
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^D047 {2}A port that the stack publishes is in use.\n\nThe message names who holds/);
    expect(await workbench().calls()).toEqual([]);
    const { stdout: json } = await workbench().deploy("doctor", "D063", "--json");
    expect(JSON.parse(json)).toMatchObject({ code: "D063", exit: 4, advice: expect.stringContaining("--lock-wait") });
  });

  it("that does not exist is an error with those near it", async () => {
    const { exitCode, stderr } = await workbench().deploy("doctor", "D049x");
    expect(exitCode).toBe(2);
    expect(stderr).toContain("error D001 there is no finding code D049x");
    expect(stderr).toContain("those near it: D040, D041");
  });
});

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
