import { mkdtemp, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type BundledProgram, bundleProgram, type ProgramRun } from "../support/bundled-program.ts";
import { eventually } from "../support/command.ts";
import { exchangeRaw } from "./support/raw-connection.ts";
import { type RecordingDaemon, startRecordingDaemon } from "./support/recording-daemon.ts";

let program: BundledProgram;
let daemon: RecordingDaemon;
let folder = "";
const running: ProgramRun[] = [];

beforeAll(async () => {
  program = await bundleProgram("guard", "src/guard/main.ts");
});
afterAll(() => program.remove());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "guard-program-test-"));
  daemon = await startRecordingDaemon({ images: { "team/box:1": `sha256:${"1".repeat(64)}` } });
  await writeFile(at("policy.yaml"), policy);
});
afterEach(async () => {
  for (const each of running.splice(0)) {
    each.child.kill("SIGKILL");
    await each.exitCode;
  }
  await daemon.close();
  await rm(folder, { recursive: true, force: true });
});

const at = (name: string) => join(folder, name);
const policy = [
  ...["owner: me", "images: [team/box:1]", "names: 'box-[a-z]+'", "network: none"],
  ...["sandboxes: { alive: 3, createsPerMinute: 10 }", "connections: 10", ""],
].join("\n");
const get = (target: string) => `GET ${target} HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n`;

function run(...args: string[]): ProgramRun {
  const started = program.run(args);
  running.push(started);
  return started;
}

async function end(...args: string[]): Promise<{ exitCode: number | null; stdout: string; stderr: string }> {
  const started = run(...args);
  const exitCode = await started.exitCode;
  return { exitCode, stdout: started.stdout(), stderr: started.stderr() };
}

const serveArguments = (audit: string) => [
  ...["serve", "--policy", at("policy.yaml"), "--listen", `unix:${at("docker.sock")}`],
  ...["--upstream", `unix:${daemon.socketPath}`, "--audit", audit],
];

async function serve(audit = at("audit.jsonl"), ...more: string[]): Promise<ProgramRun> {
  const started = run(...serveArguments(audit), ...more);
  await eventually(() => expect(started.stderr()).toContain("listening on"));
  return started;
}

const isThere = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

