import type { Container } from "../containers/container.ts";
import type { Held } from "../containers/live-excess.ts";
import { credentialLabel, credentialVariables } from "../credentials/credential-grants.ts";
import { containerMount } from "../stack/mount.ts";
import { extraHostName } from "./engine-grants.ts";
import { otherContainer } from "./foreign-grants.ts";
import { type Access, privilegesOfAll } from "./grants.ts";
import { isLocalLog, logTarget } from "./log-grants.ts";
import { type NamespaceName, namespaceEnd, namespaceNames, withSharedProcesses } from "./namespace-grants.ts";
import { type EngineDefaults, type Privilege, type PrivilegeContext, sortedPrivileges } from "./privilege.ts";

/**
 * The privileges that these containers hold, running or not: sorted, each once, replicas of a service together. A
 * container that no Compose service made is a sandbox. Volumes that hide a host path show only if the context has them.
 */
export function privilegesOfContainers(
  containers: readonly Container[],
  context: PrivilegeContext,
): readonly Privilege[] {
  const accesses = containers.map((container) => accessOfContainer(container, containers, context));
  const privileges = privilegesOfAll(accesses, context);
  return sortedPrivileges(withSharedProcesses(privileges));
}

/** The same for each container by itself. */
export function heldByEach(containers: readonly Container[], context: PrivilegeContext): readonly Held[] {
  const accesses = containers.map((container) => ({
    ...accessOfContainer(container, containers, context),
    service: container.id,
  }));
  const found = privilegesOfAll(accesses, context);
  const holders = found.map(({ service }) => service);
  const nameOf = new Map(containers.map((container) => [container.id, serviceOf(container)]));
  const named = withSharedProcesses(
    found.map((each) => ({ ...each, service: nameOf.get(each.service) ?? each.service })),
  );
  return containers.map((container) => ({
    container,
    privileges: sortedPrivileges(named.filter((_, index) => holders[index] === container.id)),
  }));
}

function accessOfContainer(container: Container, all: readonly Container[], context: PrivilegeContext): Access {
  const { access } = container;
  const mounts = container.mounts.map((mount) => containerMount(mount, context));
  return {
    service: serviceOf(container),
    privileged: access.Privileged,
    binds: mounts.flatMap(({ binds }) => binds),
    volumes: mounts.flatMap(({ volumes }) => volumes),
    ports: container.ports,
    namespaces: namespacesOf(container, all, context),
    capabilities: access.CapAdd,
    devices: [
      ...access.Devices.map(({ PathOnHost, CgroupPermissions }) => ({
        source: PathOnHost,
        permissions: CgroupPermissions,
      })),
      ...mounts.flatMap(({ devices }) => devices.map((source) => ({ source, permissions: "mounted" }))),
    ],
    deviceRules: access.DeviceCgroupRules,
    deviceRequests: access.DeviceRequests.map(({ Driver, Count, DeviceIDs, Capabilities }) => {
      return { driver: Driver, count: Count, ids: DeviceIDs, capabilities: Capabilities.flat() };
    }),
    securityOptions: [...access.SecurityOpt, ...(hasOpenSystemPaths(container) ? ["systempaths=unconfined"] : [])],
    groups: access.GroupAdd,
    volumesFrom: othersAmong(volumePartners(container), all, context),
    links: othersAmong(linkPartners(container), all, context),
    networks: container.networks,
    runtime: isDefaultRuntime(access.Runtime, context.defaults) ? undefined : access.Runtime,
    cgroupParent: access.CgroupParent,
    oomScore: access.OomScoreAdj,
    annotations: Object.keys(access.Annotations),
    log: logOf(container, context),
    program: {
      image: container.image,
      words: container.words,
      check: container.settings.healthcheck?.test ?? [],
    },
    folders: context.guarded?.running.get(container.id),
    isSandbox: container.service === undefined,
    credentialVariables: credentialVariables(container.settings.environment, container.ownLabels[credentialLabel]),
    variables: access.variables,
    hosts: access.ExtraHosts.map(extraHostName),
    peers: peersOf(all),
  };
}

