import { type DeploymentRecord, type HistoryEntry, stateOf } from "../core/deployment/deployment.ts";
import { deploymentText, historyText, type ListedDeployment } from "../core/deployment/deployment-text.ts";
import { folderOf } from "../core/stack/stack.ts";
import { DeployError } from "../errors.ts";
import { projectContainers } from "../shell/engine/engine.ts";
import { findRecord, isAlive, readHistory } from "../shell/records/history.ts";
import { findReceipt, runningDeployment } from "../shell/records/receipt.ts";
import type { World } from "../world.ts";
import { configPathOf, type GlobalFlags, statePathOf } from "./prepare.ts";

/** Shows the deployments of this folder, or one of them in full; needs no readable configuration and no engine. */
export async function history(world: World, flags: GlobalFlags, args: readonly string[]): Promise<void> {
  const [action, word = "last"] = args;
  const statePath = statePathOf(world, flags);
  const running = await deploymentNow(world, statePath);
  if (action === "show") return showOne(world, flags, await findRecord(world, statePath, word), running);
  const entries = await readHistory(world, statePath);
  const listed = await Promise.all(entries.map((entry) => listedAs(world, entry, running)));
  world.reporter.result((columns, isTerminal) => historyText(listed, isTerminal ? columns : undefined), {
    ...{ version: 1, exitCode: 0, deployments: listed.map(listDocument) },
  });
}

async function showOne(
  world: World,
  flags: GlobalFlags,
  record: DeploymentRecord,
  running: string | undefined,
): Promise<void> {
  const listed = await listedAs(world, { id: record.id, record }, running);
  const { process: _, secrets, mounted, outcome: __, ...rest } = record;
  const root = folderOf(configPathOf(world, flags));
  world.reporter.result((columns) => deploymentText(record, listed, root, columns), {
    ...rest,
    ...{ version: 1, exitCode: 0, outcome: listed.state, runs: listed.runs, secrets: Object.keys(secrets) },
    // The keyed hash of a file with a secret is as good as the secret's own.
    mounted: mounted.map(({ path, copy }) => ({ path, copy })),
  });
}

/** The deployment whose containers are there, as far as the engine tells. */
async function deploymentNow(world: World, statePath: string): Promise<string | undefined> {
  const { receipt, problem } = await findReceipt(world, statePath);
  if (problem) world.reporter.findings([problem], 0);
  if (receipt?.deployment === undefined) return undefined;
  try {
    return runningDeployment(receipt, (await projectContainers(world, receipt.project)).containers);
  } catch (error) {
    if (!(error instanceof DeployError)) throw error;
    world.reporter.note("the engine does not answer, so which deployment runs is not known");
    return undefined;
  }
}

async function listedAs(world: World, entry: HistoryEntry, running: string | undefined): Promise<ListedDeployment> {
  const { record } = entry;
  const state = record && stateOf(record, record.outcome === "begun" && (await isAlive(world, record)));
  return { entry, state, runs: entry.id === running };
}

function listDocument({ entry, state, runs }: ListedDeployment) {
  if (entry.record === undefined) return { id: entry.id, outcome: null, problem: entry.problem, runs };
  const { id, begun, ended, durationMilliseconds, command, of, project, mode, who, host } = entry.record;
  return {
    ...{ id, begun, ended: ended ?? null, durationMilliseconds: durationMilliseconds ?? null },
    ...{ command, of: of ?? null, project, mode, outcome: state, who, host, runs },
  };
}
