import { isMap, parseDocument } from "yaml";
import type { DeployConfig } from "../config/config.ts";

/** Policies that come with the tool, by their file names in templates/guard/. */
export const guardPresets = ["default", "deer-flow", "openhands", "docker-py"] as const;

/** The service of compose/docker-compose.dood.yaml. */
export const guardService = "guard";

/** The folder of a stack's policy inside the guard's container, and the sockets beside it; compose/docker-compose.dood.yaml mounts there. */
export const guardPaths = {
  engineSocket: "/var/run/docker.sock",
  policy: "/etc/guard/policy.yaml",
  listen: "/run/guard",
  audit: "/var/lib/guard",
} as const;

/**
 * The policy that a stack hands to its guard: the preset, with the keys of the configuration in the place of its own, and
 * within a section likewise. The owner is the project, because what a guard created is found by it. Whether it is valid, only the guard itself says.
 */
export function guardPolicyText(
  preset: string,
  config: DeployConfig["sandbox"]["docker"]["guard"],
  project: string,
): string {
  const document = parseDocument(preset);
  const { preset: _, ...own } = config;
  if (!isMap(document.contents)) return preset;
  for (const [key, value] of Object.entries({ owner: project, ...own })) {
    const section = isRecord(value) && isMap(document.get(key)) ? Object.entries(value) : undefined;
    if (section === undefined) document.set(key, value);
    else for (const [name, each] of section) document.setIn([key, name], each);
  }
  return document.toString();
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
