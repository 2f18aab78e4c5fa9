import { credentialGrants } from "../credentials/credential-grants.ts";
import { type DeviceMapping, type DeviceRequest, deviceGrants } from "./device-grants.ts";
import { type EngineAccess, engineGrants, engineSockets } from "./engine-grants.ts";
import { linkGrants, networkGrants, type VolumeUse, volumeGrants, volumesFromGrants } from "./foreign-grants.ts";
import {
  type Confinement,
  capabilityGrants,
  confinementGrants,
  groupGrants,
  type PortBinding,
  portGrant,
  securityGrants,
} from "./grant-rules.ts";
import { asGuard, isGuard, isSandboxFolder, operationGrants, type Program } from "./guard-grants.ts";
import { bindGrant, type HostBind } from "./host-bind.ts";
import { type LogTarget, logGrants } from "./log-grants.ts";
import { type Namespaces, namespaceGrants } from "./namespace-grants.ts";
import type { Grant, Privilege, PrivilegeContext, SandboxFolders } from "./privilege.ts";

/** What a service asks for, or a container holds, in one form: the rules are written once and cannot disagree. */
export interface Access extends EngineAccess, Confinement {
  readonly service: string;
  readonly privileged: boolean;
  readonly binds: readonly HostBind[];
  readonly volumes: readonly VolumeUse[];
  readonly ports: readonly PortBinding[];
  readonly namespaces: Namespaces;
  readonly capabilities: readonly string[];
  readonly devices: readonly DeviceMapping[];
  readonly deviceRules: readonly string[];
  readonly deviceRequests: readonly DeviceRequest[];
  readonly securityOptions: readonly string[];
  readonly groups: readonly string[];
  /** Containers outside the project whose volumes come along. */
  readonly volumesFrom: readonly string[];
  /** Containers outside the project that are linked in the way that hands over their environment. */
  readonly links: readonly string[];
  /** Networks by their names on the engine. */
  readonly networks: readonly string[];
  readonly log: LogTarget;
  readonly program: Program;
  /** What the policy gives sandboxes of the host, if this is a guard. */
  readonly folders: SandboxFolders | undefined;
  /** Made by the platform, and by no service of the stack. */
  readonly isSandbox: boolean;
  /** Variables with a value in which a login is. */
  readonly credentialVariables: readonly string[];
}

/** Everything in these accesses that reaches past the containers, and what some of them get from a guard among them. */
export function privilegesOfAll(accesses: readonly Access[], context: PrivilegeContext): Privilege[] {
  const guards = accesses.filter((access) => isGuard(access, context));
  return accesses.flatMap((access) => [
    ...privilegesOf(access, guards, context),
    ...operationGrants(access, guards, context).map((grant) => ({ service: access.service, ...grant })),
  ]);
}

function privilegesOf(access: Access, guards: readonly Access[], context: PrivilegeContext): Privilege[] {
  const kubeconfigs = (access.variables["KUBECONFIG"] ?? "").split(":").filter((path) => path.startsWith("/"));
  const targets = { kubeconfigs, sockets: engineSockets(access.variables) };
  const grants: Grant[] = [
    ...access.binds.flatMap((bind) => {
      const grant = bindGrant(bind, context, targets);
      const isAsked = access.isSandbox && grant?.kind === "host-bind" && isSandboxFolder(bind, guards, context);
      return grant === undefined ? [] : isAsked ? { kind: grant.kind, detail: grant.detail } : grant;
    }),
    ...engineGrants(access),
    ...(access.privileged ? [privilegedGrant] : []),
    ...namespaceGrants(access.namespaces),
    ...capabilityGrants(access.capabilities),
    ...deviceGrants(access.devices, access.deviceRules, access.deviceRequests, access.runtime, context),
    ...securityGrants(access.securityOptions, impliedOptions(access)),
    ...groupGrants(access.groups),
    ...confinementGrants(access),
    ...volumeGrants(access.volumes, context),
    ...volumesFromGrants(access.volumesFrom),
    ...access.ports.map(portGrant),
    ...networkGrants(access.networks, context),
    ...linkGrants(access.links),
    ...logGrants(access.log, context),
    ...credentialGrants(access.credentialVariables),
  ];
  return (guards.includes(access) ? asGuard(grants) : grants).map((grant) => ({ service: access.service, ...grant }));
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