describe("the program", () => {
  test("is made of the guard's own files and two packages", () => {
    const foreign = program.inputs.filter((path) => !/^(?:src\/guard|node_modules\/(?:zod|yaml))\//.test(path));
    expect(foreign).toEqual([]);
  });

  test("says how it is used", async () => {
    const { exitCode, stdout } = await end("--help");
    expect(exitCode).toBe(0);
    for (const command of ["serve", "log", "check", "policy", "status", "healthcheck"])
      expect(stdout).toContain(command);
  });

  test.each([
    [[], "guard: a command is missing; see guard --help\n"],
    [["build"], 'guard: there is no command "build"; see guard --help\n'],
    [
      ["serve", "--listen", "tcp://0.0.0.0:2375"],
      'guard: --listen takes unix:PATH, and not "tcp://0.0.0.0:2375"; see guard --help\n',
    ],
    [
      ["serve", "--upstream", "/var/run/docker.sock"],
      'guard: --upstream takes unix:PATH, and not "/var/run/docker.sock"; see guard --help\n',
    ],
    [["serve", "--audit-files", "0"], "guard: --audit-files takes a number above 0, and not 0; see guard --help\n"],
    [["serve", "--nonsense"], "guard: Unknown option '--nonsense'; see guard --help\n"],
    [["log", "a", "b"], "guard: only one FILE is taken, and there is also b; see guard --help\n"],
    [["check"], "guard: check needs the file of a request; see guard --help\n"],
  ])("says in one sentence what is wrong with %j", async (args, stderr) => {
    expect(await end(...args)).toEqual({ exitCode: 2, stdout: "", stderr });
  });
});

describe("serve", () => {
  test("lets through what the policy names, from one socket to the other, and ends on SIGTERM without a trace", async () => {
    const started = await serve();
    expect((await stat(at("docker.sock"))).mode & 0o777).toBe(0o660);
    expect(await exchangeRaw(at("docker.sock"), get("/_ping"))).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*OK$/);
    expect(await exchangeRaw(at("docker.sock"), get("/networks"))).toContain("(rule route.unknown)");
    expect(daemon.forwarded().map(({ target }) => target)).toEqual(["/v1.41/_ping"]);
    started.child.kill("SIGTERM");
    expect(await started.exitCode).toBe(0);
    expect(await isThere(at("docker.sock"))).toBe(false);
    expect(JSON.parse(await readFile(at("status.json"), "utf8"))).toMatchObject({
      state: "stopped",
      allowed: 1,
      denied: 1,
    });
    const lines = (await readFile(at("audit.jsonl"), "utf8")).trim().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { event: "note", rule: "guard.start" },
      { event: "done", decision: "allow", target: "/_ping" },
      { event: "done", decision: "deny", target: "/networks", rule: "route.unknown" },
    ]);
  });

  test("takes the place of one that was killed", async () => {
    const first = await serve();
    first.child.kill("SIGKILL");
    await first.exitCode;
    expect(await isThere(at("docker.sock"))).toBe(true);
    await serve();
    expect(await exchangeRaw(at("docker.sock"), get("/_ping"))).toMatch(/OK$/);
  });

  test("does not take the place of one that lives", async () => {
    await serve();
    const second = await end(...serveArguments(at("audit.jsonl")));
    expect(second).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("is another guard running?") });
    expect(await exchangeRaw(at("docker.sock"), get("/_ping"))).toMatch(/OK$/);
  });

  test("writes the audit, and nothing else, to standard output if asked to", async () => {
    const started = await serve("-");
    await exchangeRaw(at("docker.sock"), get("/_ping"));
    await eventually(() => expect(started.stdout().trim().split("\n")).toHaveLength(2));
    for (const line of started.stdout().trim().split("\n")) expect(JSON.parse(line)).toHaveProperty("policy");
  });

  test("keeps its audit within the size that it was given", async () => {
    await serve(at("audit.jsonl"), "--audit-bytes", "2000", "--audit-files", "2");
    for (let index = 0; index < 30; index += 1) await exchangeRaw(at("docker.sock"), get(`/nothing/${index}`));
    expect((await stat(at("audit.jsonl"))).size).toBeLessThanOrEqual(2000);
    expect(await isThere(at("audit.jsonl.1"))).toBe(true);
    expect(await isThere(at("audit.jsonl.2"))).toBe(false);
  });

  test.each([
    ["a policy that is not there", "absent.yaml", undefined, 2, "ENOENT"],
    ["a policy that is wrong", "wrong.yaml", "owner: me\nimagse: []\n", 2, "wrong.yaml:2:1 error"],
  ])("does not start with %s", async (_, name, text, exitCode, message) => {
    if (text !== undefined) await writeFile(at(name), text);
    const args = serveArguments(at("audit.jsonl")).map((each) => (each === at("policy.yaml") ? at(name) : each));
    const ended = await end(...args);
    expect(ended).toMatchObject({ exitCode, stderr: expect.stringContaining(message) });
    expect(await isThere(at("docker.sock"))).toBe(false);
  });

  test("does not start without an engine", async () => {
    await daemon.close();
    expect(await end(...serveArguments(at("audit.jsonl")))).toMatchObject({
      exitCode: 1,
      stderr: `guard: the Docker engine cannot be reached (ENOENT) (rule engine.unreachable): see whether it runs behind unix:${daemon.socketPath}, and whether this user may use that socket\n`,
    });
    expect(await isThere(at("docker.sock"))).toBe(false);
    daemon = await startRecordingDaemon();
  });

  test.each(["/dev/full", "/proc/audit.jsonl"])(
    "does not start when the audit cannot be written (%s)",
    async (path) => {
      const ended = await end(...serveArguments(path), "--status", at("status.json"));
      expect(ended).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("the audit cannot be written") });
      expect(ended.stderr).toContain(`see ${path === "/dev/full" ? path : "/proc"}\n`);
      expect(await isThere(at("docker.sock"))).toBe(false);
    },
  );

  test("takes owner and images from the environment where the policy leaves them out", async () => {
    await writeFile(at("policy.yaml"), policy.replace("owner: me\nimages: [team/box:1]\n", ""));
    const started = program.run(serveArguments(at("audit.jsonl")), {
      GUARD_OWNER: "stack",
      GUARD_IMAGES: "team/box:1",
    });
    running.push(started);
    await eventually(() => expect(started.stderr()).toContain("pinned images: 1"));
    await eventually(async () =>
      expect(JSON.parse(await readFile(at("status.json"), "utf8"))).toMatchObject({ owner: "stack" }),
    );
  });

  test("says which image is missing, and pins it when it comes", async () => {
    await daemon.close();
    daemon = await startRecordingDaemon();
    const started = await serve();
    expect(started.stderr()).toContain("the image team/box:1 is not there yet");
    const create =
      "POST /containers/create?name=box-a HTTP/1.1\r\nHost: docker\r\nConnection: close\r\nContent-Type: application/json\r\n";
    const body = '{"Image":"team/box:1"}';
    const bytes = `${create}Content-Length: ${body.length}\r\n\r\n${body}`;
    expect(await exchangeRaw(at("docker.sock"), bytes)).toMatch(/^HTTP\/1\.1 404 [\s\S]*No such image: team\/box:1/);
    daemon.answer(({ target }) =>
      target.includes("/images/") ? { status: 200, body: { Id: `sha256:${"1".repeat(64)}` } } : undefined,
    );
    expect(await exchangeRaw(at("docker.sock"), bytes)).toMatch(/^HTTP\/1\.1 201 /);
  });
});

