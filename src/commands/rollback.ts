import { type DeploymentRecord, findDeployment, type HistoryEntry } from "../core/deployment.ts";
import type { Facts } from "../core/facts.ts";
import type { Finding } from "../core/finding.ts";
import type { AcceptName } from "../core/plan.ts";
import { DeployError, exitCodes } from "../errors.ts";
import { readHistory } from "../shell/history.ts";
import { readReceipt, receiptFor } from "../shell/receipt.ts";
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
  await deploy(world, { ...flags, ...images }, { command: "rollback", of: record.id }, async (reading) => {
    const situation = await readRecordedSituation(reading, setting, record);
    const findings = [...situation.facts.findings, ...dataFindings(record, situation.facts)];
    return { ...situation, facts: { ...situation.facts, findings } };
  });
}

async function chosen(world: World, { territory, project }: Setting, word: string | undefined) {
  const [history, receipt] = await Promise.all([
    readHistory(world, territory.statePath),
    readReceipt(world, territory.statePath),
  ]);
  const own = history.filter(({ record }) => record === undefined || record.project === project);
  if (word !== undefined) return named(own, word);
  const running = receiptFor(project, receipt)?.deployment;
  const record = before(own, running);
  if (record === undefined) throw nothing("no earlier deployment of this folder was verified");
  return record;
}

/**
 * What people mean by going back: the good deployment before the one that runs. Where something newer than that one
 * failed, it is that one itself.
 */
function before(history: readonly HistoryEntry[], running: string | undefined): DeploymentRecord | undefined {
  const records = history.flatMap(({ record }) => record ?? []).toSorted((a, b) => (a.id < b.id ? 1 : -1));
  const good = records.filter(({ outcome }) => outcome === "done");
  const [newest] = records;
  if (newest !== undefined && newest.outcome !== "done" && newest.outcome !== "rolled-back") return good[0];
  return good.find(({ id }) => running === undefined || id < running);
}

function named(history: readonly HistoryEntry[], word: string): DeploymentRecord {
  const found = findDeployment(history, word);
  if (!("entry" in found)) {
    const several = found.candidates.length > 1;
    throw nothing(several ? `${word} may mean ${found.candidates.join(" or ")}` : `there is no deployment ${word}`);
  }
  const { record } = found.entry;
  if (record === undefined) throw nothing(`the record of ${found.entry.id} cannot be read`);
  if (record.outcome !== "done")
    throw nothing(`deployment ${record.id} was never verified, so there is no going back to it`);
  return record;
}

function nothing(message: string): DeployError {
  const fix = "./deploy history shows which deployments there are";
  return new DeployError([{ code: "D097", severity: "error", message, fix }], exitCodes.refused);
}

/** Data volumes stay as they are: another image may have changed the form of what is in them (a database's migration). */
export function dataFindings(record: DeploymentRecord, { containers }: Facts): Finding[] {
  return containers.flatMap(({ service = "", imageId, mounts }): Finding[] => {
    const then = record.images[service]?.id;
    const volumes = mounts.flatMap(({ type, name }) => (type === "volume" && name !== undefined ? [name] : []));
    if (then === undefined || then === imageId || volumes.length === 0) return [];
    return [
      {
        code: "D099",
        severity: "warning",
        message: `${service} goes back to another image, and its data in ${volumes.join(", ")} stays: a newer version may have migrated it`,
        fix: "if the older one cannot read it, restore a backup of that time; the volume itself is never touched by a rollback",
      },
    ];
  });
}
