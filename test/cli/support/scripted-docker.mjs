// Stands in for `docker`: writes each call down and answers from a scenario file. What the scenario does not answer is
// answered as by an engine that has every image and runs what `compose up` has started; the merging of Compose files is
// left to the real Compose, which needs no engine for it.
import { spawnSync } from "node:child_process";
import { appendFileSync, existsSync, readFileSync, writeFileSync, writeSync } from "node:fs";

const folder = process.env.SCRIPTED_DOCKER;
const argv = process.argv.slice(2);
const line = argv.join(" ");
const { rules = [], realDocker, earlierCalls = 0 } = JSON.parse(readFileSync(`${folder}/scenario.json`, "utf8"));
appendFileSync(`${folder}/calls.jsonl`, `${JSON.stringify(argv)}\n`);

const rule = rules.find((each) => new RegExp(each.when).test(line) && isDue(each));
if (rule) answer(rule);
else if (argv[0] === "compose") compose();
else engine();

/** A rule for the first few calls that match it is past once there were more; this call is written down already. */
function isDue({ when, times = Number.POSITIVE_INFINITY }) {
  const calls = readFileSync(`${folder}/calls.jsonl`, "utf8").trimEnd().split("\n").slice(earlierCalls);
  return calls.filter((call) => new RegExp(when).test(JSON.parse(call).join(" "))).length <= times;
}

function answer({ exitCode = 0, stdout = "", stderr = "", chunks = [], starts = false, hangs = false }) {
  if (starts) remember("up");
  for (const part of [stdout, ...chunks]) if (part !== "") writeSync(1, part);
  if (stderr !== "") writeSync(2, stderr);
  process.exitCode = exitCode;
  if (hangs) setInterval(() => {}, 1_000);
}

function compose() {
  if (line.startsWith("compose version")) return answer({ stdout: "2.40.3\n" });
  if (argv.includes("config")) {
    const { status, stdout, stderr } = spawnSync(realDocker, argv, { encoding: "utf8" });
    if (argv.includes("json") && status === 0) writeFileSync(`${folder}/model.json`, stdout);
    return answer({ exitCode: status ?? 1, stdout, stderr });
  }
  if (argv.includes("up")) remember("up");
  if (argv.includes("down")) remember("down");
  return answer({});
}

/** What was asked last: `up` or `down`. */
function remember(state) {
  writeFileSync(`${folder}/state`, state);
}

function engine() {
  const containers = runningContainers();
  if (argv[0] === "ps") {
    if (line.includes("publish=")) return answer({});
    const rows = containers.map(({ Id, Name, Config }) =>
      [Id, Name.slice(1), Config.Labels["com.docker.compose.project"], "False", "", ""].join("\t"),
    );
    return answer({ stdout: rows.map((row) => `${row}\n`).join("") });
  }
  if (line.startsWith("container inspect"))
    return answer({ stdout: JSON.stringify(containers.filter(({ Id }) => argv.includes(Id))) });
  if (line.startsWith("image inspect")) {
    const images = argv.slice(argv.indexOf("--format") + 2);
    return answer({ stdout: images.map((name) => `sha256:1 ["${name}"] []\n`).join("") });
  }
  if (line.startsWith("network ls") && containers.length > 0) return answer({ stdout: "scripted_front\n" });
  if (line.startsWith("volume inspect")) return answer({ stdout: "[]" });
  return answer({});
}

/** One healthy container for each service of the model that was merged last. */
function runningContainers() {
  const running = existsSync(`${folder}/state`) && readFileSync(`${folder}/state`, "utf8") === "up";
  if (!running || !existsSync(`${folder}/model.json`)) return [];
  const { name: project, services } = JSON.parse(readFileSync(`${folder}/model.json`, "utf8"));
  const health = existsSync(`${folder}/health.json`) ? JSON.parse(readFileSync(`${folder}/health.json`, "utf8")) : {};
  const started = Object.entries(services).filter(([, model]) => !(model.profiles ?? []).includes("build"));
  return started.map(([service, model]) => containerOf(project, service, model, health[service]));
}

function containerOf(project, service, model, health) {
  const healthy = { Status: "healthy", FailingStreak: 0, Log: [] };
  return {
    Id: `id-${service}`,
    Name: `/${project}-${service}-1`,
    Created: "2026-01-01T00:00:00Z",
    Image: "sha256:1",
    RestartCount: 0,
    State: { Status: "running", Running: true, ExitCode: 0, Error: "", Health: health ?? healthy },
    Config: {
      Image: model.image,
      Env: Object.entries(model.environment ?? {}).map(
        ([key, value]) => `${key}=${String(value).replaceAll("$$", "$")}`,
      ),
      Labels: { "com.docker.compose.project": project, "com.docker.compose.service": service },
    },
    HostConfig: {
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges:true"],
      RestartPolicy: { Name: "unless-stopped" },
      PortBindings: bindingsOf(model.ports ?? []),
    },
    Mounts: (model.volumes ?? []).map(({ type, source, target, read_only: readOnly = false }) => ({
      Type: type,
      Source: source,
      Destination: target,
      RW: !readOnly,
    })),
    NetworkSettings: { Ports: bindingsOf(model.ports ?? []), Networks: {} },
  };
}

function bindingsOf(ports) {
  return Object.fromEntries(
    ports.map(({ target, protocol, host_ip: HostIp, published: HostPort }) => [
      `${target}/${protocol}`,
      [{ HostIp, HostPort }],
    ]),
  );
}
