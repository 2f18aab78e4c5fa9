import type { ConfigFile } from "../core/config/config.ts";
import type { Container } from "../core/containers/container.ts";
import { judgedContainer, judgeHealth, type ServiceHealth } from "../core/containers/health.ts";
import { type HandChange, handChanges } from "../core/drift/hand-changes.ts";
import type { Finding } from "../core/findings/finding.ts";
import { driftDocument } from "../core/plan/plan-document.ts";
import { driftLines, privilegeRows } from "../core/plan/plan-text.ts";
import type { Privilege } from "../core/privileges/privilege.ts";
import type { DoorReport } from "../core/public/door-report.ts";
import { relativePath, type Territory } from "../core/stack/stack.ts";
import { wrapText } from "../core/text/wrapped-text.ts";
import { type ExitCode, exitCodes } from "../errors.ts";
import { projectContainers } from "../shell/engine/engine.ts";
import { type GuardReport, readGuardReport } from "../shell/observe/guard.ts";
import { livePrivileges } from "../shell/observe/privilege-context.ts";
import {
  deployedBy,
  findReceipt,
  isReceiptOf,
  otherDeployment,
  type Receipt,
  receiptFor,
  runningDeployment,
} from "../shell/records/receipt.ts";
import type { World } from "../world.ts";
import { type GlobalFlags, readSetting } from "./prepare.ts";
import type { Comparison } from "./status-verify.ts";

/** What `status` found. */
interface Found {
  readonly project: string;
  readonly receipt: Receipt | undefined;
  readonly health: readonly ServiceHealth[];
  readonly containers: readonly Container[];
  readonly sandboxes: readonly Container[];
  readonly privileges: readonly Privilege[];
  readonly guard: GuardReport | undefined;
  readonly drift: readonly HandChange[];
  readonly comparison: Comparison | undefined;
  readonly door: Door | undefined;
  /** As people read it. */
  readonly envFile: string;
}

/** What a client sees at a front door with TLS, and what is wrong with it. */
interface Door {
  readonly report: DoorReport;
  readonly lifetime: string;
  readonly findings: readonly Finding[];
}

/** A stack that does not run has no front door to look at. */
async function readDoor(
  world: World,
  { config }: ConfigFile,
  territory: Territory,
  containers: readonly Container[],
): Promise<Door | undefined> {
  if (containers.length === 0) return undefined;
  const [{ readDoorReport }, { doorFindings, lifetimeLine }] = await Promise.all([
    import("../shell/network/tls-client.ts"),
    import("../core/public/door-report.ts"),
  ]);
  const report = await readDoorReport(world, config, territory, containers);
  const now = world.now().getTime();
  return report && { report, lifetime: lifetimeLine(report, now), findings: doorFindings(report, now) };
}

/** Shows what runs, read from the live containers; exit 1 when something of the last deployment is missing or not healthy. */
export async function status(world: World, flags: GlobalFlags & { verify?: boolean }): Promise<ExitCode> {
  const { config, territory, project } = await readSetting(world, flags);
  const [{ containers, sandboxes }, { receipt: last, problem }] = await Promise.all([
    projectContainers(world, project, config.config.sandbox.namePrefix),
    findReceipt(world, territory.statePath),
  ]);
  if (problem) world.reporter.findings([problem], 0);
  const receipt = receiptFor(project, last);
  const running = containers.flatMap(({ service }) => service ?? []);
  const services = [...new Set([...(receipt?.services ?? []), ...running])].toSorted();
  const health = judgeHealth(services, containers);
  const asked = readGuardReport(world, containers);
  const [privileges, guard] = await Promise.all([
    livePrivileges(world, territory.root, [...containers, ...sandboxes], undefined, asked),
    asked,
  ]);
  const drift = handChanges(containers, receipt && deployedBy(receipt));
  const comparison = flags.verify
    ? await import("./status-verify.ts").then(({ verifyRunning }) =>
        verifyRunning(world, flags, { territory, receipt, found: { containers, sandboxes } }),
      )
    : undefined;
  const door = config.config.public.tls === "off" ? undefined : await readDoor(world, config, territory, containers);
  const envFile = relativePath(territory.root, territory.envPath);
  const live = { health, containers, sandboxes, privileges, guard, drift };
  const found = { project, receipt, ...live, comparison, door, envFile };
  const nothing = services.length === 0 && sandboxes.length === 0;
  const works = containers.length > 0 && health.every(({ kind }) => kind === "ready");
  const beyond = [...(comparison?.findings ?? []), ...(door?.findings ?? [])];
  const stops = beyond.some(({ severity }) => severity === "error") || (comparison?.findings ?? []).length > 0;
  const exitCode = (nothing || works) && !stops ? exitCodes.done : exitCodes.failed;
  const other = otherDeployment(project, last);
  if (other !== undefined) world.reporter.note(other);
  world.reporter.result(
    nothing ? `nothing of ${project} is running` : (columns) => statusText(found, columns),
    statusDocument(found, exitCode),
  );
  if (beyond.length > 0) world.reporter.findings(beyond, exitCodes.done);
  return exitCode;
}

