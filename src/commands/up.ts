import { excessFindings, type Held, reachingHost } from "../core/containers/live-excess.ts";
import { keptImageIds } from "../core/containers/sandbox-images.ts";
import { auditStates, auditWords } from "../core/deployment/audit.ts";
import type { Finding } from "../core/findings/finding.ts";
import type { Plan } from "../core/plan/plan.ts";
import { planText, samePlan } from "../core/plan/plan-text.ts";
import { planUp, type UpOptions } from "../core/plan/plan-up.ts";
import { droppedPrivileges } from "../core/privileges/dropped-privileges.ts";
import { sortedPrivileges } from "../core/privileges/privilege.ts";
import { frontDoorOf, liveDoorOf, tlsAddressOf } from "../core/public/front-door.ts";
import { DeployError } from "../errors.ts";
import { upTasks } from "../shell/apply/apply.ts";
import { askRunningGuard, compareWith, plannedNow, plannedSecretFindings } from "../shell/apply/prove.ts";
import { type AskedDoor, askFrontDoor, waitUntilHealthy } from "../shell/apply/verify.ts";
import { type ProjectContainers, stopContainers } from "../shell/engine/engine.ts";
import type { Purpose } from "../shell/records/deployment.ts";
import { readReceipt, receiptFor } from "../shell/records/receipt.ts";
import { isUnfinished } from "../shell/records/rotation-journal.ts";
import type { Task, World } from "../world.ts";
import { type Change, withChange } from "./change.ts";
import { consent } from "./consent.ts";
import { type GlobalFlags, readSituation, type Situation, statePathOf, stopOnErrors } from "./prepare.ts";
import { type FallBack, recorded, type Verified } from "./recorded.ts";
import { report } from "./report.ts";
import { isFirstRun } from "./setup/first-run.ts";

/** Flags of `up`; `plan` takes the same ones. */
export interface UpFlags extends GlobalFlags, UpOptions {
  readonly images?: "registry" | "local";
  readonly waitSeconds?: number;
  /** False where a failure is to be left as it is. */
  readonly rollback?: boolean;
}

/** Deploys the stack of the operator's files. Where Docker is not installed it offers to install it first. */
export async function up(world: World, flags: UpFlags): Promise<void> {
  try {
    await deployFiles(world, flags);
  } catch (error) {
    const { lacksDocker, offerDocker } = await import("./docker-offer.ts");
    if (!lacksDocker(error)) throw error;
    await offerDocker(world, flags, error);
    await deployFiles(world, flags);
  }
}

async function deployFiles(world: World, flags: UpFlags): Promise<void> {
  await mendUnfinished(world, flags);
  const isFirst = await isFirstRun(world, flags);
  const shown = isFirst ? await (await import("./setup/first.ts")).askFirst(world, flags) : undefined;
  await deploy(world, flags, { command: "up" }, readSituation, shown);
}

/** A rotation that was interrupted is undone first: what its files say is not what anybody wanted. */
export async function mendUnfinished(world: World, flags: GlobalFlags): Promise<void> {
  if (await isUnfinished(world, statePathOf(world, flags)))
    await (await import("./rotation-steps.ts")).mendRotation(world, flags);
}

/** The line that `up` and `rollback` share: reads, decides, asks, applies, and proves the result on the running containers. */
export async function deploy(
  world: World,
  flags: UpFlags,
  purpose: Purpose,
  read: (world: World, flags: UpFlags) => Promise<Situation>,
  shown?: Plan,
): Promise<void> {
  const situation = await read(world, flags);
  const plan = planOf(situation, flags);
  world.reporter.planned(plan);
  stopOnErrors(plan.findings);
  const images = purpose.command === "up" ? await otherImages(world, situation, plan, flags) : undefined;
  if (images !== undefined) return deploy(world, { ...flags, images }, purpose, read);
  if (plan.findings.length > 0) world.reporter.findings(plan.findings, 0);
  const isNews = shown === undefined || !samePlan(shown, plan);
  if (plan.steps.length > 0 && !flags.json && isNews) world.reporter.note((columns) => planText(plan, columns));
  await consent(world, plan.questions);
  const again = async (silent: World) => planOf(await read(silent, flags), flags);
  const verified = await withChange(
    world,
    await changeOf(world, situation, plan, { flags, purpose, again }),
    async () => {
      const wayBack = flags.rollback === false ? undefined : await import("./way-back.ts");
      return carryOut(world, situation, plan, { ...flags, purpose, fallBack: wayBack?.fallBack });
    },
  );
  report(world, situation, plan, purpose, verified);
}

