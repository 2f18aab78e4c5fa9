// Measures the guard against the socket behind it, and against HAProxy with rules on method and path, in one run, and prints
// a table. Everything is made under names of its own and removed again.
//
// usage: node scripts/bench-guard.mjs [--report-only] [--image IMAGE]    --report-only: do not fail when a bound is missed
//                                     IMAGE: one with sleep, head and true; it has to be on the engine already
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    "report-only": { type: "boolean", default: false },
    image: { type: "string", default: "sandbox-deploy/sandbox:0.1.0-local" },
  },
});
const engine = (process.env["DOCKER_HOST"] ?? "unix:///var/run/docker.sock").replace(/^unix:\/\//, "");
const work = mkdtempSync(join(tmpdir(), "bench-guard-"));
chmodSync(work, 0o755);
const owner = `bench-${randomBytes(3).toString("hex")}`;
const sockets = {
  raw: engine,
  guard: join(work, "guard.sock"),
  flooded: join(work, "flooded.sock"),
  haproxy: join(work, "haproxy.sock"),
};

const policy = `owner: ${owner}
images: ["${values.image}"]
names: "${owner}-[0-9a-z]+"
network: none
sandboxes: { alive: 50, createsPerMinute: 6000 }
connections: 200
operations: { exec: true }
`;

// What the usual socket proxies do: method and first part of the path.
const haproxyRules = `global
  maxconn 400
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend clients
  bind unix@${sockets.haproxy}
  http-request deny unless METH_GET || { path_reg ^(/v[\\d\\.]+)?/(containers|exec)/ }
  http-request allow if { path_reg ^(/v[\\d\\.]+)?/_ping }
  http-request allow if { path_reg ^(/v[\\d\\.]+)?/version }
  http-request allow if { path_reg ^(/v[\\d\\.]+)?/containers }
  http-request deny
  default_backend engine
backend engine
  server engine unix@${engine}
`;

const children = [];

function start(program, args) {
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (chunk) => {
    said = `${said}${chunk}`.slice(-2000);
  });
  child.on("exit", (code, signal) => {
    if (!child.expected) {
      console.error(`bench: ${program} ended early (${code ?? signal}): ${said}`);
      process.exitCode = 1;
    }
  });
  children.push(child);
  return child;
}

