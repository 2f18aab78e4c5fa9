import { type ConfigFile, parseConfig } from "../core/config/config.ts";
import { credentialsOf } from "../core/credentials/credential.ts";
import type { Mode } from "../core/detect/mode.ts";
import type { Finding, Outcome } from "../core/findings/finding.ts";
import type { Source } from "../core/findings/source.ts";
import type { Facts } from "../core/plan/facts.ts";
import { publicMapping } from "../core/public/variables.ts";
import {
  composeFiles,
  excludedServices,
  hasGuard,
  type ImageSource,
  joinPath,
  localImageVariables,
  resolvePath,
  type Stack,
  type Territory,
  territoryOf,
} from "../core/stack/stack.ts";
import { DeployError } from "../errors.ts";
import { withProfiles } from "../shell/compose/profiles.ts";
import { sha256 } from "../shell/files/fingerprint.ts";
import { readDetection, readPlatformConfig } from "../shell/observe/detection.ts";
import { readGuardPolicy } from "../shell/observe/guard.ts";
import { inputFindings } from "../shell/observe/machine.ts";
import { observe } from "../shell/observe/observe.ts";
import { hideKnownSecrets } from "../shell/records/known-secrets.ts";
import { readReceipt } from "../shell/records/receipt.ts";
import type { World } from "../world.ts";

/** Flags that every command takes. */
export interface GlobalFlags {
  readonly config?: string;
  readonly envFile?: string;
  readonly project?: string;
  readonly json?: boolean;
  readonly yes?: boolean;
  readonly verbose?: boolean;
  /** In a pipeline, where nobody can be asked. */
  readonly ci?: boolean;
}

/** A read configuration and the folders around it. */
export interface Setting {
  readonly config: ConfigFile;
  readonly territory: Territory;
  readonly project: string;
  /** For platforms whose sandboxes are known only by name. */
  readonly namePrefix: string | undefined;
}

/** A setting whose mode is known and whose world has been read. */
export interface Situation extends StackSetting {
  readonly facts: Facts;
  /** For an earlier deployment that runs again: where its sources are kept, by their own paths. */
  readonly kept?: ReadonlyMap<string, string>;
}

const configName = "deploy.config.yaml";

/** Where the configuration is, or would be. */
export function configPathOf(world: World, flags: GlobalFlags): string {
  return resolvePath(world.cwd, world.home, flags.config ?? configName);
}

/** The environment file that --env-file names: a path of the command line starts at the current folder. */
export function namedEnvPath(world: World, { envFile }: GlobalFlags): string | undefined {
  return envFile === undefined ? undefined : resolvePath(world.cwd, world.home, envFile);
}

/** Reads deploy.config.yaml; a missing one is an error, since guessing a stack would be worse. */
export async function readSetting(world: World, flags: GlobalFlags): Promise<Setting> {
  const path = configPathOf(world, flags);
  const text = await world.files.read(path);
  if (text === undefined) throw new DeployError([missingConfig(path)]);
  const config = valueOrStop(parseConfig({ file: flags.config ?? configName, text }), world);
  const territory = territoryOf(config.config, path, world.home, namedEnvPath(world, flags));
  await hideKnownSecrets(world, territory);
  return {
    config,
    territory,
    project: flags.project ?? config.config.project,
    namePrefix: config.config.sandbox.namePrefix,
  };
}

/** There is no configuration where one is needed or was named. */
export function missingConfig(path: string): Finding {
  return {
    code: "D014",
    severity: "error",
    message: `there is no configuration at ${path}`,
    fix: "run this in the folder that holds deploy.config.yaml, or name the file with --config",
  };
}

/** An environment file that the operator named is not there; one that only the configuration names may still be made. */
export function missingEnvFile(path: string): Finding {
  return {
    code: "D014",
    severity: "error",
    message: `there is no environment file ${path}, which --env-file names`,
    fix: "correct the path (it starts at the current folder), or leave --env-file out",
  };
}

/** A setting whose mode is known. */
export interface StackSetting extends Setting {
  readonly stack: Stack;
}

