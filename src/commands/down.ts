import type { DeployConfig } from "../core/config/config.ts";
import { configSchema } from "../core/config/config-schema.ts";
import { auditStates, auditWords } from "../core/deployment/audit.ts";
import type { Finding } from "../core/findings/finding.ts";
import type { AcceptName } from "../core/plan/plan.ts";
import { planDocument } from "../core/plan/plan-document.ts";
import { type DownFacts, planDown } from "../core/plan/plan-down.ts";
import { planText } from "../core/plan/plan-text.ts";
import { type Territory, territoryOf } from "../core/stack/stack.ts";
import { DeployError, exitCodes } from "../errors.ts";
import { FileReadError, fileFinding } from "../files.ts";
import { type DownTarget, downTasks } from "../shell/apply/remove.ts";
import { projectContainers, projectResources, toolProjects } from "../shell/engine/engine.ts";
import { clearLeftOvers } from "../shell/lock/lock.ts";
import { foreignDeployments } from "../shell/observe/origin.ts";
import { livePrivileges } from "../shell/observe/privilege-context.ts";
import { hideKnownSecrets } from "../shell/records/known-secrets.ts";
import { clearReceipt, findReceipt, otherDeployment, type Receipt, receiptFor } from "../shell/records/receipt.ts";
import { isUnfinished } from "../shell/records/rotation-journal.ts";
import type { World } from "../world.ts";
import { withChange } from "./change.ts";
import { consent } from "./consent.ts";
import { configPathOf, type GlobalFlags, namedEnvPath, readSetting, statePathOf } from "./prepare.ts";

/** Flags of `down`. */
export interface DownFlags extends GlobalFlags {
  readonly volumes?: boolean;
  readonly accept?: readonly AcceptName[];
}

/** Removes the stack by its project name: containers, networks, sandboxes and, when asked, volumes. Needs no readable configuration. */
export async function down(world: World, flags: DownFlags): Promise<void> {
  const statePath = statePathOf(world, flags);
  await mendIfPossible(world, flags, statePath);
  const { receipt: last, problem } = await findReceipt(world, statePath);
  if (problem) world.reporter.findings([problem], 0);
  const target = await targetOf(world, flags, last);
  const { project } = target;
  const volumes = flags.volumes ?? false;
  const facts = await readDownFacts(world, target, receiptFor(project, last));
  const plan = planDown(facts, {
    volumes,
    confirmed: flags.yes ?? false,
    ...(flags.accept ? { accept: flags.accept } : {}),
  });
  world.reporter.planned(plan);
  if (plan.steps.length > 0 && !flags.json) world.reporter.note((columns) => planText(plan, columns));
  await consent(world, plan.questions);
  if (plan.steps.length > 0 || (receiptFor(project, last)?.services.length ?? 0) > 0) {
    const change = {
      ...{ statePath, project, words: auditWords("down", flags), changes: true },
      ...auditStates(plan, receiptFor(project, last)?.mode, plan.services),
    };
    const remove = async () => {
      await world.reporter.tasks(downTasks(world, plan, target, volumes));
      await clearReceipt(world, statePath, project);
    };
    await withChange(world, change, remove).catch((error: unknown) => {
      throw withWayAround(error, project);
    });
  } else await clearLeftOvers(world, { statePath, project });
  const other = otherDeployment(project, last);
  if (other !== undefined) world.reporter.note(other);
  const kept =
    volumes || facts.volumes.length === 0
      ? []
      : [`kept: the data in ${facts.volumes.join(", ")} (down --volumes deletes it)`];
  const done = plan.steps.length === 0 ? `nothing of ${project} is running` : `${project} is down`;
  world.reporter.result([done, ...kept].join("\n"), {
    version: 1,
    exitCode: 0,
    changed: plan.steps.length > 0,
    volumesKept: volumes ? [] : facts.volumes,
    plan: planDocument(plan),
  });
}