/** Asks nobody, and loads nothing, unless images have to be built or pulled. */
async function otherImages(world: World, situation: Situation, { steps }: Plan, flags: UpFlags) {
  if (!steps.some(({ kind }) => kind === "build" || kind === "pull")) return undefined;
  return (await import("./registry.ts")).insteadOfRegistry(world, situation, steps, flags);
}

/** How a plan is carried out. */
export interface CarryOut {
  readonly waitSeconds?: number;
  readonly purpose: Purpose;
  readonly fallBack?: FallBack | undefined;
}

/** Applies a plan under the lock, and proves the result; where that fails, `fallBack` may bring back what ran before. */
export function carryOut(world: World, situation: Situation, plan: Plan, how: CarryOut): Promise<Verified> {
  const waitSeconds = how.waitSeconds ?? situation.config.config.health.waitSeconds;
  return recorded(world, situation, plan, how, async () => {
    await world.reporter.tasks(upTasks(world, plan, { ...situation, model: situation.facts.model, waitSeconds }));
    return verify(world, situation, plan, waitSeconds);
  });
}

/** A rollback has no flags about images. */
function wordsOf(purpose: Purpose, { build, pull, ...flags }: UpFlags): string[] {
  return purpose.command === "rollback"
    ? auditWords(purpose.command, flags, [purpose.of])
    : auditWords(purpose.command, { build, pull, ...flags });
}

interface Asked {
  readonly flags: UpFlags;
  readonly purpose: Purpose;
  /** Plans anew, without a word. */
  readonly again: (silent: World) => Promise<Plan>;
}

async function changeOf(
  world: World,
  situation: Situation,
  plan: Plan,
  { flags, purpose, again }: Asked,
): Promise<Change> {
  const { territory, facts } = situation;
  const { statePath } = territory;
  const changes = plan.steps.length > 0;
  const last = receiptFor(plan.project, await readReceipt(world, statePath));
  const services = facts.containers.flatMap(({ service }) => service ?? []);
  return {
    ...{ statePath, project: plan.project, words: wordsOf(purpose, flags), changes },
    ...auditStates(plan, last?.mode, services),
    check: async () => {
      if (changes) await stopUnlessSame(world, plan, again);
    },
  };
}

/** Between the plan and the lock somebody may have deployed, or written a file, while a question was open. */
async function stopUnlessSame(world: World, plan: Plan, planAgain: (silent: World) => Promise<Plan>): Promise<void> {
  const silent = { ...world, reporter: { ...world.reporter, findings: () => {} } };
  if (samePlan(await planAgain(silent), plan)) return;
  throw new DeployError([
    {
      code: "D064",
      severity: "error",
      message: "the situation changed since the plan was shown; nothing was done",
      fix: "run the same command again and look at the new plan",
    },
  ]);
}

/** The plan that `up` would apply. */
export function planOf({ config, stack, facts }: Situation, flags: UpFlags): Plan {
  return planUp(config.config, facts, stack, flags);
}