async function answering(socketPath) {
  for (let attempt = 0; ; attempt += 1) {
    const answer = await send(socketPath, "GET", "/_ping").catch(() => undefined);
    if (answer?.status === 200) return;
    if (attempt === 200) throw new Error(`nothing answers at ${socketPath}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function send(socketPath, method, path, body) {
  const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
  const headers = payload ? { "content-type": "application/json", "content-length": payload.length } : {};
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, method, path, agent: false, headers }, (answer) => {
      const chunks = [];
      answer.on("data", (chunk) => chunks.push(chunk));
      answer.on("end", () => resolve({ status: answer.statusCode, text: Buffer.concat(chunks).toString() }));
      answer.on("error", reject);
    });
    sent.on("error", reject);
    sent.end(payload);
  });
}

async function expectStatus(status, ...args) {
  const answer = await send(...args);
  if (answer.status !== status) throw new Error(`${args[1]} ${args[2]}: ${answer.status} ${answer.text}`);
  return answer.text === "" ? undefined : JSON.parse(answer.text);
}

let made = 0;
const api = "/v1.41";

async function create(socketPath, command) {
  made += 1;
  const { Id } = await expectStatus(201, socketPath, "POST", `${api}/containers/create?name=${owner}-${made}`, {
    Image: values.image,
    Cmd: command,
    // The guard sets it by itself, and takes it from nobody.
    ...(socketPath === engine ? { Labels: { "sandbox-deploy.guard": owner } } : {}),
    HostConfig: { NetworkMode: "none" },
  });
  return Id;
}

async function oneLife(socketPath) {
  const id = await create(socketPath, ["true"]);
  await expectStatus(204, socketPath, "POST", `${api}/containers/${id}/start`);
  await expectStatus(200, socketPath, "POST", `${api}/containers/${id}/wait`);
  await expectStatus(204, socketPath, "DELETE", `${api}/containers/${id}?force=1&v=1`);
}

/** Megabytes that an exec writes to its hijacked connection in one second. */
async function throughput(socketPath, container, megabytes) {
  const { Id } = await expectStatus(201, socketPath, "POST", `${api}/containers/${container}/exec`, {
    AttachStdout: true,
    Cmd: ["head", "-c", String(megabytes * 1e6), "/dev/zero"],
  });
  const began = performance.now();
  const bytes = await new Promise((resolve, reject) => {
    const sent = request({
      socketPath,
      method: "POST",
      path: `${api}/exec/${Id}/start`,
      agent: false,
      headers: { connection: "Upgrade", upgrade: "tcp", "content-type": "application/json" },
    });
    sent.on("error", reject);
    sent.on("response", (answer) => reject(new Error(`exec was not upgraded: ${answer.statusCode}`)));
    sent.on("upgrade", (_answer, socket, head) => {
      let count = head.length;
      socket.on("data", (chunk) => {
        count += chunk.length;
      });
      socket.on("end", () => resolve(count));
      socket.on("error", reject);
    });
    sent.end(JSON.stringify({ Detach: false, Tty: false }));
  });
  if (bytes < megabytes * 1e6) throw new Error(`only ${bytes} bytes of ${megabytes} MB arrived`);
  return bytes / 1e6 / ((performance.now() - began) / 1000);
}

async function timed(run) {
  const began = performance.now();
  await run();
  return performance.now() - began;
}

/** Takes turns, so that whatever else the machine does falls on all alike. */
async function inTurns(names, rounds, run) {
  const results = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = -2; round < rounds; round += 1) {
    for (const name of names) {
      const result = await run(name);
      if (round >= 0) results[name].push(result);
    }
  }
  return results;
}

const quantile = (numbers, share) =>
  numbers.toSorted((a, b) => a - b)[Math.min(numbers.length - 1, Math.floor(numbers.length * share))];
const median = (numbers) => quantile(numbers, 0.5);

/** Of each round by itself: its two share what else the machine did meanwhile, which is most of the difference. */
const medianRatio = (numbers, others) => median(numbers.map((each, round) => each / others[round]));

async function flood(socketPath, requests, atOnce) {
  let left = requests;
  const worker = async () => {
    while (left > 0) {
      left -= 1;
      await expectStatus(200, socketPath, "GET", `${api}/containers/json`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

function peakMegabytes({ pid }) {
  return (Number(/^VmHWM:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024) / 1e6;
}

async function removeAll() {
  const filters = encodeURIComponent(JSON.stringify({ label: [`sandbox-deploy.guard=${owner}`] }));
  const { text } = await send(engine, "GET", `${api}/containers/json?all=1&filters=${filters}`);
  for (const { Id } of JSON.parse(text)) await send(engine, "DELETE", `${api}/containers/${Id}?force=1&v=1`);
  for (const child of children) {
    child.expected = true;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    if (child.exitCode === null && child.kill("SIGTERM")) await ended;
  }
  rmSync(work, { recursive: true, force: true });
}

async function measure() {
  writeFileSync(join(work, "policy.yaml"), policy);
  writeFileSync(join(work, "haproxy.cfg"), haproxyRules);
  const program = join(import.meta.dirname, "../dist/guard/guard.js");
  if (!existsSync(program)) throw new Error("dist/guard/guard.js is missing; run: npm run build");
  const guard = startGuard(program, "guard");
  start("haproxy", ["-q", "-f", join(work, "haproxy.cfg")]);
  await answering(sockets.guard);
  await answering(sockets.haproxy);

  const gets = await inTurns(["raw", "guard", "haproxy"], 1500, (name) =>
    timed(() => expectText(sockets[name], "GET", "/version")),
  );
  const lives = await inTurns(["raw", "guard"], 25, (name) => timed(() => oneLife(sockets[name])));
  const container = await create(sockets.guard, ["sleep", "600"]);
  await expectStatus(204, sockets.guard, "POST", `${api}/containers/${container}/start`);
  const streams = await inTurns(["raw", "guard"], 15, (name) => throughput(sockets[name], container, 200));
  const flooded = startGuard(program, "flooded");
  await answering(sockets.flooded);
  await flood(sockets.flooded, 10_000, 50);
  return { gets, lives, streams, memory: { requests: peakMegabytes(flooded), streams: peakMegabytes(guard) } };
}

/** Starts a guard as compose/docker-compose.dood.yaml does. */
function startGuard(program, name) {
  return start(process.execPath, [
    ...["--max-semi-space-size=2", program, "serve", "--policy", join(work, "policy.yaml")],
    ...["--listen", `unix:${sockets[name]}`, "--upstream", `unix:${engine}`, "--audit", join(work, `${name}.jsonl`)],
  ]);
}

async function expectText(...args) {
  const { status } = await send(...args);
  if (status !== 200) throw new Error(`${args[2]}: ${status}`);
}

function report({ gets, lives, streams, memory }) {
  const ms = (number) => `${number.toFixed(number < 10 ? 2 : 0)} ms`;
  const life = medianRatio(lives.guard, lives.raw);
  const stream = medianRatio(streams.guard, streams.raw);
  const rows = [
    [
      "create, start, wait, remove",
      ms(median(lives.guard)),
      `raw socket ${ms(median(lives.raw))}`,
      life.toFixed(2),
      "≤ 1.10",
    ],
    [
      "exec stream",
      `${median(streams.guard).toFixed(0)} MB/s`,
      `raw socket ${median(streams.raw).toFixed(0)} MB/s`,
      stream.toFixed(2),
      "≥ 0.8",
    ],
    ...[0.5, 0.99].map((share) => [
      `\`GET /version\`, p${share * 100}`,
      ms(quantile(gets.guard, share)),
      `HAProxy ${ms(quantile(gets.haproxy, share))}, raw socket ${ms(quantile(gets.raw, share))}`,
      (quantile(gets.guard, share) / quantile(gets.haproxy, share)).toFixed(2),
      "",
    ]),
    ["peak memory, 10,000 requests, 50 at once", `${memory.requests.toFixed(0)} MB`, "", "", "< 80 MB"],
    ["peak memory, 3.4 GB of exec streams", `${memory.streams.toFixed(0)} MB`, "", "", ""],
  ];
  console.log("| through the guard | | compared with | ratio | bound |\n|---|---|---|---|---|");
  for (const row of rows) console.log(`| ${row.join(" | ")} |`);
  return life <= 1.1 && stream >= 0.8 && memory.requests < 80;
}

try {
  const within = report(await measure());
  if (!within && !values["report-only"]) process.exitCode = 1;
} finally {
  await removeAll();
}
