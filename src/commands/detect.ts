import { type ConfigFile, parseConfig } from "../core/config/config.ts";
import { type DetectionInput, detectMode } from "../core/detect/detect.ts";
import { type Detection, type Mode, modes } from "../core/detect/mode.ts";
import { parseEnvFile } from "../core/env/env-file.ts";
import type { Finding, Outcome } from "../core/findings/finding.ts";
import type { Source } from "../core/findings/source.ts";
import { generatedNames } from "../core/secrets/generated-names.ts";
import { composeFiles, folderOf, resolvePath, type Territory, territoryOf } from "../core/stack/stack.ts";
import { DeployError } from "../errors.ts";
import { detectionInput, readPlatformConfig } from "../shell/observe/detection.ts";
import { danglingLink } from "../shell/observe/machine.ts";
import type { World } from "../world.ts";
import { configPathOf, type GlobalFlags, missingConfig, missingEnvFile, valueOrStop } from "./prepare.ts";

/** What deploy.config.yaml says, where there is one. */
interface Own {
  readonly config: ConfigFile;
  readonly territory: Territory;
}

/** Shows mode and because for one file, as the platform's runtime would see it; asks no engine. */
export async function detect(world: World, flags: GlobalFlags, file: string | undefined): Promise<void> {
  const own = await readOwn(world, flags);
  const source = await (file === undefined ? ownSource(world, flags, own) : namedSource(world, world.cwd, file));
  const environment = await readEnvironment(world, flags);
  // A file named on the command line is judged by itself: what this checkout forces says nothing about it.
  const input =
    own && file === undefined
      ? detectionInput(own.config, source)
      : { rules: own?.config.config.platform.detection ?? "deer-flow", config: source };
  const detection = valueOrStop(await detectWith(world, own, { ...input, environment }), world);
  world.reporter.result(`mode      ${detection.mode}\nbecause   ${detection.because.text}`, {
    version: 1,
    mode: detection.mode,
    because: detection.because,
  });
}

/**
 * Before the first `up` the environment file lacks the secrets that it generates. They count as there in a mode whose own
 * Compose files ask for them.
 */
async function detectWith(world: World, own: Own | undefined, input: DetectionInput): Promise<Outcome<Detection>> {
  const detected = detectMode(input);
  const { environment } = input;
  const lacks = detected.findings.some(({ code, severity }) => code === "D021" && severity === "error");
  if (!lacks || environment === undefined || own === undefined) return detected;
  for (const mode of modes) {
    const generated = await generatedIn(world, own, mode);
    const complete = new Map([...generated.map((name) => [name, "generated"] as const), ...environment]);
    const later = detectMode({ ...input, environment: complete });
    if (later.ok && later.value.mode === mode) return later;
  }
  return detected;
}

async function generatedIn(world: World, { config, territory }: Own, mode: Mode): Promise<string[]> {
  const files = composeFiles(config.config, mode, territory, world.toolRoot, world.home);
  const texts = await Promise.all(files.map((path) => world.files.read(path)));
  return texts.flatMap((text) => (text === undefined ? [] : generatedNames(text)));
}

/** The file of this folder, or the template that the first `up` copies to its place. */
async function ownSource(world: World, flags: GlobalFlags, own: Own | undefined): Promise<Source> {
  if (own === undefined) return namedSource(world, folderOf(configPathOf(world, flags)), "config.yaml");
  const { config, territory } = own;
  const dangling = await danglingLink(world, territory.root, territory.platformConfigPath);
  if (dangling) throw new DeployError([dangling]);
  const source = await readPlatformConfig(world, config, territory);
  if (source === undefined) throw new DeployError([missing(config.config.platform.config)]);
  if (!(await world.files.stat(territory.platformConfigPath)))
    world.reporter.note(`there is no ${source.file} yet: this is the template that the first up copies there`);
  return source;
}

async function namedSource(world: World, folder: string, file: string): Promise<Source> {
  const text = await world.files.read(resolvePath(folder, world.home, file));
  if (text === undefined) throw new DeployError([missing(file)]);
  return { file, text };
}

async function readOwn(world: World, flags: GlobalFlags): Promise<Own | undefined> {
  const path = configPathOf(world, flags);
  const text = await world.files.read(path);
  if (text === undefined) {
    if (flags.config !== undefined) throw new DeployError([missingConfig(path)]);
    return undefined;
  }
  const config = valueOrStop(parseConfig({ file: flags.config ?? "deploy.config.yaml", text }), world);
  return { config, territory: territoryOf(config.config, path, world.home) };
}

async function readEnvironment(world: World, flags: GlobalFlags): Promise<ReadonlyMap<string, string> | undefined> {
  if (flags.envFile === undefined) return undefined;
  const text = await world.files.read(resolvePath(world.cwd, world.home, flags.envFile));
  if (text === undefined) throw new DeployError([missingEnvFile(flags.envFile)]);
  const parsed = valueOrStop(parseEnvFile({ file: flags.envFile, text }, new Map()), world);
  return new Map(parsed.entries.map(({ key, value }) => [key, value]));
}

function missing(file: string): Finding {
  return {
    code: "D014",
    severity: "error",
    message: `there is no file ${file}`,
    fix: "name the platform's configuration file: deploy detect path/to/config.yaml",
  };
}
