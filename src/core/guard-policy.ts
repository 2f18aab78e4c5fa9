import { isMap, parseDocument } from "yaml";
import type { DeployConfig } from "./config.ts";

/** Policies that come with the tool, by their file names in templates/guard/. */
export const guardPresets = ["default", "deer-flow", "openhands", "docker-py"] as const;

/** The folder of a stack's policy inside the guard's container, and the sockets beside it; compose/docker-compose.dood.yaml mounts there. */
export const guardPaths = {
  engineSocket: "/var/run/docker.sock",
  policy: "/etc/guard/policy.yaml",
  listen: "/run/guard",
  audit: "/var/lib/guard",
} as const;

/**
 * The policy that a stack hands to its guard: the preset, with the keys of the configuration in the place of its own. The
 * owner is the project, because what a guard created is found by it. Whether it is valid, only the guard itself says.
 */
export function guardPolicyText(
  preset: string,
  config: DeployConfig["sandbox"]["docker"]["guard"],
  project: string,
): string {
  const document = parseDocument(preset);
  const { preset: _, ...own } = config;
  if (!isMap(document.contents)) return preset;
  for (const [key, value] of Object.entries({ owner: project, ...own })) document.set(key, value);
  return document.toString();
}