/** Detects the mode and lays out the stack: its files, variables and environment. */
export async function readStack(world: World, flags: GlobalFlags & { images?: ImageSource }): Promise<StackSetting> {
  const setting = await readSetting(world, flags);
  const { config, territory } = setting;
  if (flags.envFile !== undefined && (await world.files.stat(territory.envPath))?.kind !== "file")
    throw new DeployError([missingEnvFile(flags.envFile)]);
  const platform = await readPlatformConfig(world, config, territory);
  const images =
    flags.images ?? config.config.compose.images ?? (await readReceipt(world, territory.statePath))?.images;
  const tls = await readTls(world, setting);
  const variables = { ...(await stackVariables(world, setting, platform, images ?? "registry")), ...tls?.variables };
  const guardPolicy = await readGuardPolicy(world, config, setting.project);
  const stackOf = (mode: Mode): Stack => {
    const files = composeFiles(config.config, mode, territory, world.toolRoot, world.home);
    return {
      project: setting.project,
      detection: { mode, because: { text: "", rule: "candidate" } },
      files,
      envPath: territory.envPath,
      images: images ?? "registry",
      variables,
      excluded: excludedServices(config.config, mode),
      ...(tls === undefined ? {} : { tls: tls.tls }),
      ...(hasGuard(files, world.toolRoot) ? withGuard(guardPolicy(), territory, variables) : {}),
    };
  };
  stopOnErrors(await inputFindings(world, config, territory, stackOf("local").files));
  const detection = valueOrStop(await readDetection(world, config, platform, stackOf), world);
  const stack = await withOverlays(
    world,
    setting,
    await withProfiles(world, { ...stackOf(detection.mode), detection }),
  );
  stopOnErrors(await inputFindings(world, config, territory, stack.files));
  return { ...setting, stack };
}

/** Most stacks have no TLS, and need not load what reads certificates. */
async function readTls(world: World, { config, territory }: Setting) {
  if (config.config.public.tls === "off") return undefined;
  return (await import("../shell/observe/tls-input.ts")).readTlsInput(world, config, territory);
}

/** Adds the overlays that follow from the configuration, where it asks for one. */
async function withOverlays(world: World, { config, territory }: Setting, stack: Stack): Promise<Stack> {
  const isPlain = config.config.public.tls === "off" && Object.keys(publicMapping(config.config)).length === 0;
  if (isPlain && credentialsOf(config.config).length === 0) return stack;
  return (await import("../shell/compose/own-overlays.ts")).withOwnOverlays(world, config, territory, stack);
}

function withGuard(guardPolicy: string, { guardPolicyPath }: Territory, variables: Stack["variables"]) {
  const own = { GUARD_POLICY: guardPolicyPath, GUARD_POLICY_SHA256: sha256(guardPolicy) };
  return { guardPolicy, variables: { ...variables, ...own } };
}

/** The variables that the tool itself sets for Compose, so that configuration and stack cannot disagree. */
async function stackVariables(
  world: World,
  { config, territory }: Setting,
  platform: Source | undefined,
  images: ImageSource,
) {
  const [socketStat, kubeconfig] = await Promise.all([
    world.files.stat(territory.socketPath),
    world.files.stat(territory.kubeconfigPath),
  ]);
  // A kubeconfig that only its owner can read is read by a provisioner that runs as its owner.
  const isPrivate = kubeconfig !== undefined && kubeconfig.uid !== 0 && (kubeconfig.mode & 0o004) === 0;
  return {
    PLATFORM_CONFIG: territory.platformConfigPath,
    PLATFORM_CONFIG_NAME: config.config.platform.config,
    PLATFORM_CONFIG_SHA256: sha256(platform?.text ?? ""),
    SECRETS_DIR: territory.secretsPath,
    KUBECONFIG_FILE: territory.kubeconfigPath,
    ...(isPrivate ? { PROVISIONER_USER: `${kubeconfig.uid}:${kubeconfig.gid}` } : {}),
    DOCKER_SOCKET: territory.socketPath,
    DOCKER_SOCKET_GID: String(socketStat?.gid ?? 0),
    ...(images === "local" ? localImageVariables(world.version) : {}),
  };
}

/** Reads everything that planning needs: configuration, mode, merged model, engine, machine. */
export async function readSituation(world: World, flags: GlobalFlags & { images?: ImageSource }): Promise<Situation> {
  const setting = await readStack(world, flags);
  return { ...setting, facts: await observe(world, setting.config, setting.territory, setting.stack) };
}

/** Takes the value, showing its warnings, or stops with all findings. */
export function valueOrStop<T>(outcome: Outcome<T>, world: World): T {
  if (!outcome.ok) throw new DeployError(outcome.findings);
  if (outcome.findings.length > 0) world.reporter.findings(outcome.findings, 0);
  return outcome.value;
}

/** Stops where a finding is an error. */
export function stopOnErrors(findings: readonly Finding[]): void {
  if (findings.some(({ severity }) => severity === "error")) throw new DeployError(findings);
}

/** The folder of the tool's state for a command that must work without a readable configuration. */
export function statePathOf(world: World, flags: GlobalFlags): string {
  return joinPath(configPathOf(world, flags), "../.deploy");
}
