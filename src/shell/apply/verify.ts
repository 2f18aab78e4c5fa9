import type { Container } from "../../core/containers/container.ts";
import {
  type HealthClock,
  judgedContainer,
  judgeHealth,
  type ServiceHealth,
  waitingText,
} from "../../core/containers/health.ts";
import type { Finding } from "../../core/findings/finding.ts";
import { DeployError } from "../../errors.ts";
import type { ProbeResult, TlsDoor, World } from "../../world.ts";
import { docker, type ProjectContainers, projectContainers } from "../engine/engine.ts";
import { onceEngineAnswers } from "../engine/engine-return.ts";

const pollMilliseconds = 300;

/** The services that have to become healthy, and for how long to wait. */
export interface HealthWait {
  readonly project: string;
  readonly services: readonly string[];
  readonly waitSeconds: number;
  /** For how long a container must have run. */
  readonly settleSeconds: number;
  /** For platforms whose sandboxes are known only by name. */
  readonly namePrefix?: string | undefined;
}

const recentMilliseconds = 120_000;

function healthClock(world: World, settleSeconds: number, began: string): HealthClock {
  const [settledBefore, recentSince] = [world.timeAgo(settleSeconds * 1000), world.timeAgo(recentMilliseconds)];
  return { settledBefore, recentSince, began };
}

/** Polls until every service is ready; a failed one, or the deadline, ends it with that service's status and last lines. */
export async function waitUntilHealthy(
  world: World,
  { project, services, waitSeconds, settleSeconds, namePrefix }: HealthWait,
  progress: (line: string) => void,
  first?: ProjectContainers,
): Promise<ProjectContainers> {
  const began = world.timeAgo(0);
  const deadline = world.now().getTime() + waitSeconds * 1000;
  const look = () => onceEngineAnswers(world, deadline, progress, () => projectContainers(world, project, namePrefix));
  let found = first ?? (await look());
  let shown = "";
  for (;;) {
    const { containers } = found;
    const open = judgeHealth(services, containers, healthClock(world, settleSeconds, began)).filter(
      ({ kind }) => kind !== "ready",
    );
    if (open.length === 0) return found;
    const failed = open.filter(({ kind }) => kind === "failed");
    if (failed.length > 0) throw await unhealthy(world, failed, containers, waitSeconds);
    if (world.now().getTime() >= deadline) throw await unhealthy(world, open, containers, waitSeconds);
    const line = waitingText(open);
    if (line !== shown) progress(line);
    shown = line;
    await world.sleep(pollMilliseconds);
    found = await look();
  }
}

async function unhealthy(
  world: World,
  services: readonly ServiceHealth[],
  containers: readonly Container[],
  waitSeconds: number,
): Promise<DeployError> {
  return new DeployError(
    await Promise.all(services.map((each) => healthFinding(world, each, containers, waitSeconds))),
  );
}

async function healthFinding(
  world: World,
  health: ServiceHealth,
  containers: readonly Container[],
  waitSeconds: number,
): Promise<Finding> {
  const container = judgedContainer(health, containers);
  const reason = health.kind === "ready" ? "" : health.reason;
  const waited = health.kind === "waiting" ? ` after ${waitSeconds} seconds` : "";
  const parts = [`${health.service} is not healthy${waited}: ${reason}`];
  if (container) {
    const { state } = container;
    parts.push(
      `status: ${state.status}${state.health ? `, health ${state.health.status} (${state.health.failingStreak} failed checks)` : ""}`,
    );
    const checks = new Set((state.health?.log ?? []).map(({ output }) => output.trim()));
    for (const output of checks) parts.push(`health check: ${output}`);
    parts.push(...(await lastLogLines(world, container)));
  }
  return {
    code: "D070",
    severity: "error",
    message: parts.join("\n  "),
    fix: `mend what it says and run up again; while it runs, ./deploy logs ${health.service} shows more`,
  };
}

async function lastLogLines(world: World, container: Container): Promise<string[]> {
  const { stdout, stderr } = await docker(world, ["logs", "--tail", "20", container.id]);
  const lines = `${stdout}${stderr}`.split("\n").filter((line) => line.trim() !== "");
  return lines.length === 0 ? ["it wrote no log"] : ["its last lines:", ...lines.slice(-20).map((line) => `  ${line}`)];
}

/** A front door to be asked: its URL, and with TLS also where it is and whom to believe there. */
export interface AskedDoor {
  readonly url: string;
  /** Undefined from it means that nobody can be believed there yet. */
  readonly tls?: (containers: readonly Container[]) => Promise<TlsDoor | undefined>;
  /** Why it has no certificate, where the proxy says so. */
  readonly why?: (containers: readonly Container[]) => Promise<string | undefined>;
}

async function knock(
  world: World,
  { url, tls }: AskedDoor,
  find: () => Promise<ProjectContainers>,
): Promise<ProbeResult> {
  if (tls === undefined) return world.probe(url, 5_000);
  const door = await tls((await find()).containers);
  if (door === undefined) return { ok: false, reason: "it has no certificate yet" };
  return world.probe(url, 5_000, door);
}

/** Asks the front door until it answers with a success, a service behind it fails, or the deadline passes. */
export async function askFrontDoor(
  world: World,
  asked: AskedDoor,
  { project, services, waitSeconds, settleSeconds, namePrefix }: HealthWait,
  progress: (line: string) => void,
): Promise<string> {
  const { url, why } = asked;
  const find = () => projectContainers(world, project, namePrefix);
  const began = world.timeAgo(0);
  const deadline = world.now().getTime() + waitSeconds * 1000;
  for (;;) {
    const answer = await knock(world, asked, find);
    if (answer.ok && answer.status >= 200 && answer.status < 300) return answer.body;
    const { containers } = await find();
    const judged = judgeHealth(services, containers, healthClock(world, settleSeconds, began));
    const failed = judged.filter(({ kind }) => kind === "failed");
    if (failed.length > 0) throw await unhealthy(world, failed, containers, waitSeconds);
    const more = answer.ok ? undefined : await why?.(containers);
    const reason = more ?? (answer.ok ? `it answers ${answer.status}` : answer.reason);
    const finding = more === undefined ? frontDoorFinding(url, reason) : certificateFinding(url, reason);
    if (world.now().getTime() >= deadline) throw new DeployError([finding]);
    progress(`${url}: ${reason}`);
    await world.sleep(pollMilliseconds);
  }
}

function certificateFinding(url: string, reason: string): Finding {
  return {
    code: "D127",
    severity: "error",
    message: `every service is healthy, but ${url} has no certificate: ${reason}`,
    fix: "let the name lead to this machine, and 80 and 443 reach it; then ./deploy restart proxy tries again at once",
  };
}

function frontDoorFinding(url: string, reason: string): Finding {
  return {
    code: "D071",
    severity: "error",
    message: `every service is healthy, but ${url} does not answer as it should: ${reason}`,
    fix: "./deploy logs proxy gateway shows what they say; a restart of the proxy makes it look up the gateway again",
  };
}
