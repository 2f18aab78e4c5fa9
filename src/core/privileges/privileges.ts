import { linkedOthers, ownService, peerNames, volumeOthers } from "../containers/own-container.ts";
import { credentialLabel, credentialVariables } from "../credentials/credential-grants.ts";
import { guardPaths } from "../stack/guard-policy.ts";
import { type ComposeModel, type ComposeService, networkName, serviceNetworks } from "../stack/model.ts";
import { mountsOf } from "../stack/model-mounts.ts";
import { privilegesOfBuilds } from "./build-privileges.ts";
import { extraHostName, readVariables } from "./engine-grants.ts";
import { otherContainer } from "./foreign-grants.ts";
import { type Access, privilegesOfAll } from "./grants.ts";
import { isGuardImage } from "./guard-grants.ts";
import { logTarget } from "./log-grants.ts";
import { type NamespaceName, namespaceEnd, namespaceNames, withSharedProcesses } from "./namespace-grants.ts";
import { type Grant, type Privilege, type PrivilegeContext, privilegeKey, sortedPrivileges } from "./privilege.ts";

/**
 * The privileges that the merged model grants to its services, or to those named, and to the builds of their images and
 * of those that no service runs: sorted, each once. Services scaled to zero hold none, but what Compose runs on the host
 * for them it runs all the same. What only the model can show (`provider`, hooks, builds) is marked as unseen.
 */
export function privilegesOfModel(
  merged: ComposeModel,
  context: PrivilegeContext,
  activeServices: readonly string[] = Object.keys(merged.services),
): readonly Privilege[] {
  const broughtUp = withDependencies(activeServices, merged);
  const model = withOptional(broughtUp, merged);
  const known = withDeclaredNetworks(context, model);
  const active = Object.entries(model.services).filter(
    ([name, { replicas }]) => replicas !== 0 && (activeServices.includes(name) || name in merged.buildServices),
  );
  const peers = peerNames(active, model.name);
  const privileges = [
    ...privilegesOfAll(
      active.map(([name, service]) => accessOfService(name, service, model, peers, known)),
      known,
    ),
    ...active.flatMap(([name, service]) =>
      [...hookGrants(service), ...insideGuard(name, service, model, known)].map((grant) => ({
        service: name,
        ...grant,
      })),
    ),
  ];
  const programs = broughtUp.flatMap((name) =>
    hostPrograms(model.services[name]).map((grant) => ({ service: name, ...grant })),
  );
  const built = [...active.map(([name]) => name), ...Object.keys(model.builtImages)];
  const builds = privilegesOfBuilds(model, built, known);
  return sortedPrivileges([...withSharedProcesses(privileges), ...programs, ...builds]);
}

function accessOfService(
  name: string,
  service: ComposeService,
  model: ComposeModel,
  peers: readonly string[],
  context: PrivilegeContext,
): Access {
  const mounts = [...mountsOf(name, model, context).values()];
  const binds = mounts.flatMap((mount) => mount.binds);
  const networks = serviceNetworks(model, service);
  const isCdi = (source: string) => !source.startsWith("/");
  const nameOf = (reference: string) => otherContainer(reference, context)?.name ?? reference;
  const variables = readVariables.map((variable) => [variable, service.environment[variable]?.reveal() ?? ""] as const);
  return {
    service: name,
    privileged: service.privileged,
    binds,
    volumes: mounts.flatMap(({ volumes }) => volumes),
    ports: service.ports,
    namespaces: namespacesOf(service, model, context),
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
    volumesFrom: volumeOthers(service, model).map(nameOf),
    links: networks.includes("bridge") ? linkedOthers(service, model).map(nameOf) : [],
    networks,
    runtime: service.runtime,
    cgroupParent: service.cgroupParent ?? "",
    oomScore: service.oomScore,
    annotations: service.annotations,
    log: logTarget(service.logging?.driver ?? "", service.logging?.options ?? {}),
    program: programOf(service),
    folders: plannedFolders(binds, context),
    isSandbox: false,
    credentialVariables: credentialVariables(service.environment, service.labels[credentialLabel]),
    variables: Object.fromEntries(variables),
    hosts: service.extraHosts.map(extraHostName),
    peers,
  };
}

function programOf({ image = "", entrypoint, command, healthcheck }: ComposeService): Access["program"] {
  const check = healthcheck?.disable ? ["NONE"] : [healthcheck?.test ?? []].flat();
  return { image, words: [...entrypoint, ...command], check };
}

/** Only of the policy that was shown to the guard's program: another file may say anything. */
function plannedFolders(binds: Access["binds"], { guarded }: PrivilegeContext): Access["folders"] {
  const planned = guarded?.planned;
  const isRead = binds.some(({ source, target }) => target === guardPaths.policy && source === planned?.policyPath);
  return isRead ? planned?.folders : undefined;
}

