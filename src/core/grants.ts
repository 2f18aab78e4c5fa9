import { type DeviceMapping, type DeviceRequest, deviceGrants } from "./device-grants.ts";
import { dockerHostGrants } from "./engine-grants.ts";
import {
  capabilityGrants,
  groupGrants,
  type NamespaceName,
  namespaceGrants,
  type PortBinding,
  portGrant,
  securityGrants,
} from "./grant-rules.ts";
import { bindGrant, type HostBind } from "./host-bind.ts";
import type { Grant, Privilege, PrivilegeContext } from "./privilege.ts";

/** What a service asks for, or a container holds, in one form: the rules are written once and cannot disagree. */
export interface Access {
  readonly service: string;
  readonly privileged: boolean;
  readonly binds: readonly HostBind[];
  readonly ports: readonly PortBinding[];
  /** `host`, `service NAME` or `another container`; a namespace of its own has no entry. */
  readonly namespaces: Readonly<Partial<Record<NamespaceName, string>>>;
  readonly capabilities: readonly string[];
  readonly devices: readonly DeviceMapping[];
  readonly deviceRules: readonly string[];
  readonly deviceRequests: readonly DeviceRequest[];
  readonly securityOptions: readonly string[];
  readonly groups: readonly string[];
  /** Containers outside the project whose volumes come along. */
  readonly volumesFrom: readonly string[];
  /** Networks by name, to find those that are the host's own. */
  readonly networks: readonly string[];
  readonly runtime: string | undefined;
  readonly dockerHost: string | undefined;
  /** Names by which the container reaches its host. */
  readonly hostAliases: readonly string[];
  /** The container's KUBECONFIG: paths joined by colons. */
  readonly kubeconfig: string | undefined;
}

/** Everything in an access that reaches past the container. */
export function privilegesOf(access: Access, context: PrivilegeContext): Privilege[] {
  const kubeconfigTargets = (access.kubeconfig ?? "").split(":").filter((path) => path.startsWith("/"));
  const grants: Grant[] = [
    ...access.binds.flatMap((bind) => bindGrant(bind, context, kubeconfigTargets) ?? []),
    ...dockerHostGrants(access.dockerHost, access.hostAliases),
    ...(access.privileged ? [privilegedGrant] : []),
    ...namespaceGrants(access.namespaces),
    ...capabilityGrants(access.capabilities),
    ...deviceGrants(access.devices, access.deviceRules, access.deviceRequests, access.runtime, context),
    ...securityGrants(access.securityOptions, impliedOptions(access)),
    ...groupGrants(access.groups),
    ...access.volumesFrom.map(volumesFromGrant),
    ...access.ports.map(portGrant),
    ...access.networks.flatMap((network) => networkGrant(network, context)),
  ];
  return grants.map((grant) => ({ service: access.service, ...grant }));
}

const privilegedGrant: Grant = {
  kind: "privileged",
  detail: "all capabilities and devices of the host",
  consent: "host-root",
};

/** Docker sets `label=disable` by itself where a container is privileged or shares the host's processes or memory. */
function impliedOptions({ privileged, namespaces }: Access): string[] {
  if (privileged) return ["label=disable", "systempaths=unconfined"];
  return namespaces.pid === "host" || namespaces.ipc === "host" ? ["label=disable"] : [];
}

/** What another project's container has mounted is unknown before the start, so that it counts as files of the host. */
function volumesFromGrant(container: string): Grant {
  return { kind: "host-bind", detail: `volumes of container ${container}`, consent: "host-files" };
}

function networkGrant(network: string, context: PrivilegeContext): Grant[] {
  const driver = context.networkDrivers?.get(network);
  if (driver !== "macvlan" && driver !== "ipvlan") return [];
  return [{ kind: "published-port", detail: `every port, on ${driver} network ${network}` }];
}
