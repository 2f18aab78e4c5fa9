import { parseConfig } from "../core/config/config.ts";
import type { DeploymentRecord } from "../core/deployment/deployment.ts";
import { type Replacements, runnableModel } from "../core/deployment/recorded-model.ts";
import type { Finding } from "../core/findings/finding.ts";
import type { Facts } from "../core/plan/facts.ts";
import { databasePassword } from "../core/plan/plan.ts";
import { isWithin } from "../core/privileges/host-path.ts";
import { newerPasswordFindings } from "../core/secrets/passwords-of-now.ts";
import type { ComposeModel } from "../core/stack/model.ts";
import { excludedServices, joinPath, relativePath, type Stack, type Territory } from "../core/stack/stack.ts";
import { readImages } from "../shell/engine/engine.ts";
import { observe } from "../shell/observe/observe.ts";
import { secretFingerprints } from "../shell/records/deployment.ts";
import { copyPathOf, historyPath } from "../shell/records/history.ts";
import { withoutDamaged } from "../shell/records/whole-record.ts";
import type { World } from "../world.ts";
import type { Setting, Situation } from "./prepare.ts";
import { goneError, mountedText, replacedFiles } from "./recorded-files.ts";
import { otherSecrets, type RecordedModel, recordedModel } from "./recorded-model.ts";

/**
 * Lays out an earlier deployment as a stack of today: its merged model as the only Compose file, its environment, the
 * images that ran, and its own copies of mounted files whose content is another one by now. D097 where something of it
 * is gone. The operator's files are neither read nor changed by it; the one file that is written lies in the record.
 * Passwords that data keeps are those of `now`, by default of the deployment that runs.
 */
export async function readRecordedSituation(
  world: World,
  setting: Setting,
  kept: DeploymentRecord,
  now?: ComposeModel,
): Promise<Situation> {
  const { record, damaged } = await withoutDamaged(world, setting.territory, kept);
  const territory = recordedTerritory(setting.territory, record);
  const config = await recordedConfig(world, setting, record);
  const model = await recordedModel(world, territory, record, now);
  const stack = await recordedStack(world, territory, record, model, excludedServices(config.config, record.mode));
  const facts = await observe(world, config, territory, stack);
  const { id, project, namePrefix, sources } = record;
  const copies = new Map(
    sources.map(({ path, copy }) => [path, copyPathOf(territory.statePath, id, "files", copy)] as const),
  );
  const stays = [
    ...dataFindings(record, facts),
    ...folderFindings(record, facts, territory),
    ...secretFindings(record, await secretFingerprints(world, stack, facts.model), otherSecrets(facts, model)),
    ...newerPasswordFindings(model.newer),
  ];
  const ofNow = facts.findings.filter((finding) => !isOfCopy(finding)).map(withWayBack);
  const findings = [...ofNow, ...stays, ...damaged];
  return { config, territory, stack, project, namePrefix, facts: { ...facts, findings }, kept: copies };
}

/** A warning about the copy of an environment file helps nobody: there is no use in mending it. */
function isOfCopy({ severity, at }: Finding): boolean {
  return severity === "warning" && at?.file.includes(".deploy/history/") === true;
}

/** The environment of a record is not there to be edited. */
function withWayBack(finding: Finding): Finding {
  if (finding.code !== "D110") return finding;
  const fix = `choose a deployment with the password of now (./deploy history); where the database has the older one again: --accept ${databasePassword}`;
  return { ...finding, fix };
}

