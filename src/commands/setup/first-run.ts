import type { World } from "../../world.ts";
import { configPathOf, type GlobalFlags, readSetting, statePathOf } from "../prepare.ts";

/**
 * Whether nothing in this folder is the operator's own yet (no environment, no platform's configuration, no deployment), and
 * somebody is there to be asked. Every later `up` learns it from the receipt alone.
 */
export async function isFirstRun(world: World, flags: GlobalFlags): Promise<boolean> {
  if (!world.reporter.asks || flags.yes === true || flags.envFile !== undefined) return false;
  if ((await world.files.list(statePathOf(world, flags))).includes("receipt.json")) return false;
  if ((await world.files.stat(configPathOf(world, flags))) === undefined) return false;
  const { config, territory } = await readSetting(world, flags);
  if (config.config.compose.base !== undefined) return false;
  const own = [territory.envPath, territory.platformConfigPath];
  // A link that leads nowhere is somebody's: it is not ours to write through.
  const present = await Promise.all(
    own.map(async (path) => (await world.files.linkTarget(path)) ?? (await world.files.stat(path))),
  );
  return present.every((each) => each === undefined);
}
