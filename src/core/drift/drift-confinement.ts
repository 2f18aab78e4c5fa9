import type { Container } from "../containers/container.ts";
import { extraHostName } from "../privileges/engine-grants.ts";
import { normalOption } from "../privileges/grant-rules.ts";
import type { ComposeService } from "../stack/model.ts";
import type { Compared, Difference } from "./drift.ts";
import { listRows, row, sortedText } from "./drift-rows.ts";

/** How a container is confined, beside what reaches past it. */
export function confinementRows({ service, container }: Compared): Difference[] {
  const { access } = container;
  const { settings } = service;
  const flags = (["readOnly", "privileged"] as const).map((key) => String(service[key]));
  return [
    ...row("read-only root", flags[0], String(access.ReadonlyRootfs)),
    ...row("privileged", flags[1], String(access.Privileged)),
    ...listRows("capability to add", capabilities(service.capAdd), capabilities(access.CapAdd)),
    ...listRows("capability to drop", capabilities(service.capDrop), capabilities(access.CapDrop)),
    ...listRows("security option", securityOptions(service.securityOpt), securityOptions(access.SecurityOpt)),
    ...listRows("group", service.groupAdd, access.GroupAdd),
    ...row("restart policy", restartOf(service), access.RestartPolicy),
    ...row("init process", String(settings.init), String(access.Init)),
    ...row("shared memory", settings.shmSize > 0 ? String(settings.shmSize) : undefined, String(access.ShmSize)),
    ...listRows("name server", settings.dns, access.Dns),
    ...listRows("extra host", service.extraHosts.map(extraHostName), access.ExtraHosts.map(extraHostName)),
    ...row("kernel settings", sortedText(settings.sysctls), sortedText(access.Sysctls)),
    ...row("resource limits of processes", sortedText(settings.ulimits), sortedText(ulimitsOf(container))),
    ...row("cgroup parent", service.cgroupParent ?? "", access.CgroupParent),
    ...row("runtime", service.runtime, access.Runtime),
    ...logRows(service, container),
    ...listRows(
      "device",
      service.devices.filter(({ source }) => source.startsWith("/")).map(({ source }) => source),
      access.Devices.map(({ PathOnHost }) => PathOnHost),
    ),
  ];
}

/** The restart policy that Compose gives to a service's containers. */
export function restartOf({ restart, settings }: ComposeService): string {
  return (settings.restart ?? restart?.split(":")[0]) || "no";
}

/** Whose namespaces and volumes a container shares; a service stands for each of its containers. */
export function namespaceRows({ service, container, all }: Compared): Difference[] {
  const { access } = container;
  const modes = [
    {
      what: "network mode",
      wanted: service.networkMode ?? ownNetwork(service, access.NetworkMode),
      found: access.NetworkMode,
    },
    { what: "process namespace", wanted: service.pid ?? "", found: access.PidMode },
    { what: "memory namespace", wanted: service.ipc ?? ownMemory(access.IpcMode), found: access.IpcMode },
    { what: "host name namespace", wanted: service.uts ?? "", found: access.UTSMode },
    { what: "user namespace", wanted: service.usernsMode ?? "", found: access.UsernsMode },
    { what: "cgroup namespace", wanted: service.cgroup, found: access.CgroupnsMode },
  ];
  const shared = modes.flatMap(({ what, wanted, found }) =>
    isSameMode(wanted, found, all) ? [] : [{ what, change: "changed" } as const],
  );
  const volumes =
    service.volumesFrom.length === access.VolumesFrom.length &&
    service.volumesFrom.every((entry) => access.VolumesFrom.some((found) => isVolumePartner(entry, found, all)));
  return [...shared, ...(volumes ? [] : [{ what: "volumes of another container", change: "changed" } as const])];
}

/** On networks of its own a container may have any of their names as its mode, and none of the engine's. */
function ownNetwork({ networks }: ComposeService, found: string): string | undefined {
  return networks.length > 0 && enginesNetworks.includes(found) ? "" : undefined;
}

const enginesNetworks: readonly string[] = ["none", "host", "bridge", "default"];

/** Which of the two kinds of its own a container gets is the engine's choice. */
function ownMemory(found: string): string | undefined {
  return found === "host" ? "" : undefined;
}

/** Without a wish a container gets a namespace of its own; some engines share the cgroup's with the host. */
function isSameMode(wanted: string | undefined, found: string, all: readonly Container[]): boolean {
  if (wanted === undefined) return !found.startsWith("container:");
  const service = /^service:(.+)$/.exec(wanted)?.[1];
  if (service !== undefined) return all.some((each) => each.service === service && found === `container:${each.id}`);
  // Whatever name the service uses, the engine keeps the container's id.
  return found === wanted || (wanted.startsWith("container:") && found.startsWith("container:"));
}

function isVolumePartner(entry: string, found: string, all: readonly Container[]): boolean {
  const [partner = ""] = found.split(":");
  const own = all.find(({ id }) => id === partner);
  const [reference = ""] = entry.replace(/^container:/, "").split(":");
  return entry.startsWith("container:") ? own === undefined || own.name === reference : own?.service === reference;
}

function capabilities(names: readonly string[]): string[] {
  return names.map((name) => name.toUpperCase().replace(/^CAP_/, ""));
}

/** Engines add `label=disable` by themselves where it follows from something else; system paths are no option to them. */
function securityOptions(options: readonly string[]): string[] {
  return options
    .map(normalOption)
    .map((option) => option.replace(/^no-new-privileges=true$/, "no-new-privileges"))
    .filter((option) => !/^(label=disable|systempaths=unconfined)$/.test(option));
}

function ulimitsOf({ access }: Container) {
  return Object.fromEntries(access.Ulimits.map(({ Name, Soft, Hard }) => [Name, { soft: Soft, hard: Hard }]));
}

/** Options of a log driver may hold a secret. */
function logRows({ logging }: ComposeService, { access }: Container): Difference[] {
  if (logging?.driver === undefined) return [];
  const wanted = Object.fromEntries(
    Object.entries(logging.options).flatMap(([key, value]) => (value === null ? [] : [[key, value.reveal()]])),
  );
  const found = Object.fromEntries(
    Object.entries(access.LogConfig.Config).map(([key, value]) => [key, value.reveal()]),
  );
  const options =
    sortedText(wanted) === sortedText(found) ? [] : [{ what: "options of the log driver", change: "changed" } as const];
  return [...row("log driver", logging.driver, access.LogConfig.Type), ...options];
}