function serviceOf({ service }: Container): string {
  return service ?? "sandbox";
}

function peersOf(containers: readonly Container[]): string[] {
  const names = containers.flatMap(({ service, name, aliases }) => (service ? [service, name, ...aliases] : []));
  return names.map((name) => name.toLowerCase());
}

/** What the engine gives to every container, or to one that asks for the ordinary. */
function isDefaultRuntime(runtime: string, defaults?: EngineDefaults): boolean {
  return ["", "runc", "io.containerd.runc.v2", defaults?.runtime].includes(runtime);
}

/** Whether a container has something of which only the engine can say if it gives that to every container. */
export function showsDefaults({ access: { Runtime, LogConfig } }: Container): boolean {
  return !isDefaultRuntime(Runtime) || !isLocalLog(logTarget(LogConfig.Type, LogConfig.Config));
}

function logOf({ access: { LogConfig } }: Container, { defaults }: PrivilegeContext): Access["log"] {
  return LogConfig.Type === defaults?.logDriver ? logTarget("", {}) : logTarget(LogConfig.Type, LogConfig.Config);
}

/** The engine turns `systempaths=unconfined` into two empty lists; a privileged container has none at all. */
function hasOpenSystemPaths({ access: { Privileged, MaskedPaths, ReadonlyPaths } }: Container): boolean {
  return !Privileged && (MaskedPaths?.length === 0 || ReadonlyPaths?.length === 0);
}

function namespacesOf(
  container: Container,
  all: readonly Container[],
  context: PrivilegeContext,
): Access["namespaces"] {
  const shared = namespaceNames.map((name): [NamespaceName, string | undefined] => {
    // Under cgroup version 1 the engine reports `host` for every container, asked for or not.
    if (name === "cgroup" && context.cgroupVersion !== 2) return [name, undefined];
    const partnerOf = (mode: string) => {
      const reference = mode.slice("container:".length);
      const partner = find(reference, all);
      return partner === undefined
        ? { name: `container ${otherContainer(reference, context)?.name ?? reference}`, mode: undefined }
        : { name: `service ${serviceOf(partner)}`, mode: modeOf(name, partner) };
    };
    return [name, namespaceEnd(modeOf(name, container), partnerOf)];
  });
  return Object.fromEntries(shared.filter(([, value]) => value !== undefined));
}

function modeOf(name: NamespaceName, { access }: Container): string {
  const modes = {
    network: access.NetworkMode,
    pid: access.PidMode,
    ipc: access.IpcMode,
    uts: access.UTSMode,
    user: access.UsernsMode,
    cgroup: access.CgroupnsMode,
  };
  return modes[name];
}

/** Everything outside the project to which these containers refer, by id or name: the engine has to be asked about it. */
export function otherReferences(containers: readonly Container[]): string[] {
  const references = containers.flatMap((container) => [
    ...namespaceNames.flatMap((name) => /^container:(.+)$/.exec(modeOf(name, container))?.[1] ?? []),
    ...volumePartners(container),
    ...linkPartners(container),
  ]);
  return references.filter((reference) => find(reference, containers) === undefined);
}

function volumePartners({ access }: Container): string[] {
  return access.VolumesFrom.map((entry) => entry.split(":")[0] ?? entry);
}

/** Links of the old kind, which the engine keeps as `/PARTNER:/CONTAINER/ALIAS`. */
function linkPartners({ access }: Container): string[] {
  return access.Links.map((link) => (link.split(":")[0] ?? link).replace(/^\//, ""));
}

function othersAmong(references: readonly string[], all: readonly Container[], context: PrivilegeContext): string[] {
  return references
    .filter((reference) => find(reference, all) === undefined)
    .map((reference) => otherContainer(reference, context)?.name ?? reference);
}

function find(reference: string, containers: readonly Container[]): Container | undefined {
  return containers.find(({ id, name }) => id === reference || name === reference);
}
