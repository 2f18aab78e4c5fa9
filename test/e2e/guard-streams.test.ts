import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { openRaw } from "../guard/support/raw-connection.ts";
import { type BundledProgram, bundleProgram, type ProgramRun } from "../support/bundled-program.ts";
import { command, eventually, output } from "../support/command.ts";

const engine = "/var/run/docker.sock";
const image = "sandbox-deploy/test-busybox:1";
const run = randomBytes(3).toString("hex");
const label = `sandbox-deploy.test=${run}`;

let program: BundledProgram;
let folder = "";
let guard: ProgramRun;
const socket = () => join(folder, "docker.sock");

beforeAll(async () => {
  program = await bundleProgram("guard", "src/guard/main.ts");
  folder = await mkdtemp(join(tmpdir(), "guard-streams-"));
  await writeFile(
    join(folder, "policy.yaml"),
    [
      `owner: streams-${run}`,
      `images: ["${image}"]`,
      `names: 'streams-${run}-[a-z]+'`,
      "network: none",
      "labels: ['sandbox-deploy\\.test']",
      "sandboxes: { alive: 10, createsPerMinute: 1000 }",
      "connections: 32",
      "operations: { exec: true, attach: true, events: true }",
      "",
    ].join("\n"),
  );
  guard = await startGuard();
});
afterEach(removeContainers);
afterAll(async () => {
  guard.child.kill("SIGKILL");
  await guard.exitCode;
  await program.remove();
  await rm(folder, { recursive: true, force: true });
});

async function startGuard(): Promise<ProgramRun> {
  const args = ["serve", "--policy", join(folder, "policy.yaml"), "--listen", `unix:${socket()}`];
  const started = program.run([...args, "--upstream", `unix:${engine}`, "--audit", join(folder, "audit.jsonl")]);
  await eventually(async () => expect(started.stderr()).toContain("listening on"));
  return started;
}

async function removeContainers(): Promise<void> {
  const ids = (await output("docker", ["ps", "--all", "--quiet", "--filter", `label=${label}`])).split("\n");
  const left = ids.filter((id) => id !== "");
  if (left.length > 0) await output("docker", ["rm", "--force", ...left]);
}

const through = () => ({ DOCKER_HOST: `unix://${socket()}` });
const docker = (...args: string[]) => output("docker", args, { env: through() });
const name = (last: string) => `streams-${run}-${last}`;
const create = (last: string, ...more: string[]) => ["--name", name(last), "--label", label, ...more];

/** A sandbox that lives until it is removed. */
async function startSandbox(last: string): Promise<string> {
  await docker("run", "--detach", ...create(last), image, "sleep", "600");
  return name(last);
}

