import type { Container } from "../../core/containers/container.ts";
import type { Held } from "../../core/containers/live-excess.ts";
import { modelReferences } from "../../core/containers/own-container.ts";
import { buildPaths } from "../../core/privileges/build-privileges.ts";
import {
  heldByEach,
  otherReferences,
  privilegesOfContainers,
  showsDefaults,
} from "../../core/privileges/live-privileges.ts";
import { logSocket, logTarget } from "../../core/privileges/log-grants.ts";
import type { MountFact, OtherContainer, Privilege, PrivilegeContext } from "../../core/privileges/privilege.ts";
import { type ComposeModel, networkName, serviceNetworks, volumeName } from "../../core/stack/model.ts";
import { joinPath } from "../../core/stack/stack.ts";
import { volumeReach } from "../../core/stack/volume-options.ts";
import { FileReadError } from "../../files.ts";
import type { World } from "../../world.ts";
import { readDefaults, readNetworks, readOthers, readVolumes } from "../engine/engine-facts.ts";
import { type GuardReport, readGuardReport } from "./guard.ts";

/**
 * Reads what the privilege rules must know about this host: where symlinks lead, what volumes hide and whose they and
 * networks are, other containers that are referred to, the cgroup version. The engine is asked only about what there is.
 */
export async function readPrivilegeContext(
  world: World,
  projectRoot: string,
  containers: readonly Container[],
  guard: Promise<GuardReport | undefined>,
  model?: ComposeModel,
): Promise<PrivilegeContext> {
  const others = await readOthers(world, references(containers, model));
  const [known, volumes, networks, defaults, unified, report] = await Promise.all([
    readRealPaths(world, hostPaths(containers, others, projectRoot, model)),
    readVolumes(world, [...new Set([...volumeNames(containers, model), ...mountedVolumes(others)])]),
    readNetworks(world, networkNames(containers, model)),
    containers.some(showsDefaults) ? readDefaults(world) : undefined,
    world.files.stat("/sys/fs/cgroup/cgroup.controllers"),
    guard,
  ]);
  const hidden = volumes.flatMap(({ driver, options }) => reachedPaths(driver, options));
  return {
    projectRoot,
    home: world.home,
    toolRoot: world.toolRoot,
    realPaths: new Map([...known, ...(await readRealPaths(world, hidden))]),
    project: model?.name ?? containers.find(({ project }) => project !== undefined)?.project,
    volumes,
    networks,
    others,
    defaults,
    ...(report?.folders === undefined ? {} : { guarded: { running: new Map([[report.container, report.folders]]) } }),
    cgroupVersion: unified ? 2 : 1,
  };
}

/** The volumes that containers have mounted and a model has, each once, in one order: what the engine is asked about. */
export function volumeNames(containers: readonly Container[], model?: ComposeModel): string[] {
  const declared = model === undefined ? [] : Object.keys(model.volumes).map((key) => volumeName(model, key));
  return [...new Set([...declared, ...mountedVolumes(containers)])].toSorted();
}

/** What these containers hold now, sandboxes included. With the model less has to be asked. */
export async function livePrivileges(
  world: World,
  projectRoot: string,
  containers: readonly Container[],
  model?: ComposeModel,
  guard = readGuardReport(world, containers),
): Promise<readonly Privilege[]> {
  return privilegesOfContainers(containers, await readPrivilegeContext(world, projectRoot, containers, guard, model));
}

/** The same for each container by itself. */
export async function liveHeld(
  world: World,
  projectRoot: string,
  containers: readonly Container[],
  model?: ComposeModel,
  guard = readGuardReport(world, containers),
): Promise<readonly Held[]> {
  return heldByEach(containers, await readPrivilegeContext(world, projectRoot, containers, guard, model));
}

function mountedVolumes(containers: readonly { readonly mounts: readonly MountFact[] }[]): string[] {
  return containers.flatMap(({ mounts }) =>
    mounts.flatMap(({ type, name }) => (type === "volume" && name ? [name] : [])),
  );
}

function references(containers: readonly Container[], model?: ComposeModel): string[] {
  return [...new Set([...otherReferences(containers), ...(model === undefined ? [] : modelReferences(model))])];
}

/** Networks of which neither the model nor their name says whose they are. */
function networkNames(containers: readonly Container[], model?: ComposeModel): string[] {
  const declared = Object.entries(model?.networks ?? {});
  const own = model && declared.flatMap(([key, { external }]) => (external ? [] : [networkName(model, key)]));
  const joined = model && Object.values(model.services).flatMap((service) => serviceNetworks(model, service));
  const attached = containers.flatMap(({ networks }) => networks);
  const names = [...new Set([...(joined ?? []), ...attached])];
  return names.filter((name) => !["bridge", "host", "none", ...(own ?? [])].includes(name)).toSorted();
}

/** Paths of the host that reach a container in any way but through a volume that only the engine knows. */
function hostPaths(
  containers: readonly Container[],
  others: readonly OtherContainer[],
  projectRoot: string,
  model?: ComposeModel,
): string[] {
  const mounts = [...containers, ...others].flatMap((container) => container.mounts);
  const live = [
    ...mounts.flatMap(({ type, source }) => (type === "volume" ? [] : [source])),
    ...containers.flatMap(({ access }) => [
      ...access.Devices.map(({ PathOnHost }) => PathOnHost),
      ...loggedTo(access.LogConfig.Type, access.LogConfig.Config),
    ]),
  ];
  return model === undefined ? live : [...live, ...modelPaths(model, projectRoot)];
}

function modelPaths(model: ComposeModel, projectRoot: string): string[] {
  const all = [...Object.values(model.services), ...Object.values(model.buildServices)];
  const services = all.flatMap(({ volumes, devices, logging }) => [
    ...volumes.flatMap(({ type, source }) => (type === "bind" && source ? [source] : [])),
    ...devices.map(({ source }) => source),
    ...loggedTo(logging?.driver ?? "", logging?.options ?? {}),
  ]);
  const files = [...Object.values(model.secrets), ...Object.values(model.configs)].flatMap(({ file }) => file ?? []);
  const options = Object.values(model.volumes).flatMap(({ driver, driverOpts }) => reachedPaths(driver, driverOpts));
  const builds = all.flatMap(({ build }) =>
    build === undefined ? [] : buildPaths(build, model, projectRoot).map(({ source }) => source),
  );
  return [...services, ...files, ...options, ...builds];
}

function loggedTo(...log: Parameters<typeof logTarget>): string[] {
  return [logSocket(logTarget(...log))].flatMap((socket) => socket ?? []);
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
