import { detectMode } from "../../core/detect/detect.ts";
import type { Mode } from "../../core/detect/mode.ts";
import { envValues, parseEnvFile } from "../../core/env/env-file.ts";
import type { Ground, OperatorFile } from "../../core/setup/file-changes.ts";
import type { Found, GuardLimits, Reach } from "../../core/setup/question.ts";
import { yamlValue } from "../../core/setup/yaml-edit.ts";
import { composeFiles, hasGuard, joinPath, relativePath } from "../../core/stack/stack.ts";
import { DeployError } from "../../errors.ts";
import { within } from "../../shell/doctor/deadline.ts";
import { detectionInput, readPlatformConfig } from "../../shell/observe/detection.ts";
import { readGuardPolicy } from "../../shell/observe/guard.ts";
import { withDraftFiles } from "../../shell/setup/drafts.ts";
import type { World } from "../../world.ts";
import { configPathOf, type GlobalFlags, readSetting, readStack, type Setting } from "../prepare.ts";

/** What is in the operator's folder before a question is asked. */
export interface Place {
  readonly setting: Setting;
  readonly found: Found;
  readonly ground: Ground;
}

/** What deploy.config.yaml begins as in a folder without one. */
const newConfig = { name: "the shortest configuration", text: "version: 1\n", mode: 0o644 };

/** Reads what is there, and what the first `up` would make of what is not. */
export async function readPlace(world: World, flags: GlobalFlags): Promise<Place> {
  const path = configPathOf(world, flags);
  const text = await world.files.read(path);
  const drafted =
    text === undefined ? withDraftFiles(world, [{ path, text: newConfig.text, mode: newConfig.mode }]) : world;
  const setting = await readSetting(drafted, flags);
  const { config, territory } = setting;
  const ownStack = config.config.compose.base !== undefined;
  const name = relativePath(territory.root, path);
  const ground: Ground = {
    config: { name, path, text, template: newConfig, mode: newConfig.mode },
    platform: await operatorFile(world, setting, territory.platformConfigPath, "templates/config.yaml", 0o644),
    env: await operatorFile(world, setting, territory.envPath, "templates/env", 0o600),
    deerFlow: config.config.platform.detection === "deer-flow",
    forced: config.config.sandbox.mode !== "auto",
    exported: new Map(Object.entries(world.env).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]]))),
  };
  const variables = variablesOf(ground.env);
  const found: Found = {
    ownStack,
    mode: await presentMode(drafted, flags, setting),
    env: variables,
    kubeconfig: config.config.sandbox.kubeconfig,
    guard: await guardLimits(world, setting),
    addresses: world.addresses(),
    reach: reachOf(setting),
    credentials: config.config.credentials,
    present: new Set([...ground.exported, ...variables].flatMap(([key, value]) => (value === "" ? [] : [key]))),
  };
  return { setting, found, ground };
}

function reachOf({ config }: Setting): Reach {
  const { tls, domain, acme, files } = config.config.public;
  return { tls, domain, email: acme.email, certificate: files?.certificate, certificateKey: files?.key };
}

async function operatorFile(
  world: World,
  { config, territory }: Setting,
  path: string,
  template: string,
  mode: number,
): Promise<OperatorFile> {
  const ownStack = config.config.compose.base !== undefined;
  const [text, templateText] = await Promise.all([
    world.files.read(path),
    ownStack ? undefined : world.files.read(joinPath(world.toolRoot, template)),
  ]);
  const name = relativePath(territory.root, path);
  return {
    ...{ name, path, text, mode },
    template: templateText === undefined ? undefined : { name: template, text: templateText },
  };
}

/** The mode as it is now; undefined where the files lead to none, which is then to be decided. */
async function presentMode(world: World, flags: GlobalFlags, setting: Setting): Promise<Mode | undefined> {
  const silent = { ...world, reporter: { ...world.reporter, findings: () => {} } };
  const known = await within(silent, readSeconds, (bound) => readStack(bound, flags));
  if (known.kind === "known") return known.value.stack.detection.mode;
  // Compose may be missing on this machine, or hang: the file alone says it in most cases.
  const platform = await readPlatformConfig(world, setting.config, setting.territory);
  const detected = detectMode({ ...detectionInput(setting.config, platform), environment: undefined });
  return detected.ok ? detected.value.mode : undefined;
}

/** How long what is there may take to be read, Compose included. */
const readSeconds = 10;

/** Variables with their values, and those that the template shows in a comment with their defaults. */
function variablesOf({ name, text, template }: OperatorFile): ReadonlyMap<string, string> {
  const parsed = parseEnvFile({ file: name, text: text ?? "" }, new Map());
  if (!parsed.ok) throw new DeployError(parsed.findings);
  const defaults = (template?.text ?? "").matchAll(/^#([A-Z_]+)=(.*)$/gm);
  const written = [...envValues(parsed.value)].filter(([, value]) => value !== "");
  return new Map([...[...defaults].map(([, key = "", value = ""]) => [key, value] as const), ...written]);
}

async function guardLimits(world: World, { config, territory, project }: Setting): Promise<GuardLimits | undefined> {
  const files = composeFiles(config.config, "aio", territory, world.toolRoot, world.home);
  if (!hasGuard(files, world.toolRoot)) return undefined;
  const policy = (await readGuardPolicy(world, config, project))();
  const value = (...path: string[]) => yamlValue(policy, path) ?? "";
  return {
    memory: value("limits", "memory"),
    cpus: value("limits", "cpus"),
    pids: value("limits", "pids"),
    alive: value("sandboxes", "alive"),
  };
}