function statusDocument(found: Found, exitCode: ExitCode) {
  const { project, receipt, health, containers, sandboxes, privileges, guard, drift, comparison, door } = found;
  return {
    version: 1,
    exitCode,
    project,
    mode: receipt?.mode ?? null,
    because: receipt?.because ?? null,
    url: receipt?.url ?? null,
    key: receipt?.clientKey ?? null,
    deployedAt: receipt?.time ?? null,
    runs: runningDeployment(receipt, containers) ?? null,
    rolledBackTo: receipt?.of ?? null,
    services: health.map((each) => serviceDocument(each, containers)),
    sandboxes: sandboxes.map(({ name }) => name),
    guard: guard ?? null,
    privileges: privileges.map(({ service, kind, detail }) => ({ service, kind, detail })),
    drift: driftDocument(drift),
    verified: comparison ?? null,
    tls: door ?? null,
  };
}

function serviceDocument(health: ServiceHealth, containers: readonly Container[]) {
  const container = judgedContainer(health, containers);
  return {
    service: health.service,
    health: health.kind,
    reason: health.kind === "ready" ? null : health.reason,
    container: container?.name ?? null,
    image: container?.image ?? null,
  };
}

function statusText(found: Found, columns: number): string {
  const { project, receipt, health, containers, sandboxes, privileges, guard, drift, comparison, door } = found;
  const width = Math.max(...health.map(({ service }) => service.length), 0);
  const lines = [
    `project   ${project}`,
    ...reachLines(found),
    ...(door === undefined ? [] : [`tls       ${door.lifetime} (./deploy tls status)`]),
    receipt
      ? `mode      ${isUnverified(receipt, containers) ? "last verified in " : ""}${receipt.mode} (${receipt.because})`
      : "mode      unknown: this folder has no receipt of a deployment of it",
    ...(receipt ? [`deployed  ${receipt.time} by ${receipt.who} with sandbox-deploy ${receipt.toolVersion}`] : []),
    ...runsLines(receipt, containers, columns),
    ...missingLines(health, containers),
    "",
    ...health.map((each) => `  ${each.service.padEnd(width)}  ${stateText(each, containers)}`),
    "",
    `sandboxes ${sandboxes.length === 0 ? "none" : sandboxes.map(({ name }) => name).join(", ")}`,
    ...(guard === undefined ? [] : [guardText(guard)]),
    "privileges held by running containers",
    ...(privileges.length === 0 ? ["  none"] : privilegeRows(privileges, () => "", columns)),
    ...driftLines(drift, columns),
    ...(comparison === undefined ? [] : verifiedLines(comparison, columns)),
  ];
  return lines.join("\n");
}

/** Where the page and the key of what runs are, as its receipt says. */
function reachLines({ receipt, containers, envFile }: Found): string[] {
  if (receipt === undefined || receipt.services.length === 0 || containers.length === 0) return [];
  return [
    ...(receipt.url === undefined ? [] : [`url       ${receipt.url} (./deploy open)`]),
    ...(receipt.clientKey === undefined ? [] : [`key       ${receipt.clientKey} in ${envFile} (./deploy key)`]),
  ];
}

function verifiedLines({ compared, findings }: Comparison, columns: number): string[] {
  const result =
    findings.length === 0
      ? "no container has or is more than planned"
      : `${findings.length} ${findings.length === 1 ? "thing goes" : "things go"} beyond the plan`;
  return ["compared", ...compared.flatMap((line) => wrapText(line, "  ", undefined, columns)), `verified  ${result}`];
}

function guardText({ problem, alive, denied, startedAt, sandboxes }: GuardReport): string {
  const state = problem === undefined ? `since ${startedAt}` : `does not work: ${problem}`;
  return `guard     ${alive ?? "?"} of ${sandboxes.limit} sandboxes, ${denied} refused, ${state}`;
}

function isUnverified(receipt: Receipt, containers: readonly Container[]): boolean {
  return receipt.deployment !== undefined && !isReceiptOf(receipt, containers);
}

/** Which deployment of the history runs; what failed, or was interrupted, is none. */
function runsLines(receipt: Receipt | undefined, containers: readonly Container[], columns: number): string[] {
  if (receipt?.deployment === undefined || containers.length === 0) return [];
  const { deployment, of } = receipt;
  if (isUnverified(receipt, containers))
    return wrapText(
      `containers that were never verified; the last good deployment is ${deployment} (./deploy history)`,
      "runs      ",
      undefined,
      columns,
    );
  if (of === undefined) return [`runs      deployment ${deployment}`];
  return wrapText(
    `deployment ${of} again, by the rollback ${deployment}; ./deploy plan shows what the files here would change`,
    "runs      ",
    undefined,
    columns,
  );
}

/** Services of the last deployment whose containers somebody has removed since, or all of it where only sandboxes are left. */
function missingLines(health: readonly ServiceHealth[], containers: readonly Container[]): string[] {
  const missing = health
    .map(({ service }) => service)
    .filter((name) => !containers.some((each) => each.service === name));
  const names = missing.length > 0 ? missing.join(", ") : containers.length === 0 ? "every service" : undefined;
  return names === undefined ? [] : [`missing   ${names}; ./deploy up starts them, ./deploy down removes the rest`];
}

function stateText(health: ServiceHealth, containers: readonly Container[]): string {
  const mine = containers.filter(({ service }) => service === health.service);
  const [first] = mine;
  if (first === undefined) return "missing: it has no container";
  const stopped = mine.find(({ state }) => state.status === "exited");
  switch (health.kind) {
    case "ready":
      return `healthy  ${first.image}`;
    case "failed":
      return `failed: ${health.reason}  ${first.image}`;
    case "waiting":
      return `${stopped ? `stopped (exit code ${stopped.state.exitCode})` : `waiting: ${health.reason}`}  ${first.image}`;
  }
}
