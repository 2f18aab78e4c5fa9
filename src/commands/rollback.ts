import { type DeploymentRecord, deploymentBefore } from "../core/deployment/deployment.ts";
import type { AcceptName } from "../core/plan/plan.ts";
import { DeployError, exitCodes } from "../errors.ts";
import { findRecord, readHistory } from "../shell/records/history.ts";
import { readReceipt, receiptFor } from "../shell/records/receipt.ts";
import type { World } from "../world.ts";
import { type GlobalFlags, readSetting, type Setting } from "./prepare.ts";
import { readRecordedSituation } from "./recorded-situation.ts";
import { deploy, mendUnfinished } from "./up.ts";

/** Flags of `rollback`. */
export interface RollbackFlags extends GlobalFlags {
  readonly accept?: readonly AcceptName[];
  readonly waitSeconds?: number;
  readonly rollback?: boolean;
}

/** Goes back to an earlier deployment, by default to the one before what runs: with plan, consent and proof like any other. */
export async function rollback(world: World, flags: RollbackFlags, word: string | undefined): Promise<void> {
  await mendUnfinished(world, flags);
  const setting = await readSetting(world, flags);
  const record = await chosen(world, setting, word);
  const images = {
    build: "missing",
    pull: "never",
    accept: flags.accept ?? [],
    confirmed: flags.yes ?? false,
  } as const;
  await deploy(world, { ...flags, ...images }, { command: "rollback", of: record.id }, (reading) =>
    readRecordedSituation(reading, setting, record),
  );
}

async function chosen(world: World, { territory, project }: Setting, word: string | undefined) {
  const { statePath } = territory;
  if (word !== undefined) return usable(await findRecord(world, statePath, word), project);
  const [history, receipt] = await Promise.all([readHistory(world, statePath), readReceipt(world, statePath)]);
  const own = history.flatMap(({ record }) => (record?.project === project ? [record] : []));
  const record = deploymentBefore(own, receiptFor(project, receipt)?.deployment);
  if (record === undefined) throw nothing(`no earlier deployment of ${project} was verified here`);
  return record;
}

/** A failed one is no state to go back to, and one of another project is none of this one's. */
function usable(record: DeploymentRecord, project: string): DeploymentRecord {
  const { id } = record;
  if (record.project !== project)
    throw nothing(
      `deployment ${id} was one of the project ${record.project}, and this is ${project}`,
      `./deploy rollback ${id} --project ${record.project} brings that one back`,
    );
  if (record.outcome === "done") return record;
  throw nothing(`deployment ${id} was never verified, so there is no going back to it`);
}

function nothing(
  message: string,
  fix = "./deploy history shows which deployments there are, and which of them were done",
): DeployError {
  return new DeployError([{ code: "D097", severity: "error", message, fix }], exitCodes.refused);
}
