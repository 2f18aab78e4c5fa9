import type { Container, ContainerMount } from "./container.ts";
import { type Access, privilegesOf } from "./grants.ts";
import type { HostBind } from "./host-bind.ts";
import { type Privilege, type PrivilegeContext, sortedPrivileges } from "./privilege.ts";
import { volumeReach } from "./volume-options.ts";

/**
 * The privileges that these containers hold, running or not: sorted, each once, replicas of a service together. A
 * container that no Compose service made is a sandbox. Volumes that hide a host path show only if the context has them.
 */
export function privilegesOfContainers(
  containers: readonly Container[],
  context: PrivilegeContext,
): readonly Privilege[] {
  return sortedPrivileges(
    containers.flatMap((container) => privilegesOf(accessOfContainer(container, containers, context), context)),
  );
}

function accessOfContainer(container: Container, all: readonly Container[], context: PrivilegeContext): Access {
  const { access, mounts } = container;
  const reaches = mounts.map((mount) => reachOf(mount, context));
  return {
    service: container.service ?? "sandbox",
    privileged: access.Privileged,
    binds: reaches.flatMap(({ binds }) => binds),
    ports: container.ports,
    namespaces: namespacesOf(container, all, context),
    capabilities: access.CapAdd,
    devices: [
      ...access.Devices.map(({ PathOnHost, CgroupPermissions }) => ({
        source: PathOnHost,
        permissions: CgroupPermissions,
      })),
      ...reaches.flatMap(({ devices }) => devices.map((source) => ({ source, permissions: "mounted" }))),
    ],
    deviceRules: access.DeviceCgroupRules,
    deviceRequests: access.DeviceRequests.map(({ Driver, Count, DeviceIDs, Capabilities }) => {
      return { driver: Driver, count: Count, ids: DeviceIDs, capabilities: Capabilities.flat() };
    }),
    securityOptions: [...access.SecurityOpt, ...(hasOpenSystemPaths(container) ? ["systempaths=unconfined"] : [])],
    groups: access.GroupAdd,
    volumesFrom: access.VolumesFrom.map((entry) => entry.split(":")[0] ?? entry).flatMap((reference) => {
      const other = find(reference, all);
      return other?.service === undefined ? [other?.name ?? reference] : [];
    }),
    networks: container.networks,
    runtime: access.Runtime,
    dockerHost: access.dockerHost,
    hostAliases: access.ExtraHosts.flatMap((line) => /^([^=:]+)[=:]host-gateway$/.exec(line)?.[1]?.toLowerCase() ?? []),
    kubeconfig: access.kubeconfig,
  };
}

function reachOf(
  mount: ContainerMount,
  context: PrivilegeContext,
): { binds: readonly HostBind[]; devices: readonly string[] } {
  const { type, source, target, writable, name } = mount;
  if (type === "bind" || type === "npipe") return { binds: [{ source, target, writable }], devices: [] };
  const volume = type === "volume" ? context.volumes?.find((each) => each.name === name) : undefined;
  const { binds, devices } = volumeReach(volume?.driver, volume?.options ?? {});
  return { devices, binds: binds.map((bind) => ({ ...bind, target, writable: bind.writable && writable })) };
}

/** The engine turns `systempaths=unconfined` into two empty lists; a privileged container has none at all. */
function hasOpenSystemPaths({ access: { Privileged, MaskedPaths, ReadonlyPaths } }: Container): boolean {
  return !Privileged && (MaskedPaths?.length === 0 || ReadonlyPaths?.length === 0);
}

function namespacesOf(
  { access }: Container,
  all: readonly Container[],
  context: PrivilegeContext,
): Access["namespaces"] {
  const shared = {
    network: sharedWith(access.NetworkMode, all),
    pid: sharedWith(access.PidMode, all),
    ipc: sharedWith(access.IpcMode, all),
    uts: sharedWith(access.UTSMode, all),
    user: sharedWith(access.UsernsMode, all),
    // Under cgroup version 1 the engine reports `host` for every container, asked for or not.
    cgroup: context.cgroupVersion === 2 ? sharedWith(access.CgroupnsMode, all) : undefined,
  };
  return Object.fromEntries(Object.entries(shared).filter(([, value]) => value !== undefined));
}

/** The engine only knows ids where Compose said `service:NAME` or `container:NAME`. */
function sharedWith(mode: string, all: readonly Container[]): string | undefined {
  if (mode === "host") return "host";
  if (!mode.startsWith("container:")) return undefined;
  const service = find(mode.slice("container:".length), all)?.service;
  return service === undefined ? "another container" : `service ${service}`;
}

function find(reference: string, containers: readonly Container[]): Container | undefined {
  return containers.find(({ id, name }) => id === reference || name === reference);
}
