import { privilegesOfBuilds } from "./build-privileges.ts";
import { type Access, privilegesOf } from "./grants.ts";
import type { HostBind } from "./host-bind.ts";
import { type ComposeModel, type ComposeService, networkName } from "./model.ts";
import { mountsOf } from "./model-mounts.ts";
import { type Grant, type Privilege, type PrivilegeContext, privilegeKey, sortedPrivileges } from "./privilege.ts";

/**
 * The privileges that the merged model grants to its services, or to those named, and to the builds of their images and
 * of those that no service runs: sorted, each once. Services scaled to zero hold none. What only the model can show
 * (`provider`, hooks, builds) has no counterpart in a running container.
 */
export function privilegesOfModel(
  model: ComposeModel,
  context: PrivilegeContext,
  activeServices?: readonly string[],
): readonly Privilege[] {
  const known = withDeclaredNetworks(context, model);
  const active = Object.entries(model.services).filter(
    ([name, { replicas }]) => replicas !== 0 && (activeServices?.includes(name) ?? true),
  );
  const privileges = active.flatMap(([name, service]) => [
    ...privilegesOf(accessOfService(name, service, model, known), known),
    ...modelOnlyGrants(service).map((grant) => ({ service: name, ...grant })),
  ]);
  const built = [...active.map(([name]) => name), ...Object.keys(model.builtImages)];
  return sortedPrivileges([...privileges, ...privilegesOfBuilds(model, built)]);
}

function accessOfService(
  name: string,
  service: ComposeService,
  model: ComposeModel,
  context: PrivilegeContext,
): Access {
  const mounts = [...mountsOf(name, model, context).values()];
  const networks = service.networks.map((network) => networkName(model, network));
  const isCdi = (source: string) => !source.startsWith("/");
  return {
    service: name,
    privileged: service.privileged,
    binds: [...mounts.flatMap(({ binds }) => binds), ...(service.useApiSocket ? [apiSocket] : [])],
    ports: service.ports,
    namespaces: namespacesOf(service, networks, context),
    capabilities: service.capAdd,
    devices: [
      ...service.devices.filter(({ source }) => !isCdi(source)),
      ...mounts.flatMap(({ devices }) => devices.map((source) => ({ source, permissions: "mounted" }))),
    ],
    deviceRules: service.deviceCgroupRules,
    deviceRequests: [
      ...service.deviceRequests,
      ...service.devices
        .filter(({ source }) => isCdi(source))
        .map(({ source }) => ({ driver: "cdi", count: 0, ids: [source], capabilities: [] })),
    ],
    securityOptions: service.securityOpt,
    groups: service.groupAdd,
    volumesFrom: service.volumesFrom
      .filter((entry) => entry.startsWith("container:"))
      .map((entry) => entry.split(":")[1] ?? entry),
    networks,
    runtime: service.runtime,
    dockerHost: service.environment["DOCKER_HOST"]?.reveal(),
    hostAliases: service.extraHosts.flatMap(
      (line) => /^([^=:]+)[=:]host-gateway$/.exec(line)?.[1]?.toLowerCase() ?? [],
    ),
    kubeconfig: service.environment["KUBECONFIG"]?.reveal(),
  };
}

/** `use_api_socket` is only a flag in the model; at the start Compose binds the socket and copies in the registry logins. */
const apiSocket: HostBind = { source: "/var/run/docker.sock", target: "/var/run/docker.sock", writable: true };

function namespacesOf(
  service: ComposeService,
  networks: readonly string[],
  context: PrivilegeContext,
): Access["namespaces"] {
  const shared = {
    // A network named `host` is the host's own, under whatever key the model knows it.
    network: networks.includes("host") ? "host" : sharedWith(service.networkMode),
    pid: sharedWith(service.pid),
    ipc: sharedWith(service.ipc),
    uts: sharedWith(service.uts),
    user: sharedWith(service.usernsMode),
    cgroup: context.cgroupVersion === 1 ? undefined : sharedWith(service.cgroup),
  };
  return Object.fromEntries(Object.entries(shared).filter(([, value]) => value !== undefined));
}

function sharedWith(mode: string | undefined): string | undefined {
  if (mode === "host") return "host";
  if (mode?.startsWith("service:")) return `service ${mode.slice("service:".length)}`;
  return mode?.startsWith("container:") ? "another container" : undefined;
}

/** Adds the drivers of the networks that the model declares, so that containers on them are judged in the same words. */
export function withDeclaredNetworks(context: PrivilegeContext, model: ComposeModel): PrivilegeContext {
  const declared = Object.entries(model.networks).flatMap(([key, { driver }]): [string, string][] =>
    driver === undefined ? [] : [[networkName(model, key), driver]],
  );
  return { ...context, networkDrivers: new Map([...(context.networkDrivers ?? []), ...declared]) };
}

/** Of what only a model can show, that which was granted before: no container tells of it. */
export function appliedUnseen(
  applied: readonly Pick<Privilege, "service" | "kind" | "detail">[],
  after: readonly Privilege[],
): Privilege[] {
  const keys = new Set(applied.map(privilegeKey));
  return after.filter((privilege) => isModelOnly(privilege) && keys.has(privilegeKey(privilege)));
}

function isModelOnly({ kind, detail }: Privilege): boolean {
  return kind === "host-program" || / hook$|during the image build$/.test(detail);
}

function modelOnlyGrants({ provider, postStart, preStop }: ComposeService): Grant[] {
  const hooks = [
    ...(postStart.some(({ privileged }) => privileged) ? ["post_start hook"] : []),
    ...(preStop.some(({ privileged }) => privileged) ? ["pre_stop hook"] : []),
  ];
  return [
    ...hooks.map((detail): Grant => ({ kind: "privileged", detail, consent: "host-root" })),
    ...(provider === undefined
      ? []
      : [{ kind: "host-program", detail: `provider ${provider}`, consent: "host-root" } satisfies Grant]),
  ];
}
