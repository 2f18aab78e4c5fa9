import type { ImageIds } from "../core/containers/sandbox-images.ts";
import { containerShapes } from "../core/deployment/last-deployment.ts";
import { type Plan, plannedPrivileges } from "../core/plan/plan.ts";
import type { DroppedPrivilege } from "../core/privileges/dropped-privileges.ts";
import type { Privilege } from "../core/privileges/privilege.ts";
import { clientKeys } from "../core/secrets/client-key.ts";
import { DeployError, exitCodes } from "../errors.ts";
import { type Deployed, modelOf, readDeployed } from "../shell/compose/compose.ts";
import type { ProjectContainers } from "../shell/engine/engine.ts";
import { isEngineAway } from "../shell/engine/engine-return.ts";
import { wantedImages } from "../shell/observe/observe.ts";
import { volumeNames } from "../shell/observe/privilege-context.ts";
import type { Purpose } from "../shell/records/deployment.ts";
import { isReceiptOf, keepReceipt, type Receipt, readReceipt, receiptFor } from "../shell/records/receipt.ts";
import { secretRecord } from "../shell/records/secret-record.ts";
import type { World } from "../world.ts";
import type { Situation } from "./prepare.ts";

/** What was proved on the running containers. */
export interface Verified {
  /** The front door; undefined where there is none. */
  readonly url: string | undefined;
  readonly found: ProjectContainers;
  /** What containers and sandboxes hold. */
  readonly live: readonly Privilege[];
  /** Ids of the images that sandboxes may run, by name. */
  readonly sandboxImages: ImageIds;
  /** What the plan took away, seen to be gone. */
  readonly dropped: readonly DroppedPrivilege[];
}

/** Brings back what ran before a failure; undefined where there is nothing to bring back, or nothing was disturbed. */
export type FallBack = (world: World, failed: Situation, error: unknown) => Promise<FellBack | undefined>;

/** How that went, with the error that tells both stories. */
export interface FellBack {
  readonly done: boolean;
  readonly error: unknown;
}

/**
 * Keeps a record of work that changes the stack, and a receipt of what it left running. Without steps there is nothing to
 * record, unless what runs is of a deployment that was never verified until now, or of which there is no record.
 */
export async function recorded(
  world: World,
  situation: Situation,
  plan: Plan,
  { purpose, fallBack }: { readonly purpose: Purpose; readonly fallBack?: FallBack | undefined },
  work: () => Promise<Verified>,
): Promise<Verified> {
  const { statePath } = situation.territory;
  const last = receiptFor(plan.project, await readReceipt(world, statePath));
  // A receipt without a record is of an earlier version, or the record had no room.
  const isVerified = last?.deployment !== undefined && isReceiptOf(last, situation.facts.containers);
  const isKnown = isVerified && !isFurtherBack(purpose, last);
  if (plan.steps.length === 0 && isKnown) return work();
  const { beginDeployment, endDeployment } = await import("../shell/records/deployment.ts");
  const deployment = await beginDeployment(world, situation, plan, purpose);
  try {
    const verified = await work();
    const deployed = await readDeployed(world, situation.stack);
    const { containers } = verified.found;
    const ended = await endDeployment(world, deployment, {
      ...{ outcome: "done", containers, deployed },
      privileges: verified.live,
    });
    const id = ended?.record.id;
    await keepReceipt(
      world,
      statePath,
      await receiptOf(world, situation, plan, verified, { ...deployed, id, purpose }),
    );
    const { pruneHistory } = await import("../shell/records/history.ts");
    const { keep } = situation.config.config.history;
    await pruneHistory(world, statePath, { keep, running: id });
    const { pruneOverlays } = await import("../shell/compose/own-overlays.ts");
    await pruneOverlays(world, situation.territory, situation.stack);
    return verified;
  } catch (error) {
    // What was interrupted has not ended: it stays as it is, and is shown so.
    if (world.signal.aborted) throw error;
    await endDeployment(world, deployment, { outcome: "failed", error });
    const back = await fallBack?.(world, situation, error);
    if (back?.done) await endDeployment(world, deployment, { outcome: "rolled-back", error });
    throw back?.error ?? inTheMiddle(error);
  }
}

/** A rollback that finds nothing to do is one all the same: the next one goes further back. */
function isFurtherBack(purpose: Purpose, last: Receipt): boolean {
  return "of" in purpose && purpose.of !== last.deployment && purpose.of !== last.of;
}

/** An engine that answered before the first change and no longer does: that is no refusal any more. */
function inTheMiddle(error: unknown): unknown {
  return error instanceof DeployError && isEngineAway(error)
    ? new DeployError(error.findings, exitCodes.failed)
    : error;
}

async function receiptOf(
  world: World,
  { stack, facts, namePrefix, territory }: Situation,
  plan: Plan,
  { url, found: { containers, sandboxes }, sandboxImages }: Verified,
  {
    compose,
    engine,
    model,
    text,
    id,
    purpose,
  }: Deployed & { readonly id: string | undefined; readonly purpose: Purpose },
): Promise<Receipt> {
  const { project, files, envPath, variables } = stack;
  const last = receiptFor(project, await readReceipt(world, territory.statePath));
  const [clientKey] = clientKeys(facts.model);
  return {
    version: 1,
    project,
    ...(id === undefined ? {} : { deployment: id }),
    ...("of" in purpose ? { of: purpose.of } : {}),
    ...(namePrefix === undefined ? {} : { namePrefix }),
    mode: stack.detection.mode,
    because: stack.detection.because.text,
    stack: {
      ...{ project, files: [...files], envPath, variables },
      containers: [...containers, ...sandboxes].map(({ id }) => id),
      images: wantedImages(facts.model),
      volumes: volumeNames(containers, facts.model),
    },
    ...{ compose, engine, model },
    ...(url === undefined ? {} : { url }),
    ...(clientKey === undefined ? {} : { clientKey }),
    ...(plan.exposure === undefined ? {} : { exposure: plan.exposure }),
    services: [...plan.services],
    images: stack.images,
    imageIds: Object.fromEntries(
      containers.flatMap(({ service, imageId }) => (service === undefined ? [] : [[service, imageId]])),
    ),
    sandboxImages,
    shapes: containerShapes(containers),
    secrets: await secretRecord(world, territory, modelOf(text), last),
    privileges: plannedPrivileges(plan).map(({ service, kind, detail }) => ({ service, kind, detail })),
    time: world.now().toISOString(),
    who: `${world.user}@${world.host}`,
    toolVersion: world.version,
  };
}
