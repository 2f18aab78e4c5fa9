import "../core/schema-settings.ts";
import * as z from "zod";
import { networksArgv, volumesArgv } from "../core/compose-argv.ts";
import type { Container } from "../core/container.ts";
import { privilegesOfContainers } from "../core/live-privileges.ts";
import { type ComposeModel, networkName, volumeName } from "../core/model.ts";
import type { Privilege, PrivilegeContext, VolumeFact } from "../core/privilege.ts";
import { joinPath } from "../core/stack.ts";
import { volumeReach } from "../core/volume-options.ts";
import { FileReadError } from "../files.ts";
import type { World } from "../world.ts";
import { docker } from "./engine.ts";

const volumeSchema = z.array(
  z.object({ Name: z.string(), Driver: z.string(), Options: z.record(z.string(), z.string()).nullish() }),
);

const networksSchema = z.array(z.object({ Name: z.string(), Driver: z.string() }));

/** Reads what the privilege rules must know about this host: where symlinks lead, what volumes hide, the cgroup version. */
export async function readPrivilegeContext(
  world: World,
  projectRoot: string,
  containers: readonly Container[],
  model?: ComposeModel,
): Promise<PrivilegeContext> {
  const [known, volumes, networkDrivers, unified] = await Promise.all([
    readRealPaths(world, hostPaths(containers, model)),
    readVolumes(world, volumeNames(containers, model)),
    readNetworkDrivers(world, model),
    world.files.stat("/sys/fs/cgroup/cgroup.controllers"),
  ]);
  const hidden = volumes.flatMap(({ driver, options }) => reachedPaths(driver, options));
  return {
    projectRoot,
    home: world.home,
    toolRoot: world.toolRoot,
    realPaths: new Map([...known, ...(await readRealPaths(world, hidden))]),
    volumes,
    networkDrivers,
    cgroupVersion: unified ? 2 : 1,
  };
}

/** The volumes that containers have mounted and a model has, each once, in one order: what the engine is asked about. */
export function volumeNames(containers: readonly Container[], model?: ComposeModel): string[] {
  const declared = model === undefined ? [] : Object.keys(model.volumes).map((key) => volumeName(model, key));
  const mounted = containers.flatMap(({ mounts }) => mounts);
  const names = mounted.flatMap(({ type, name }) => (type === "volume" && name ? [name] : []));
  return [...new Set([...declared, ...names])].toSorted();
}

/** What these containers hold now, sandboxes included. */
export async function livePrivileges(
  world: World,
  projectRoot: string,
  containers: readonly Container[],
): Promise<readonly Privilege[]> {
  return privilegesOfContainers(containers, await readPrivilegeContext(world, projectRoot, containers));
}

/** Paths of the host that reach a container in any way but through a volume that only the engine knows. */
function hostPaths(containers: readonly Container[], model?: ComposeModel): string[] {
  const live = containers.flatMap(({ mounts, access }) => [
    ...mounts.flatMap(({ type, source }) => (type === "volume" ? [] : [source])),
    ...access.Devices.map(({ PathOnHost }) => PathOnHost),
  ]);
  if (model === undefined) return live;
  const services = Object.values(model.services).flatMap(({ volumes, devices }) => [
    ...volumes.flatMap(({ type, source }) => (type === "bind" && source ? [source] : [])),
    ...devices.map(({ source }) => source),
  ]);
  const files = [...Object.values(model.secrets), ...Object.values(model.configs)].flatMap(({ file }) => file ?? []);
  const options = Object.values(model.volumes).flatMap(({ driver, driverOpts }) => reachedPaths(driver, driverOpts));
  return [...live, ...services, ...files, ...options];
}

function reachedPaths(driver: string | undefined, options: Readonly<Record<string, string>>): string[] {
  const { binds, devices } = volumeReach(driver, options);
  return [...binds.map(({ source }) => source), ...devices];
}

/** Under the spelling by which the rules look a path up, though a `..` after a symlink leads elsewhere than it reads. */
async function readRealPaths(world: World, paths: readonly string[]): Promise<[path: string, real: string][]> {
  const absolute = [...new Set(paths)].filter((path) => path.startsWith("/"));
  const found = await Promise.all(
    absolute.map(async (path) => [joinPath("/", path), await world.files.realPath(path).catch(hiddenFromUs)] as const),
  );
  return found.flatMap(([path, real]): [string, string][] => (real === undefined ? [] : [[path, real]]));
}

/** What this user may not look into is judged by its name. */
function hiddenFromUs(error: unknown): undefined {
  if (!(error instanceof FileReadError)) throw error;
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

/** Drivers of external networks; those of its own the model tells. */
async function readNetworkDrivers(world: World, model?: ComposeModel): Promise<ReadonlyMap<string, string>> {
  const external = Object.entries(model?.networks ?? {}).filter(([, network]) => network.external);
  if (model === undefined || external.length === 0) return new Map();
  const names = external.map(([key]) => networkName(model, key));
  const { stdout } = await docker(world, networksArgv(names));
  const parsed = networksSchema.safeParse(JSON.parse(stdout || "[]"));
  return new Map((parsed.data ?? []).map(({ Name, Driver }) => [Name, Driver]));
}
