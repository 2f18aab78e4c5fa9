import type { Grant, OtherContainer, PrivilegeContext } from "./privilege.ts";

/** A volume that is mounted, by its name on the engine. */
export interface VolumeUse {
  readonly name: string;
  /** The path in the container. */
  readonly target: string;
  readonly writable: boolean;
}

/** The engine names a volume that nobody named by 64 random digits. */
const anonymous = /^[0-9a-f]{64}$/;

/** Volumes that are not the project's own. The data of another project is as good as a folder of the host. */
export function volumeGrants(volumes: readonly VolumeUse[], context: PrivilegeContext): Grant[] {
  return volumes.flatMap(({ name, writable }): Grant[] => {
    const owner = ownerOf(
      context.volumes?.find((volume) => volume.name === name),
      context,
    );
    if (owner === undefined || anonymous.test(name)) return [];
    const detail = `volume ${name}${owner} (${writable ? "rw" : "ro"})`;
    return [{ kind: "host-bind", detail, ...(owner === "" ? {} : { consent: "host-files" }) }];
  });
}

/**
 * Networks that are not the project's own. macvlan and ipvlan put every port of a container on the host's own network;
 * `bridge` is where the engine puts every container that names none.
 */
export function networkGrants(networks: readonly string[], context: PrivilegeContext): Grant[] {
  return networks.flatMap((name): Grant[] => {
    if (name === "bridge") return [{ kind: "foreign-network", detail: "bridge, the engine's own" }];
    const network = context.networks?.get(name);
    if (network?.driver === "macvlan" || network?.driver === "ipvlan")
      return [{ kind: "published-port", detail: `every port, on ${network.driver} network ${name}` }];
    const owner = name === "host" || name === "none" ? undefined : ownerOf(network, context);
    return owner === undefined ? [] : [{ kind: "foreign-network", detail: `${name}${owner}` }];
  });
}

/** Whose something is, in the words of a detail: undefined if the project's own or not known, empty if nobody's. */
function ownerOf(fact: { project?: string | undefined } | undefined, context: PrivilegeContext): string | undefined {
  if (fact === undefined || context.project === undefined || fact.project === context.project) return undefined;
  return fact.project === undefined ? "" : ` of project ${fact.project}`;
}

/** What another's container has mounted may change until the start, so that it counts as files of the host. */
export function volumesFromGrants(containers: readonly string[]): Grant[] {
  return containers.map((name) => ({
    kind: "host-bind",
    detail: `volumes of container ${name}`,
    consent: "host-files",
  }));
}

/** On the engine's own bridge a link hands over the environment of the other container, and what is secret in it. */
export function linkGrants(containers: readonly string[]): Grant[] {
  return containers.map((name) => ({
    kind: "foreign-network",
    detail: `environment of linked container ${name}`,
    consent: "host-files",
  }));
}

/** A container outside the project, by the id or name with which something refers to it. */
export function otherContainer(reference: string, context: PrivilegeContext): OtherContainer | undefined {
  return context.others?.find(
    ({ id, name }) => name === reference || id === reference || (reference.length >= 12 && id.startsWith(reference)),
  );
}
