import { stringify } from "yaml";
import { createRedactor, redactModel } from "../core/redact.ts";
import { readModelText } from "../shell/compose.ts";
import type { World } from "../world.ts";
import { type GlobalFlags, readStack } from "./prepare.ts";

/** Shows the merged Compose model as it would run, with every secret replaced. */
export async function config(world: World, flags: GlobalFlags): Promise<void> {
  const { stack, territory } = await readStack(world, flags);
  const secrets = await knownSecrets(world, territory);
  world.reporter.hide(secrets);
  const model = redactModel(JSON.parse(await readModelText(world, territory, stack)), createRedactor(secrets));
  world.reporter.result(stringify(model).trimEnd(), model);
}