describe("healthcheck", () => {
  test("is 0 for a guard that can work, and 1 with the reason for any other", async () => {
    const listen = ["healthcheck", "--listen", `unix:${at("docker.sock")}`];
    expect(await end(...listen)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("no guard answers on") });
    await serve();
    expect(await end(...listen)).toEqual({ exitCode: 0, stdout: "", stderr: "" });
    daemon.answer(() => ({ status: 500 }));
    expect(await end(...listen)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("status 500") });
  });
});

describe("status", () => {
  const ask = (...more: string[]) =>
    end("status", "--status", at("status.json"), "--upstream", `unix:${daemon.socketPath}`, ...more);

  test("shows sandboxes against the limit, denials and since when, and 1 when the guard is gone", async () => {
    expect(await ask()).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("no guard has written") });
    const started = await serve();
    await exchangeRaw(at("docker.sock"), get("/networks"));
    await exchangeRaw(at("docker.sock"), get("/containers/postgres/json"));
    await eventually(async () => {
      const { exitCode, stdout } = await ask();
      expect(exitCode).toBe(0);
      expect(stdout).toContain("guard        works, since ");
      expect(stdout).toContain("sandboxes    0 of 3, 0 of 10 created in the last minute");
      expect(stdout).toMatch(/denied {7}1, last \S+ by route.unknown/);
      expect(stdout).toContain("absent       1 requests");
    });
    expect(JSON.parse((await ask("--json")).stdout)).toMatchObject({
      version: 1,
      alive: 0,
      denied: 1,
      state: "running",
    });
    started.child.kill("SIGKILL");
    await started.exitCode;
    expect(await ask()).toMatchObject({
      exitCode: 1,
      stdout: expect.stringContaining("does not work: no guard answers"),
    });
  });
});