function namespacesOf(service: ComposeService, model: ComposeModel, context: PrivilegeContext): Access["namespaces"] {
  const shared = namespaceNames.map((name): [NamespaceName, string | undefined] => {
    if (name === "cgroup" && context.cgroupVersion === 1) return [name, undefined];
    const partnerOf = (mode: string) => {
      const reference = mode.slice(mode.indexOf(":") + 1);
      const partner = mode.startsWith("service:") ? reference : ownService(reference, model);
      const container = otherContainer(reference, context)?.name ?? reference;
      return partner === undefined
        ? { name: `container ${container}`, mode: undefined }
        : { name: `service ${partner}`, mode: modeOf(name, model.services[partner], model) };
    };
    return [name, namespaceEnd(modeOf(name, service, model), partnerOf)];
  });
  return Object.fromEntries(shared.filter(([, value]) => value !== undefined));
}

function modeOf(name: NamespaceName, service: ComposeService | undefined, model: ComposeModel): string | undefined {
  if (service === undefined) return undefined;
  const modes = {
    // A network named `host` is the host's own, under whatever key the model knows it.
    network: serviceNetworks(model, service).includes("host") ? "host" : service.networkMode,
    pid: service.pid,
    ipc: service.ipc,
    uts: service.uts,
    user: service.usernsMode,
    cgroup: service.cgroup,
  };
  return modes[name];
}

/** Adds the networks that the model declares, so that containers on them are judged in the same words, and whose they are. */
export function withDeclaredNetworks(context: PrivilegeContext, model: ComposeModel): PrivilegeContext {
  const declared = Object.entries(model.networks)
    .filter(([, { external }]) => !external)
    .map(([key, { driver }]) => [networkName(model, key), { driver, project: model.name }] as const);
  return { ...context, project: model.name, networks: new Map([...(context.networks ?? []), ...declared]) };
}

/** Of what no container tells, that which was granted before. */
export function appliedUnseen(
  applied: readonly Pick<Privilege, "service" | "kind" | "detail">[],
  after: readonly Privilege[],
): Privilege[] {
  const keys = new Set(applied.map(privilegeKey));
  return after.filter((privilege) => privilege.unseen && keys.has(privilegeKey(privilege)));
}

function hookGrants({ hooks, useApiSocket }: ComposeService): Grant[] {
  const privileged = Object.entries(hooks).filter(([, list]) => list.some((hook) => hook.privileged));
  const logins: Grant = {
    kind: "credential-directory",
    detail: "the operator's registry logins, by use_api_socket",
    consent: "host-files",
    unseen: true,
  };
  return [
    ...privileged.map(
      ([name]): Grant => ({ kind: "privileged", detail: `${name} hook`, consent: "host-root", unseen: true }),
    ),
    ...(useApiSocket ? [logins] : []),
  ];
}

/** What is in the guard's own container beside its program and the policy that was read has its socket as well. */
function insideGuard(name: string, service: ComposeService, model: ComposeModel, context: PrivilegeContext): Grant[] {
  if (!isGuardImage(service.image ?? "")) return [];
  const started = Object.entries(service.hooks).flatMap(([hook, list]) => (list.length > 0 ? [`${hook} hook`] : []));
  const written = [
    ...service.configs.flatMap(({ source }) => (model.configs[source]?.file === undefined ? [`config ${source}`] : [])),
    ...service.secrets.flatMap(({ source }) => (model.secrets[source]?.file === undefined ? [`secret ${source}`] : [])),
  ];
  const planned = context.guarded?.planned?.policyPath;
  const policies = mountsOf(name, model, context).get(guardPaths.policy)?.binds ?? [];
  const unread = policies.filter(({ source }) => planned !== undefined && source !== planned);
  return [...started, ...written, ...unread.map(({ source }) => `policy ${source}`)].map((what) => ({
    kind: "runtime-socket",
    detail: `${what}, in the guard`,
    consent: "host-root",
    unseen: true,
  }));
}

/**
 * Programs that Compose runs on the host: a provider is any command, and `docker model` is started with flags that the
 * merged model does not show.
 */
function hostPrograms(service: ComposeService | undefined): Grant[] {
  const provider = service?.provider === undefined ? [] : [`provider ${service.provider}`];
  const models = service?.models.map((model) => `docker model, for ${model}`) ?? [];
  return [...provider, ...models].map((detail) => ({
    kind: "host-program",
    detail,
    consent: "host-root",
    unseen: true,
  }));
}

/** Compose brings up what a service depends on as well, to whatever number it is scaled. */
function withDependencies(services: readonly string[], { services: all, buildServices }: ComposeModel): string[] {
  const found = new Set(services);
  for (const name of found)
    for (const other of Object.keys((all[name] ?? buildServices[name])?.dependsOn ?? {})) found.add(other);
  return [...found];
}

/** A service that is only built starts all the same if another depends on it and a second profile of it is active. */
function withOptional(broughtUp: readonly string[], model: ComposeModel): ComposeModel {
  const optional = Object.entries(model.buildServices).filter(([name]) => broughtUp.includes(name));
  return { ...model, services: { ...model.services, ...Object.fromEntries(optional) } };
}
