import { composeVersionFinding } from "../core/docker-failures.ts";
import { joinPath } from "../core/stack.ts";
import { DeployError } from "../errors.ts";
import type { World } from "../world.ts";
import { docker, engineFinding } from "./engine.ts";

/** A version of Compose and the file that answered with it. */
export interface KnownCompose {
  readonly version: string;
  /** The plugin files that docker may load, each with size and time; another file is another plugin. */
  readonly plugin: string;
}

/** Stops at a Compose that is too old. Asking costs as much as a whole merge, so a plugin that was asked before is not asked again. */
export async function stopOnOldCompose(world: World, known: KnownCompose | undefined): Promise<void> {
  const { version } = await readCompose(world, known);
  const finding = composeVersionFinding(version);
  if (finding) throw new DeployError([finding]);
}

/** The version of Compose, asked anew unless the same plugin file has answered before. */
export async function readCompose(world: World, known: KnownCompose | undefined): Promise<KnownCompose> {
  const plugin = await pluginIdentity(world);
  if (known && plugin !== "" && known.plugin === plugin) return known;
  const result = await docker(world, ["compose", "version", "--short"]);
  if (result.exitCode !== 0) throw new DeployError([engineFinding(result)]);
  return { version: result.stdout.trim(), plugin };
}

/** The folders in which docker looks for plugins on Linux and macOS. */
const pluginFolders = [
  "/usr/local/lib/docker/cli-plugins",
  "/usr/local/libexec/docker/cli-plugins",
  "/usr/lib/docker/cli-plugins",
  "/usr/libexec/docker/cli-plugins",
];

/** Empty where docker may also look elsewhere, so that it is always asked. */
async function pluginIdentity(world: World): Promise<string> {
  const settings = world.env["DOCKER_CONFIG"] ?? joinPath(world.home, ".docker");
  const config = await world.files.read(joinPath(settings, "config.json"));
  if (config?.includes("cliPluginsExtraDirs")) return "";
  const paths = [joinPath(settings, "cli-plugins"), ...pluginFolders].map((folder) =>
    joinPath(folder, "docker-compose"),
  );
  const found = await Promise.all(paths.map(async (path) => [path, await world.files.stat(path)] as const));
  return found.flatMap(([path, stat]) => (stat ? [`${path} ${stat.size} ${stat.mtimeMs}`] : [])).join("; ");
}