describe("log", () => {
  const line = (id: number, decision = "allow") =>
    `${JSON.stringify({ time: "2026-01-02T03:04:05.678Z", id: String(id), event: "done", decision, rule: `rule-${id}`, policy: "" })}\n`;

  test("shows all that is kept, oldest first", async () => {
    await writeFile(at("audit.jsonl.1"), line(2));
    await writeFile(at("audit.jsonl.2"), line(1));
    await writeFile(at("audit.jsonl"), line(3) + line(4, "deny"));
    const { stdout } = await end("log", at("audit.jsonl"));
    expect(stdout.match(/rule-\d/g)).toEqual(["rule-1", "rule-2", "rule-3", "rule-4"]);
    expect((await end("log", "--denied", at("audit.jsonl"))).stdout.match(/rule-\d/g)).toEqual(["rule-4"]);
  });

  test("follows the file over a rotation, without missing a line or showing one twice", async () => {
    await writeFile(at("audit.jsonl"), line(1));
    const started = run("log", "--follow", at("audit.jsonl"));
    await eventually(() => expect(started.stdout()).toContain("rule-1"));
    await writeFile(at("audit.jsonl"), line(1) + line(2) + line(3).slice(0, 20));
    await eventually(() => expect(started.stdout()).toContain("rule-2"));
    await writeFile(at("audit.jsonl"), line(1) + line(2) + line(3));
    await rename(at("audit.jsonl"), at("audit.jsonl.1"));
    await writeFile(at("audit.jsonl"), line(4));
    await eventually(() => expect(started.stdout()).toContain("rule-4"));
    expect(started.stdout().match(/rule-\d/g)).toEqual(["rule-1", "rule-2", "rule-3", "rule-4"]);
    started.child.kill("SIGINT");
    expect(await started.exitCode).toBe(0);
  });

  test("says clearly that there is no such file", async () => {
    expect(await end("log", at("none"))).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("ENOENT") });
  });
});

describe("check", () => {
  const check = async (request: unknown, ...more: string[]) => {
    await writeFile(at("request.json"), typeof request === "string" ? request : JSON.stringify(request));
    return end("check", "--policy", at("policy.yaml"), at("request.json"), ...more);
  };
  const create = (body: unknown) => ({ method: "POST", target: "/containers/create?name=box-a", body });

  test("shows what would be sent, and what was changed and asked, by the engine that is there", async () => {
    const { exitCode, stdout } = await check(
      create({ Image: "team/box:1" }),
      "--upstream",
      `unix:${daemon.socketPath}`,
    );
    expect(stdout).toContain("allowed by create.allowed");
    expect(stdout).toContain("sent       POST /v1.41/containers/create?name=box-a");
    expect(stdout).toContain('"sandbox-deploy.guard": "me"');
    expect(stdout).toContain("asked      how many sandboxes there are");
    expect(stdout).toContain("changed    HostConfig.PidsLimit");
    expect(exitCode).toBe(0);
    expect(daemon.forwarded()).toEqual([]);
  });

  test("needs no engine where a file says what there is", async () => {
    await writeFile(at("facts.json"), JSON.stringify({ images: { "team/box:1": `sha256:${"1".repeat(64)}` } }));
    const { exitCode, stdout } = await check(create({ Image: "team/box:1" }), "--facts", at("facts.json"));
    expect(stdout).toContain("allowed by create.allowed");
    expect(exitCode).toBe(0);
  });

  test("says by which rule something is refused, also where the body is no serialiser's", async () => {
    const body = '{"Image":"team/box:1","HostConfig":{"Privileged":true},"hostconfig":{}}';
    const { exitCode, stdout } = await check(create(body));
    expect(stdout).toMatch(/^refused by json.duplicate-key, with status 400\n/);
    expect(exitCode).toBe(3);
  });

  test.each(["{", '{"method":"GET"}', '{"method":"GET","target":"/","more":1}'])(
    "says what is wrong with the file of a request (%s)",
    async (text) => {
      const { exitCode, stderr } = await check(text);
      expect(exitCode).toBe(2);
      expect(stderr).toContain("request.json: ");
    },
  );
});