/** Waits for health, asks the front door, and compares the live privileges with the plan. */
async function verify(world: World, situation: Situation, plan: Plan, waitSeconds: number): Promise<Verified> {
  const { config, stack, facts } = situation;
  let url = frontDoorOf(facts.model, config.config);
  // Whether somebody else's stack answers on a port of no fixed number is not known.
  const isAsked = url !== undefined || config.config.compose.base === undefined;
  // What was read a moment ago still holds when nothing was changed since.
  let found: ProjectContainers | undefined = plan.steps.length === 0 ? facts : undefined;
  let proved: Proved = { held: [], sandboxImages: {} };
  const wait = {
    ...{ project: stack.project, services: plan.services, namePrefix: config.config.sandbox.namePrefix },
    ...{ waitSeconds, settleSeconds: config.config.health.settleSeconds },
  };
  const health: Task = {
    title: "wait until every service is healthy",
    run: async (progress) => {
      found = await waitUntilHealthy(world, wait, progress, found);
    },
  };
  const door: Task = {
    title: `ask the front door${url === undefined ? "" : ` at ${url}`}`,
    run: async (progress) => {
      url ??= liveDoorOf((found ?? facts).containers, config.config);
      if (url === undefined) return;
      const body = await askFrontDoor(world, await askedDoor(world, situation, url), wait, progress);
      stopOnErrors(modeFindings(body, plan));
    },
  };
  const comparison: Task = {
    title: "compare what the containers hold with the plan",
    run: async () => {
      proved = await stopBeyondPlan(world, situation, plan, found ?? facts);
    },
  };
  await world.reporter.tasks([health, ...(isAsked ? [door] : []), comparison]);
  const { held, sandboxImages } = proved;
  const dropped = droppedPrivileges(plan.privileges, held);
  const live = sortedPrivileges(held.flatMap(({ privileges }) => privileges));
  return { url, found: found ?? facts, live, dropped, sandboxImages };
}

/** The path that is asked, and with TLS whom to believe; that is known only once the stack runs. */
async function askedDoor(world: World, { config, territory, facts }: Situation, url: string): Promise<AskedDoor> {
  const asked = { url: `${url}${config.config.health.path}` };
  const address = tlsAddressOf(facts.model, config.config);
  if (address === undefined) return asked;
  const { readDoor, readFailure } = await import("../shell/network/door-trust.ts");
  return {
    ...asked,
    tls: (containers) => readDoor(world, config.config, territory, address, containers),
    why: (containers) => readFailure(world, config.config, address.name, containers),
  };
}

interface Proved extends Pick<Verified, "sandboxImages"> {
  readonly held: readonly Held[];
}

/** What reaches the host and nobody accepted must not go on running only because it runs already. */
async function stopBeyondPlan(
  world: World,
  situation: Situation,
  plan: Plan,
  found: ProjectContainers,
): Promise<Proved> {
  const ground = { ...situation, gateway: situation.config.config.platform.service };
  const guard = askRunningGuard(world, situation.facts, found);
  const planned = await plannedNow(world, ground, plan, found, guard);
  const compared = await compareWith(world, ground, planned, found, guard.report);
  const stopped = reachingHost(compared.found);
  await stopContainers(world, stopped);
  stopOnErrors(excessFindings(compared.found, stopped));
  const warnings = plannedSecretFindings(planned);
  if (warnings.length > 0) world.reporter.findings(warnings, 0);
  return { held: compared.held, sandboxImages: keptImageIds(await guard.images, found.sandboxes) };
}

/** The reference gateway names its mode; a platform that does not is not asked again. */
function modeFindings(body: string, plan: Plan): Finding[] {
  const mode = reportedMode(body);
  if (mode === undefined || mode === plan.mode) return [];
  return [
    {
      code: "D073",
      severity: "error",
      message: `the gateway says that it runs in ${mode} mode, but the plan is ${plan.mode}`,
      fix: "the gateway may have read another configuration file: ./deploy restart gateway, then up again",
    },
  ];
}

function reportedMode(body: string): string | undefined {
  try {
    const answer: unknown = JSON.parse(body);
    return typeof answer === "object" && answer !== null && "mode" in answer && typeof answer.mode === "string"
      ? answer.mode
      : undefined;
  } catch {
    return undefined;
  }
}