/** Nothing is changed where nobody could write it down (D049); but what has to go at once must not wait for a disk. */
function withWayAround(error: unknown, project: string): unknown {
  const found = fileFinding(error);
  const findings = error instanceof DeployError ? error.findings : found ? [found] : [];
  if (!findings.some(({ code }) => code === "D049")) return error;
  const around = `or, unseen by the audit log and leaving sandboxes: docker compose --project-name ${project} down`;
  return new DeployError(
    findings.map((each) => (each.code === "D049" ? { ...each, fix: `${each.fix}; ${around}` } : each)),
    error instanceof DeployError ? error.exitCode : exitCodes.refused,
  );
}

/** While the containers still run, a database can be given its old password back; that it cannot keeps no stack from going. */
async function mendIfPossible(world: World, flags: DownFlags, statePath: string): Promise<void> {
  if (!(await isUnfinished(world, statePath))) return;
  try {
    await (await import("./rotation-steps.ts")).mendRotation(world, flags);
  } catch (error) {
    if (!(error instanceof DeployError) || error.exitCode === exitCodes.locked) throw error;
    world.reporter.findings(error.findings, 0);
    world.reporter.note("an interrupted rotation could not be undone; .deploy/rotation.json has both values");
  }
}

/** What to remove, and around which files of the operator's it is asked for. */
interface LocalTarget extends DownTarget {
  readonly territory: Territory;
  /** Left out where it cannot be read. */
  readonly config?: DeployConfig;
}

/** What to remove: the project of the flag, of the configuration or of the last receipt, whichever can be read. */
async function targetOf(world: World, flags: GlobalFlags, last: Receipt | undefined): Promise<LocalTarget> {
  const prefixOf = (project: string) => receiptFor(project, last)?.namePrefix;
  try {
    const { project, config, territory } = await readSetting(world, flags);
    // The prefix of this configuration says nothing about the sandboxes of another project.
    const own = project === config.config.project ? config.config.sandbox.namePrefix : undefined;
    return { project, namePrefix: own ?? prefixOf(project), territory, config: config.config };
  } catch (error) {
    const findings = unreadable(error);
    const defaults = configSchema.parse({ version: 1 });
    const territory = territoryOf(defaults, configPathOf(world, flags), world.home, namedEnvPath(world, flags));
    await hideKnownSecrets(world, territory);
    const project = flags.project ?? last?.project;
    if (project === undefined) throw new DeployError([...findings, await unknownProject(world)], exitCodes.input);
    world.reporter.note(
      `the configuration cannot be read, so the project's name is taken from ${flags.project ? "--project" : "the last deployment"}: ${project}`,
    );
    return { project, namePrefix: prefixOf(project), territory };
  }
}

/** Why the configuration cannot be read; any other error goes on. */
function unreadable(error: unknown): readonly Finding[] {
  if (error instanceof DeployError) return error.findings;
  if (!(error instanceof FileReadError)) throw error;
  return [{ code: "D014", severity: "error", message: error.message }];
}

/** The default name is the same in every checkout, so nothing is removed by it without being asked for. */
async function unknownProject(world: World): Promise<Finding> {
  const projects = await toolProjects(world);
  return {
    code: "D014",
    severity: "error",
    message: "no configuration and no earlier deployment of this folder say which project to remove; nothing was done",
    fix: `name it: ./deploy down --project NAME (${projects.length === 0 ? "this tool runs none on this engine" : `this tool runs ${projects.join(", ")}`})`,
  };
}

async function readDownFacts(
  world: World,
  { project, namePrefix, territory, config }: LocalTarget,
  receipt: Receipt | undefined,
): Promise<DownFacts> {
  const [{ containers, sandboxes }, networks, volumes] = await Promise.all([
    projectContainers(world, project, namePrefix),
    projectResources(world, "network", project),
    projectResources(world, "volume", project),
  ]);
  const [privileges, foreign] = await Promise.all([
    livePrivileges(world, territory.root, [...containers, ...sandboxes]),
    foreignDeployments(world, { territory, config, receipt }, containers),
  ]);
  return { project, containers, sandboxes, foreign, networks, volumes, privileges };
}