interface Ended {
  readonly exitCode: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Runs the docker CLI through the guard with bytes for its input; the client's connection is half-closed behind them. */
async function pipeThrough(input: Uint8Array, ...args: string[]): Promise<Ended> {
  const child = spawn("docker", args, { env: { ...process.env, ...through() } });
  const chunks: Buffer[] = [];
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  // A program that ends early, by what it was meant to do, does not read all.
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const [exitCode] = await once(child, "close");
  return { exitCode: typeof exitCode === "number" ? exitCode : null, stdout: Buffer.concat(chunks), stderr };
}

/** Starts a command through the guard and leaves it to the test. */
function begin(...args: string[]) {
  const child = spawn("docker", args, { env: { ...process.env, ...through() }, stdio: ["pipe", "pipe", "inherit"] });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  return { child, text: () => text, ended: once(child, "close") };
}

/** Sockets that the guard's process has open now: the one it listens on, and for every stream one on each side. */
async function openSockets(): Promise<number> {
  const fds = `/proc/${guard.child.pid}/fd`;
  // The first three are standard input and output, which Node makes of sockets too.
  const numbers = (await readdir(fds)).filter((fd) => Number(fd) > 2);
  const links = await Promise.all(numbers.map((fd) => readlink(join(fds, fd)).catch(() => "")));
  return links.filter((link) => link.startsWith("socket:")).length;
}

async function audit(): Promise<Record<string, unknown>[]> {
  const text = await readFile(join(folder, "audit.jsonl"), "utf8");
  return text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

/** A request of the API through the guard. */
async function api(method: string, path: string, body?: unknown): Promise<{ status: number; json: unknown }> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const headers = text === undefined ? {} : { "Content-Type": "application/json", "Content-Length": text.length };
  const sent = request({ socketPath: socket(), agent: false, method, path, headers });
  sent.end(text);
  const [answer] = await once(sent, "response");
  let answered = "";
  for await (const chunk of answer) answered += chunk;
  return { status: answer.statusCode, json: answered === "" ? undefined : JSON.parse(answered) };
}

const sha = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const twentyMegabytes = randomBytes(20_000_000);

describe("streams through the guard on a real engine", () => {
  it("carry 20 MB into a sandbox and back by attach, to the byte, and end when the input does", async () => {
    const args = ["run", "--rm", "--interactive", ...create("attach"), image, "cat"];
    const { exitCode, stdout } = await pipeThrough(twentyMegabytes, ...args);
    expect([exitCode, sha(stdout)]).toEqual([0, sha(twentyMegabytes)]);
  });

  it("carry 20 MB into a sandbox and back by exec, to the byte, and end when the input does", async () => {
    const box = await startSandbox("exec");
    const { exitCode, stdout } = await pipeThrough(twentyMegabytes, "exec", "--interactive", box, "cat");
    expect([exitCode, sha(stdout)]).toEqual([0, sha(twentyMegabytes)]);
    const there = await pipeThrough(twentyMegabytes, "exec", "--interactive", box, "sha256sum");
    expect(there.stdout.toString()).toBe(`${sha(twentyMegabytes)}  -\n`);
  });

  it("keep standard output and standard error apart, and the exit code", async () => {
    const box = await startSandbox("apart");
    const { exitCode, stdout, stderr } = await pipeThrough(
      Buffer.alloc(0),
      ...["exec", box, "sh", "-c", "echo out; echo err >&2; exit 7"],
    );
    expect({ exitCode, stdout: stdout.toString(), stderr }).toEqual({ exitCode: 7, stdout: "out\n", stderr: "err\n" });
  });

  it("follow a log as it is written, and end with the sandbox", async () => {
    await docker("run", "--detach", ...create("log"), image, "sh", "-c", "echo one; read x; echo two");
    const following = begin("logs", "--follow", name("log"));
    await eventually(async () => expect(following.text()).toContain("one\n"));
    await docker("stop", "--time", "0", name("log"));
    const [exitCode] = await following.ended;
    expect([exitCode, following.text()]).toEqual([0, "one\ntwo\n"]);
  });

  it("give the same log as the engine itself, to the byte", async () => {
    const script = "i=0; while [ $i -lt 2000 ]; do echo line $i; echo other $i >&2; i=$((i+1)); done";
    await docker("run", ...create("logged"), image, "sh", "-c", script);
    const [own, engines] = [
      await command("docker", ["logs", name("logged")], { env: through() }),
      await command("docker", ["logs", name("logged")]),
    ];
    expect(own.stdout.length).toBeGreaterThan(10_000);
    expect(own).toEqual(engines);
  });

  it("wait for a sandbox, before it has started and after it has ended", async () => {
    const { exitCode } = await pipeThrough(
      Buffer.alloc(0),
      "run",
      "--rm",
      ...create("waited"),
      image,
      "sh",
      "-c",
      "exit 7",
    );
    expect(exitCode).toBe(7);
    await docker("create", ...create("later"), image, "sh", "-c", "exit 9");
    const waiting = begin("wait", name("later"));
    await eventually(async () =>
      expect(await audit()).toContainEqual(
        expect.objectContaining({ event: "begin", route: "container.wait", container: name("later") }),
      ),
    );
    await docker("start", name("later"));
    const ended = await pipeThrough(Buffer.alloc(0), "wait", name("later"));
    expect(ended.stdout.toString()).toBe("9\n");
    waiting.child.kill();
    await waiting.ended;
  });

  it("resize the terminal of an exec while it runs", async () => {
    const box = await startSandbox("resize");
    const script = 'until [ "$(stty size)" = "40 120" ]; do sleep 0.1; done; echo resized';
    const made = await api("POST", `/containers/${box}/exec`, {
      ...{ AttachStdin: true, AttachStdout: true, Tty: true, Cmd: ["sh", "-c", script] },
    });
    expect(made.status).toBe(201);
    const { Id: id } = Object(made.json);
    const client = await openRaw(socket());
    const body = '{"Detach":false,"Tty":true}';
    client.socket.write(
      `POST /exec/${id}/start HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n` +
        `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    expect(await client.until("\r\n\r\n")).toMatch(/^HTTP\/1\.1 101 UPGRADED\r\n/);
    await eventually(async () => expect((await api("POST", `/exec/${id}/resize?h=40&w=120`)).status).toBeLessThan(300));
    await client.until("resized");
    await client.closed;
    client.socket.destroy();
  });

  it("tell of the events of its own sandboxes, and of nobody else's", async () => {
    const following = begin("events", "--format", "{{.Actor.Attributes.name}} {{.Action}}");
    await eventually(async () =>
      expect(await audit()).toContainEqual(expect.objectContaining({ event: "begin", route: "event.stream" })),
    );
    await output("docker", ["run", "--rm", "--name", `foreign-${run}`, "--label", label, image, "true"]);
    await docker("run", "--rm", ...create("event"), image, "true");
    await eventually(async () => expect(following.text()).toContain(`${name("event")} destroy`));
    expect(following.text()).not.toContain("foreign");
    following.child.kill();
    await following.ended;
  });
});

describe("what a killed client leaves behind", () => {
  it.each([
    ["logs --follow", (box: string) => ["logs", "--follow", box]],
    ["wait", (box: string) => ["wait", box]],
    ["attach", (box: string) => ["attach", "--no-stdin", box]],
    ["attach with its input", (box: string) => ["attach", box]],
    ["exec", (box: string) => ["exec", box, "sleep", "600"]],
    ["exec with its input", (box: string) => ["exec", "--interactive", box, "sleep", "600"]],
    ["exec that writes all the time", (box: string) => ["exec", box, "yes"]],
    ["events", () => ["events"]],
  ])("is nothing: %s", async (_, args) => {
    await docker("run", "--detach", "--interactive", ...create("killed"), image, "sleep", "600");
    await eventually(async () => expect(await openSockets()).toBe(1));
    const { child, ended } = begin(...args(name("killed")));
    // One connection on each side at least.
    await eventually(async () => expect(await openSockets()).toBeGreaterThanOrEqual(3));
    child.kill("SIGKILL");
    await ended;
    await eventually(async () => expect(await openSockets()).toBe(1));
    expect((await docker("inspect", "--format", "{{.State.Running}}", name("killed"))).trim()).toBe("true");
  });
});

describe("a guard that is killed", () => {
  it("takes no sandbox with it, and judges each again when it is back", async () => {
    const box = await startSandbox("survivor");
    const { child, ended } = begin("logs", "--follow", box);
    await eventually(async () => expect(await openSockets()).toBeGreaterThanOrEqual(3));
    guard.child.kill("SIGKILL");
    await guard.exitCode;
    await ended;
    expect(child.exitCode).not.toBe(0);
    expect((await command("docker", ["ps"], { env: through() })).exitCode).not.toBe(0);
    expect((await output("docker", ["inspect", "--format", "{{.State.Running}}", box])).trim()).toBe("true");

    guard = await startGuard();
    const id = (await output("docker", ["inspect", "--format", "{{.Id}}", box])).trim();
    const notes = (await audit()).filter(({ event, container }) => event === "note" && container === id);
    expect(notes).toMatchObject([{ decision: "allow", rule: "container.within-policy" }]);
    expect((await pipeThrough(Buffer.alloc(0), "exec", box, "echo", "alive")).stdout.toString()).toBe("alive\n");
    await docker("rm", "--force", box);
  });

  it("under a narrower policy refuses to enter what it would no longer make, and says so when it starts", async () => {
    const box = await startSandbox("wide");
    guard.child.kill("SIGTERM");
    expect(await guard.exitCode).toBe(0);
    const path = join(folder, "policy.yaml");
    const policy = await readFile(path, "utf8");
    await writeFile(path, `${policy}limits: { memory: 64m }\n`);
    guard = await startGuard();
    const id = (await output("docker", ["inspect", "--format", "{{.Id}}", box])).trim();
    const notes = (await audit()).filter(({ event, container }) => event === "note" && container === id);
    expect(notes).toMatchObject([{ decision: "deny", rule: "container.beyond-policy" }]);
    const refused = await pipeThrough(Buffer.alloc(0), "exec", box, "echo", "no");
    expect(refused.stderr).toContain("(rule container.beyond-policy)");
    // It can still be ended and removed.
    await docker("rm", "--force", box);
    await writeFile(path, policy);
  });
});
