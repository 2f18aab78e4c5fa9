import { parseEnvFile } from "../../core/env/env-file.ts";
import type { Stack } from "../../core/stack/stack.ts";
import type { World } from "../../world.ts";

/** Adds the profiles that the environment file activates: Compose reads them there only while no other one is named. */
export async function withProfiles(world: World, stack: Stack): Promise<Stack> {
  const text = await world.files.read(stack.envPath);
  const parsed = parseEnvFile({ file: stack.envPath, text: text ?? "" }, new Map());
  const profiles = parsed.ok
    ? parsed.value.entries.findLast(({ key }) => key === "COMPOSE_PROFILES")?.value
    : undefined;
  return profiles ? { ...stack, variables: { ...stack.variables, COMPOSE_PROFILES: profiles } } : stack;
}