describe("policy", () => {
  test("shows the policy in force, which is a policy file with the same meaning", async () => {
    const first = await end("policy", "--policy", at("policy.yaml"));
    expect(first.exitCode).toBe(0);
    expect(first.stdout).toMatch(/^# sha256 [0-9a-f]{64}\n/);
    await writeFile(at("again.yaml"), first.stdout);
    const second = await end("policy", "--policy", at("again.yaml"));
    expect(second.stdout).toBe(first.stdout);
  });
});

describe("judge", () => {
  const box = { Memory: 536870912, MemorySwap: 536870912, NanoCpus: 1e9, PidsLimit: 256, ShmSize: 67108864 };
  const made = {
    ...{ ...box, NetworkMode: "none", ReadonlyRootfs: true, CapDrop: ["ALL"], SecurityOpt: ["no-new-privileges"] },
    ...{ IpcMode: "private", CgroupnsMode: "private", RestartPolicy: { Name: "no" } },
    LogConfig: { Type: "json-file", Config: { "max-size": "10m", "max-file": "3" } },
    ...{ MaskedPaths: ["/proc/kcore"], ReadonlyPaths: ["/proc/sys"] },
  };
  const inspected = (id: string, host: Record<string, unknown> = {}, image = "team/box:1") => ({
    ...{ Id: id.repeat(64), Name: `/box-${id}`, Image: `sha256:${"9".repeat(64)}`, State: { Running: true } },
    ...{ Config: { Image: image, Labels: {} }, HostConfig: { ...made, ...host } },
    NetworkSettings: { Networks: { none: {} } },
  });

  test("names the containers that have more than the policy gives, whose they are does not count, nor of which build while nobody says what was pinned", async () => {
    await daemon.close();
    daemon = await startRecordingDaemon({
      images: { "team/box:1": `sha256:${"1".repeat(64)}` },
      containers: {
        a: inspected("a"),
        b: inspected("b", { ReadonlyRootfs: false }),
        c: inspected("c", { Privileged: true }),
        d: inspected("d", {}, "other:1"),
      },
    });
    const upstream = ["--upstream", `unix:${daemon.socketPath}`];
    const { exitCode, stdout } = await end("judge", "--policy", at("policy.yaml"), ...upstream, ..."abcde");
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      version: 1,
      beyond: [
        { container: "b", rule: "container.beyond-policy", what: "HostConfig.ReadonlyRootfs: false -> true" },
        { container: "c", rule: "host-config.privileged" },
        { container: "d", rule: "image.not-allowed" },
      ],
    });
    expect(daemon.forwarded()).toEqual([]);
  });

  test("takes an image for what was pinned and for nothing else that has its name, as far as it is told what was", async () => {
    await daemon.close();
    daemon = await startRecordingDaemon({
      images: { "team/box:1": `sha256:${"1".repeat(64)}` },
      containers: { a: inspected("a"), b: inspected("b", {}, "docker.io/team/box:1") },
    });
    const [own, other] = [`sha256:${"9".repeat(64)}`, `sha256:${"8".repeat(64)}`];
    const words = ["judge", "--policy", at("policy.yaml"), "--upstream", `unix:${daemon.socketPath}`];
    const judged = async (pinned: unknown) => {
      const { stdout } = await end(...words, "--pinned", JSON.stringify(pinned), "a", "b");
      return JSON.parse(stdout).beyond.map(({ container, rule }: Record<string, string>) => `${container} ${rule}`);
    };
    expect(await judged({ "team/box:1": [other, own] })).toEqual([]);
    expect(await judged({ "team/box:1": [other] })).toEqual(["a image.retagged", "b image.retagged"]);
    expect(await judged({ constructor: [other] })).toEqual([]);
    for (const wrong of ["no JSON", '{"team/box:1": "sha256:9"}'])
      expect(await end(...words, "--pinned", wrong, "a")).toMatchObject({
        ...{ exitCode: 1, stdout: "" },
        stderr: expect.stringContaining("--pinned takes lists of ids"),
      });
  });

  test("fails where no engine answers, so that nobody takes that for nothing found", async () => {
    const ended = await end("judge", "--policy", at("policy.yaml"), "--upstream", `unix:${at("none.sock")}`, "a");
    expect(ended).toMatchObject({ exitCode: 1, stdout: "", stderr: expect.stringContaining("cannot be reached") });
  });
});
