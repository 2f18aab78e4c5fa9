import type { DeploymentRecord } from "../../core/deployment/deployment.ts";
import { isModel } from "../../core/deployment/recorded-model.ts";
import type { Finding } from "../../core/findings/finding.ts";
import type { Territory } from "../../core/stack/stack.ts";
import type { World } from "../../world.ts";
import { keyedFingerprint } from "../files/fingerprint.ts";
import { sealKey } from "../files/seal.ts";
import { copyPathOf, modelPathOf, readDeployedModel } from "./history.ts";
import { isWhole } from "./history-files.ts";

/** A record without the copies of sources that are damaged, each a warning: the merged model holds what was made of them. */
export async function withoutDamaged(
  world: World,
  { statePath }: Territory,
  record: DeploymentRecord,
): Promise<{ readonly record: DeploymentRecord; readonly damaged: readonly Finding[] }> {
  const key = await sealKey(world);
  const checked = await Promise.all(
    record.sources.map(async (source) => {
      const path = copyPathOf(statePath, record.id, "files", source.copy);
      return { source, path, whole: await isWhole(world, key, path, source.hash) };
    }),
  );
  const sources = checked.flatMap(({ source, whole }) => (whole ? [source] : []));
  const damaged = checked.flatMap(({ source, path, whole }) => (whole ? [] : [damagedCopy(source.path, path)]));
  return { record: { ...record, sources }, damaged };
}

function damagedCopy(path: string, copyPath: string): Finding {
  return {
    code: "D097",
    severity: "warning",
    message: `${copyPath}, the copy of ${path}, is damaged or gone; that deployment runs again without it`,
    fix: "nothing has to be done: the merged model, which is whole, holds what was made of it",
  };
}

/** The merged model of a deployment as it was kept, or what is wrong with it: a model of which a letter changed is another stack. */
export async function readWholeModel(
  world: World,
  statePath: string,
  { id, modelHash }: DeploymentRecord,
): Promise<{ readonly text: string } | { readonly lack: string }> {
  const text = await readDeployedModel(world, statePath, id);
  if (text === undefined) return { lack: `the merged model of ${id} is gone, or cannot be read` };
  const isSame = modelHash === undefined || modelHash === keyedFingerprint(await sealKey(world), text);
  if (isSame && isModel(text)) return { text };
  return { lack: `${modelPathOf(statePath, id)}, the merged model of ${id}, is damaged` };
}
