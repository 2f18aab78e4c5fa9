import type { DeploymentRecord } from "../core/deployment/deployment.ts";
import type { Finding } from "../core/findings/finding.ts";
import { databasePassword, foreignProject, type PlanQuestion, weakSecret } from "../core/plan/plan.ts";
import { planUp, type UpOptions } from "../core/plan/plan-up.ts";
import { consentNames } from "../core/privileges/privilege.ts";
import { DeployError, exitCodes } from "../errors.ts";
import { FileReadError, FileWriteError } from "../files.ts";
import { projectContainers } from "../shell/engine/engine.ts";
import { onceEngineAnswers } from "../shell/engine/engine-return.ts";
import { knownHistory } from "../shell/records/history.ts";
import { readReceipt, receiptFor } from "../shell/records/receipt.ts";
import type { World } from "../world.ts";
import { type Situation, stopOnErrors } from "./prepare.ts";
import type { FellBack } from "./recorded.ts";
import { readRecordedSituation } from "./recorded-situation.ts";
import { carryOut } from "./up.ts";

/**
 * Brings back what was verified last before a failed deployment: its files, environment and images, verified like every
 * deployment. Asks nothing, so that no privilege on the host comes back that nothing held a moment ago. What the
 * operator's files say stays as it is.
 */
export async function fallBack(world: World, failed: Situation, error: unknown): Promise<FellBack | undefined> {
  const record = await lastDeployed(world, failed);
  if (record === undefined || failed.facts.containers.length === 0) return undefined;
  const disturbed = await look(world, failed);
  if (disturbed instanceof DeployError) return { done: false, error: bothStories(error, stranded(record, disturbed)) };
  if (!disturbed) return undefined;
  const options = { accept: [], build: "missing", pull: "never" } as const;
  try {
    // A password that differs was accepted as the one that a database has by now.
    const situation = await readRecordedSituation(world, failed, record, failed.facts.model);
    const planned = (given: Partial<UpOptions>, facts = situation.facts) =>
      planUp(situation.config.config, facts, situation.stack, { ...options, ...given });
    const before = planned({}, { ...situation.facts, containers: failed.facts.containers });
    const open = before.questions.filter(
      ({ kind, acceptedBy }) => kind === "host-privilege" && acceptedBy === undefined,
    );
    if (open.length > 0) return { done: false, error: bothStories(error, [notAsked(record, open)]) };
    world.reporter.note(`that failed; going back to deployment ${record.id}`);
    const plan = planned({ accept: [...consentNames, foreignProject, weakSecret, databasePassword], confirmed: true });
    stopOnErrors(plan.findings);
    await carryOut(world, situation, plan, { purpose: { command: "rollback", of: record.id } });
    const stays = plan.findings.filter(({ code }) => code === "D099");
    return { done: true, error: bothStories(error, [isBack(record), ...stays]) };
  } catch (second) {
    if (world.signal.aborted) throw second;
    return { done: false, error: bothStories(error, stranded(record, second)) };
  }
}

/** The answer of an engine, which may have been restarted just now; or why it gives none. */
async function look(world: World, failed: Situation): Promise<boolean | DeployError> {
  const deadline = world.now().getTime() + failed.config.config.health.waitSeconds * 1000;
  try {
    return await onceEngineAnswers(world, deadline, world.reporter.note, () => isDisturbed(world, failed));
  } catch (error) {
    if (error instanceof DeployError) return error;
    throw error;
  }
}

/** Whether containers that were there are no longer as they were, or others have come. One that crashes all the time is no change. */
async function isDisturbed(world: World, { stack, namePrefix, facts }: Situation): Promise<boolean> {
  const now = await projectContainers(world, stack.project, namePrefix);
  const stateOf = (containers: Situation["facts"]["containers"]) =>
    containers
      .map(({ id, state }) => `${id} ${state.status === "restarting" ? "running" : state.status}`)
      .toSorted()
      .join();
  return stateOf(now.containers) !== stateOf(facts.containers);
}

/** What was verified last by the receipt, unless it was taken down since. */
async function lastDeployed(world: World, { territory, project }: Situation): Promise<DeploymentRecord | undefined> {
  const receipt = receiptFor(project, await readReceipt(world, territory.statePath));
  if (receipt === undefined || receipt.services.length === 0) return undefined;
  const history = await knownHistory(world, territory.statePath);
  const found = history.find(({ id }) => id === receipt.deployment)?.record;
  return found?.outcome === "done" ? found : undefined;
}

/** One error for both: what failed first decides the exit code. */
function bothStories(error: unknown, findings: readonly Finding[]): unknown {
  if (error instanceof DeployError) return new DeployError([...error.findings, ...findings], exitCodes.failed);
  if (!(error instanceof FileWriteError || error instanceof FileReadError)) return error;
  const finding: Finding = { code: "D049", severity: "error", message: error.message };
  return new DeployError([finding, ...findings], exitCodes.failed);
}

function isBack({ id, begun, mode }: DeploymentRecord): Finding {
  return {
    code: "D098",
    severity: "warning",
    message: `the stack runs in ${mode} mode as it was last verified: deployment ${id} of ${begun} is back and healthy`,
    fix: "mend what failed and run ./deploy up again; with --no-rollback what fails stays, to look at it",
  };
}

/** What failed before may have taken privileges away already: to have them again is for the operator to say. */
function notAsked({ id }: DeploymentRecord, questions: readonly PlanQuestion[]): Finding {
  const names = questions.map(({ name, text }) => `${name} (${text})`).join(", ");
  return {
    code: "D098",
    severity: "error",
    message: `deployment ${id} was not brought back: that would give ${names}, which nothing held before this`,
    fix: `mend what failed and run ./deploy up again; ./deploy rollback ${id} goes back and asks for it`,
  };
}

function stranded({ id }: DeploymentRecord, error: unknown): Finding[] {
  const reasons = error instanceof DeployError ? error.findings : [];
  const why = error instanceof Error && reasons.length === 0 ? `: ${error.message}` : "";
  return [
    {
      code: "D098",
      severity: "error",
      message: `what ran before, deployment ${id}, could not be brought back${why}`,
      fix: `./deploy status shows what runs; mend what is named here, then ./deploy up, or ./deploy rollback ${id}`,
    },
    ...reasons.filter(({ severity }) => severity === "error"),
  ];
}
