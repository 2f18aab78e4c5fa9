import { stringify } from "yaml";
import { createRedactor, redactModel } from "../core/secrets/redact.ts";
import { modelSecrets } from "../core/secrets/secret-values.ts";
import { modelOf, readModelText } from "../shell/compose/compose.ts";
import type { World } from "../world.ts";
import { type GlobalFlags, readStack } from "./prepare.ts";

/** Shows the merged Compose model as it would run, with every secret replaced. */
export async function config(world: World, flags: GlobalFlags): Promise<void> {
  const { stack } = await readStack(world, flags);
  const text = await readModelText(world, stack);
  world.reporter.hide(modelSecrets(modelOf(text)));
  const model = redactModel(JSON.parse(text), createRedactor(world.reporter.hidden()));
  // Compose's own `version` is obsolete and no longer printed: the name is free for that of the document.
  world.reporter.result({ whole: stringify(model).trimEnd() }, Object.assign({}, model, { version: 1, exitCode: 0 }));
}
