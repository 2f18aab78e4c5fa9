import "../core/schema-settings.ts";
import * as z from "zod";
import { volumesArgv } from "../core/compose-argv.ts";
import type { Container } from "../core/container.ts";
import { privilegesOfContainers } from "../core/live-privileges.ts";
import type { Privilege, PrivilegeContext, VolumeFact } from "../core/privilege.ts";
import type { World } from "../world.ts";
import { docker } from "./engine.ts";

const volumeSchema = z.array(
  z.object({ Name: z.string(), Driver: z.string(), Options: z.record(z.string(), z.string()).nullish() }),
);

/** Reads what the privilege rules must know about this host: where symlinks lead, what volumes hide, the cgroup version. */
export async function readPrivilegeContext(
  world: World,
  projectRoot: string,
  sources: readonly string[],
  containers: readonly Container[],
): Promise<PrivilegeContext> {
  const paths = [
    ...new Set([...sources, ...containers.flatMap(({ mounts }) => mounts.map(({ source }) => source))]),
  ].filter((path) => path.startsWith("/"));
  const names = volumeNames(containers);
  const [realPaths, volumes, unified] = await Promise.all([
    Promise.all(paths.map(async (path) => [path, await world.files.realPath(path)] as const)),
    readVolumes(world, names),
    world.files.stat("/sys/fs/cgroup/cgroup.controllers"),
  ]);
  return {
    projectRoot,
    home: world.home,
    realPaths: new Map(realPaths.flatMap(([path, real]) => (real === undefined ? [] : [[path, real] as const]))),
    volumes,
    cgroupVersion: unified ? 2 : 1,
  };
}

/** The volumes that these containers have mounted, each once. */
export function volumeNames(containers: readonly Container[]): string[] {
  const mounted = containers.flatMap(({ mounts }) => mounts);
  return [...new Set(mounted.flatMap(({ type, name }) => (type === "volume" && name ? [name] : [])))];
}

/** What these containers hold now, sandboxes included. */
export async function livePrivileges(
  world: World,
  projectRoot: string,
  containers: readonly Container[],
): Promise<readonly Privilege[]> {
  return privilegesOfContainers(containers, await readPrivilegeContext(world, projectRoot, [], containers));
}

async function readVolumes(world: World, names: readonly string[]): Promise<VolumeFact[]> {
  if (names.length === 0) return [];
  const { stdout } = await docker(world, volumesArgv(names));
  const parsed = volumeSchema.safeParse(JSON.parse(stdout || "[]"));
  return (parsed.data ?? []).map(({ Name, Driver, Options }) => ({
    name: Name,
    driver: Driver,
    options: Options ?? {},
  }));
}
