import { lastGood, missingRecord } from "../core/deployment/deployment.ts";
import { type ComparedSide, diffDeployments, recordedSide } from "../core/deployment/deployment-diff.ts";
import { diffText } from "../core/deployment/deployment-text.ts";
import { plannedPrivileges } from "../core/plan/plan.ts";
import { privilegeKey } from "../core/privileges/privilege.ts";
import { folderOf } from "../core/stack/stack.ts";
import { DeployError } from "../errors.ts";
import { readModelText } from "../shell/compose/compose.ts";
import { projectContainers } from "../shell/engine/engine.ts";
import { sealKey } from "../shell/files/seal.ts";
import { livePrivileges } from "../shell/observe/privilege-context.ts";
import { secretFingerprints } from "../shell/records/deployment.ts";
import { findRecord, readDeployedModel, readHistory } from "../shell/records/history.ts";
import { readSources } from "../shell/records/history-files.ts";
import { findReceipt, receiptFor } from "../shell/records/receipt.ts";
import type { World } from "../world.ts";
import { configPathOf, type GlobalFlags, readSetting, readSituation, type Situation, statePathOf } from "./prepare.ts";
import { planOf } from "./up.ts";

/**
 * Shows by name what differs: from the last good deployment to what `up` would deploy now, from one deployment to what
 * runs, or from one to another.
 */
export async function diff(world: World, flags: GlobalFlags, [first, second]: readonly string[]): Promise<void> {
  const statePath = statePathOf(world, flags);
  const recorded = async (word: string) => {
    const record = await findRecord(world, statePath, word);
    return recordedSide(record, await modelOf(world, statePath, record.id));
  };
  const [from, to] =
    first === undefined
      ? await lastGoodAndPlanned(world, flags)
      : [await recorded(first), second === undefined ? await runningSide(world, flags) : await recorded(second)];
  const found = diffDeployments(from, to);
  const root = folderOf(configPathOf(world, flags));
  world.reporter.result((columns) => diffText(found, root, columns), { version: 1, exitCode: 0, ...found });
}

async function modelOf(world: World, statePath: string, id: string): Promise<unknown> {
  const text = await readDeployedModel(world, statePath, id);
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function lastGoodAndPlanned(world: World, flags: GlobalFlags): Promise<[ComparedSide, ComparedSide]> {
  const situation = await readSituation(world, flags);
  const { statePath } = situation.territory;
  const history = await readHistory(world, statePath);
  const good = lastGood(history.filter(({ record }) => record?.project === situation.project));
  if (good === undefined) throw new DeployError([missingRecord("that went well", history, { candidates: [] })]);
  const from = recordedSide(good, await modelOf(world, statePath, good.id));
  return [from, await plannedSide(world, situation, from)];
}

/** What `up` would deploy from the files as they are now. */
async function plannedSide(world: World, situation: Situation, from: ComparedSide): Promise<ComparedSide> {
  const { stack, facts } = situation;
  const plan = planOf(situation, { accept: [], build: "missing", pull: "missing", confirmed: false });
  const [text, sources, secrets] = await Promise.all([
    readModelText(world, stack),
    readSources(world, await sealKey(world), situation),
    secretFingerprints(world, stack, facts.model),
  ]);
  const held = new Set(from.privileges?.map(privilegeKey));
  const images = plan.services.flatMap((name): [string, string][] => {
    const id = facts.images.get(facts.model.services[name]?.image ?? `${facts.model.name}-${name}`);
    return id === undefined ? [] : [[name, id]];
  });
  return {
    title: "what up would deploy now",
    mode: stack.detection.mode,
    files: Object.fromEntries(sources.map(({ path, hash }) => [path, hash])),
    model: JSON.parse(text),
    images: Object.fromEntries(images),
    // A record holds what was seen on containers, so that what they do not show is no news.
    privileges: plannedPrivileges(plan).filter((each) => !each.unseen || held.has(privilegeKey(each))),
    secrets: { ...secrets, ...Object.fromEntries(facts.missingSecrets.map((name) => [name, "still to be generated"])) },
  };
}

/** What the engine shows; what no container tells comes from the record of the deployment that runs. */
async function runningSide(world: World, flags: GlobalFlags): Promise<ComparedSide> {
  const { config, territory, project } = await readSetting(world, flags);
  const { statePath, root } = territory;
  const [{ containers }, { receipt: last, problem }, history] = await Promise.all([
    projectContainers(world, project, config.config.sandbox.namePrefix),
    findReceipt(world, statePath),
    readHistory(world, statePath),
  ]);
  if (problem) world.reporter.findings([problem], 0);
  const id = receiptFor(project, last)?.deployment;
  const record = history.find((entry) => entry.id === id && containers.length > 0)?.record;
  const known = record && recordedSide(record, await modelOf(world, statePath, record.id));
  const images = containers.flatMap(({ service, imageId }) => (service === undefined ? [] : [[service, imageId]]));
  return {
    title: containers.length === 0 ? `what runs: nothing of ${project}` : "what runs",
    mode: known?.mode,
    files: known?.files,
    model: known?.model,
    images: Object.fromEntries(images),
    privileges: await livePrivileges(world, root, containers),
    secrets: known?.secrets,
  };
}