/** Data volumes stay as they are: another image may have changed the form of what is in them (a database's migration). */
function dataFindings(record: DeploymentRecord, { containers }: Facts): Finding[] {
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

/** A secret that Compose takes from the shell is in no record: it is what the shell has now. */
function secretFindings(
  { id, secrets }: DeploymentRecord,
  now: DeploymentRecord["secrets"],
  known: ReadonlySet<string>,
): Finding[] {
  const changed = Object.entries(now).filter(([name, mac]) => (secrets[name] ?? mac) !== mac && !known.has(name));
  return changed.map(([name]) => ({
    code: "D099",
    severity: "warning",
    message: `the secret ${name} is in a variable of the environment that has another value by now; the one of then is not recorded`,
    fix: `if the older value is meant, export it in this shell, then run ./deploy rollback ${id}`,
  }));
}

/** Only small files are copied: what else of the operator's a container reads is not what it was, and must not pass for it. */
function folderFindings({ services, mounted }: DeploymentRecord, { model }: Facts, territory: Territory): Finding[] {
  const isCopied = (path: string) =>
    isWithin(path, territory.statePath) || mounted.some((file) => file.path === path) || path === territory.socketPath;
  return services.flatMap((service) => {
    const binds = model.services[service]?.volumes.filter(({ type, readOnly }) => type === "bind" && readOnly) ?? [];
    const paths = binds.flatMap(({ source = "" }) =>
      isWithin(source, territory.root) && !isCopied(source) ? [`./${relativePath(territory.root, source)}`] : [],
    );
    if (paths.length === 0) return [];
    const message = `${service} mounts ${paths.join(", ")}, of which a deployment keeps no copy: what is in there stays as it is now`;
    return [{ code: "D099", severity: "warning", message, fix: "if it changed since, change it back by hand" }];
  });
}

/** The environment is the record's; secret files and the guard's policy are written where they always are. */
function recordedTerritory(territory: Territory, record: DeploymentRecord): Territory {
  const [own, first] = [record.stack.envPath, territory.envPath].map((path) => sourcePath(territory, record, path));
  // Where there is none, nothing is at this place either, and not the environment of now.
  const none = copyPathOf(territory.statePath, record.id, "files", "no-environment");
  return { ...territory, envPath: own ?? first ?? none };
}

/** The copy of a source, by its original path. */
function sourcePath({ statePath }: Territory, { id, sources }: DeploymentRecord, path: string): string | undefined {
  const source = sources.find((each) => each.path === path);
  return source && copyPathOf(statePath, id, "files", source.copy);
}

/** The configuration of then; where this version of the tool does not understand it, that of now. */
async function recordedConfig(world: World, { config, territory }: Setting, record: DeploymentRecord) {
  const path = sourcePath(territory, record, territory.configPath);
  const text = path === undefined ? undefined : await world.files.read(path);
  const parsed = text === undefined ? undefined : parseConfig({ file: territory.configPath, text });
  return parsed?.ok ? parsed.value : config;
}

async function recordedStack(
  world: World,
  territory: Territory,
  record: DeploymentRecord,
  { text, own }: RecordedModel,
  excluded: Stack["excluded"],
): Promise<Stack> {
  const { id, stack, mode, project } = record;
  const [images, files, guardPolicy] = await Promise.all([
    replacedImages(world, record),
    replacedFiles(world, territory, record, own),
    mountedText(world, territory, record, territory.guardPolicyPath),
  ]);
  const path = joinPath(historyPath(territory.statePath), `${id}/compose.json`);
  await world.files.writeAtomic(path, runnableModel(text, { ...images, files }), { mode: 0o600, own: true });
  return {
    ...{ project, files: [path], envPath: territory.envPath, images: stack.images, variables: stack.variables },
    detection: { mode, because: { text: recordedBecause(record), rule: "recorded" } },
    excluded,
    ...(guardPolicy === undefined ? {} : { guardPolicy }),
  };
}

/** Where the mode was read then: the file of that name may say something else by now. */
function recordedBecause({ id, of, because }: DeploymentRecord): string {
  return of === undefined ? `as recorded in ${id}: ${because}` : because;
}

/** For each service, and each image of sandboxes, whose reference is another image by now: the tag that keeps what ran, or its id. */
async function replacedImages(
  world: World,
  record: DeploymentRecord,
): Promise<Pick<Replacements, "images" | "sandboxImages">> {
  const images = Object.entries(record.images);
  const { ids: known } = await readImages(
    world,
    images.flatMap(([, { id, reference, tag }]) => [reference, id, ...(tag === undefined ? [] : [tag])]),
  );
  const replaced: Record<string, string> = {};
  const sandboxImages = new Map<string, string>();
  const missing: string[] = [];
  for (const [service, { id, reference, tag }] of images) {
    const found = [reference, tag, id].find((name) => name !== undefined && known.get(name) === id);
    if (found === undefined)
      missing.push(`the image of ${service} (${reference}, ${id.slice(0, 19)}) is no longer on this engine`);
    else if (found !== reference) {
      replaced[service] = found;
      if (!record.services.includes(service)) sandboxImages.set(reference, found);
    }
  }
  if (missing.length > 0) throw goneError(missing);
  return { images: replaced, sandboxImages };
}
