import type { ComposeModel } from "../stack/model.ts";

/** The secrets that clients of the platform send as their key, as its Compose files say. */
export function clientKeys({ generatedSecrets }: ComposeModel): string[] {
  return Object.entries(generatedSecrets).flatMap(([name, { clientKey }]) => (clientKey ? [name] : []));
}
