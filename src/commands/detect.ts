import { type ConfigFile, parseConfig } from "../core/config.ts";
import { detectMode } from "../core/detect.ts";
import { parseEnvFile } from "../core/env-file.ts";
import type { Finding } from "../core/finding.ts";
import { folderOf, resolvePath } from "../core/stack.ts";
import { DeployError } from "../errors.ts";
import type { World } from "../world.ts";
import { configPathOf, type GlobalFlags, missingConfig, missingEnvFile, valueOrStop } from "./prepare.ts";

/** Shows mode and because for one file, as the platform's runtime would see it; asks no engine. */
export async function detect(world: World, flags: GlobalFlags, file: string | undefined): Promise<void> {
  const config = await optionalConfig(world, flags);
  const settings = config?.config.platform;
  const name = file ?? settings?.config ?? "config.yaml";
  const path =
    file === undefined
      ? resolvePath(folderOf(configPathOf(world, flags)), world.home, name)
      : resolvePath(world.cwd, world.home, name);
  const text = await world.files.read(path);
  if (text === undefined) throw new DeployError([missing(name)]);
  const environment = await readEnvironment(world, flags);
  const detection = valueOrStop(
    detectMode({
      rules: settings?.detection ?? "deer-flow",
      config: { file: name, text },
      environment,
      ...forced(config, file),
    }),
    world,
  );
  world.reporter.result(`mode      ${detection.mode}\nbecause   ${detection.because.text}`, {
    version: 1,
    mode: detection.mode,
    because: detection.because,
  });
}

/** A file named on the command line is judged by itself: what this checkout forces says nothing about it. */
function forced(config: ConfigFile | undefined, file: string | undefined) {
  const mode = config?.config.sandbox.mode;
  if (config === undefined || file !== undefined || mode === undefined || mode === "auto") return {};
  const at = config.positionOf(["sandbox", "mode"]);
  return { forced: { mode, at: `${at.file}:${at.line ?? 1}` } };
}

async function optionalConfig(world: World, flags: GlobalFlags): Promise<ConfigFile | undefined> {
  const path = configPathOf(world, flags);
  const text = await world.files.read(path);
  if (text !== undefined) return valueOrStop(parseConfig({ file: flags.config ?? "deploy.config.yaml", text }), world);
  if (flags.config !== undefined) throw new DeployError([missingConfig(path)]);
  return undefined;
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
