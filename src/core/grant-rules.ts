import { canonicalPath } from "./host-path.ts";
import type { ConsentName, Grant, PrivilegeContext } from "./privilege.ts";
import { joinPath } from "./stack.ts";

/** The namespaces that a container may share. */
export const namespaceNames = ["network", "pid", "ipc", "uts", "user", "cgroup"] as const;
/** One of the namespaces. */
export type NamespaceName = (typeof namespaceNames)[number];

/** A port as it was asked for; no `published` means a random one, no `hostIp` every interface. */
export interface PortBinding {
  readonly hostIp: string | undefined;
  readonly published: string | undefined;
  readonly target: number;
  readonly protocol: string;
}

/** A device of the host inside a container. */
export interface DeviceMapping {
  readonly source: string;
  /** Letters out of `rwm`; empty means all. */
  readonly permissions: string;
}

/** Devices asked for by what they can do, such as GPUs; a count of -1 means all. */
export interface DeviceRequest {
  readonly driver: string;
  readonly count: number;
  readonly ids: readonly string[];
  readonly capabilities: readonly string[];
}

/**
 * Capabilities with a published way from a root container to root on the host: mounting and cgroup release agents
 * (SYS_ADMIN), loading a kernel module or another kernel (SYS_MODULE, SYS_BOOT), raw memory and disk access (SYS_RAWIO),
 * writing into other processes (SYS_PTRACE), opening any file by handle (DAC_READ_SEARCH, "shocker"), kernel reads and
 * writes (BPF), and MAC_ADMIN, which rewrites the policy that confines the container.
 */
const escapes = "ALL SYS_ADMIN SYS_MODULE SYS_BOOT SYS_RAWIO SYS_PTRACE DAC_READ_SEARCH BPF MAC_ADMIN".split(" ");
/** Docker's own set: naming one of these, as after `cap_drop: ALL`, gives no more than every container has. */
const dockerDefaults =
  "AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE NET_RAW SETFCAP SETGID SETPCAP SETUID SYS_CHROOT".split(
    " ",
  );

/** Capabilities beyond Docker's default set, with or without `CAP_`; an added one wins over `cap_drop`, as in the engine. */
export function capabilityGrants(added: readonly string[]): Grant[] {
  return added
    .map((name) => name.toUpperCase().replace(/^CAP_/, ""))
    .filter((name) => !dockerDefaults.includes(name))
    .map((detail) =>
      escapes.includes(detail) ? { kind: "capability", detail, consent: "host-root" } : { kind: "capability", detail },
    );
}

/** Sharing the host's network is one consent; every other namespace of the host leads to its processes or its root. */
export function namespaceGrants(namespaces: Readonly<Partial<Record<NamespaceName, string>>>): Grant[] {
  return namespaceNames.flatMap((name): Grant[] => {
    const shared = namespaces[name];
    if (shared === undefined) return [];
    const consent: ConsentName = name === "network" ? "host-network" : "host-root";
    return [{ kind: "host-namespace", detail: `${name}: ${shared}`, ...(shared === "host" ? { consent } : {}) }];
  });
}

/** Disks, memory and I/O ports: whoever reads or writes them has the host. */
const hostDevice =
  /^\/dev(\/(sd[a-z]|hd[a-z]|vd[a-z]|xvd|nvme|mmcblk|dm-|md\d|md\/|loop|mapper|disk|block|root|ram|nbd|rbd|zd|sr\d|sg\d|bsg|mtd|zvol|mem$|kmem$|port$|nvram$|autofs$).*)?$/;
/** Character devices that give nothing of the host away, by major number: null, zero, full and random; ttys; GPUs. */
const harmlessCharacters: Readonly<Record<number, readonly number[] | "all">> = {
  1: [3, 5, 7, 8, 9],
  5: [0, 1, 2],
  136: "all",
  195: "all",
  226: "all",
};

/** Docker leaves MKNOD in place, so a rule is enough to open a device: every rule counts but those for harmless ones. */
function ruleReachesHost(rule: string): boolean {
  const [, type, major = "", minor = ""] = /^([abc])\s+(\*|\d+):(\*|\d+)(?:\s|$)/.exec(rule.trim()) ?? [];
  if (type !== "c" || major === "*") return true;
  const minors = harmlessCharacters[Number(major)];
  return minors !== "all" && (minors === undefined || minor === "*" || !minors.includes(Number(minor)));
}

/** Devices by mapping, by cgroup rule, by request, and those that the NVIDIA runtime brings. Symlinks count as their ends. */
export function deviceGrants(
  devices: readonly DeviceMapping[],
  rules: readonly string[],
  requests: readonly DeviceRequest[],
  runtime: string | undefined,
  context: Pick<PrivilegeContext, "realPaths">,
): Grant[] {
  const device = (detail: string, reachesHost: boolean): Grant => ({
    kind: "device",
    detail,
    ...(reachesHost ? { consent: "host-root" } : {}),
  });
  return [
    ...devices.map(({ source, permissions }) => {
      const path = joinPath("/", source);
      const reachesHost = [path, canonicalPath(path, context)].some((each) => hostDevice.test(each));
      return device(`${path} (${permissions === "" ? "rwm" : permissions})`, reachesHost);
    }),
    ...rules.map((rule) => device(`cgroup rule ${rule}`, ruleReachesHost(rule))),
    ...requests.map((request) => device(requestDetail(request), false)),
    ...(runtime === "nvidia" ? [device("runtime nvidia", false)] : []),
  ];
}

function requestDetail({ driver, count, ids, capabilities }: DeviceRequest): string {
  if (driver === "cdi") return `${[...ids].sort().join(", ")} (cdi)`;
  const what = capabilities.length === 0 ? "gpu" : [...capabilities].sort().join("+");
  return `${what} (${ids.length > 0 ? `id ${[...ids].sort().join(", ")}` : count === -1 ? "all" : count})`;
}

/** Options that keep or tighten the default; a rule for each of the others would miss the next one. */
const harmlessOptions = [
  "no-new-privileges",
  "no-new-privileges=true",
  "seccomp=default",
  "seccomp=builtin",
  "apparmor=docker-default",
];

/**
 * Security options other than the harmless ones. `systempaths=unconfined` leaves /proc/sys writable, and a root process
 * that writes core_pattern there runs a program on the host.
 */
export function securityGrants(options: readonly string[], implied: readonly string[]): Grant[] {
  const normal = options.map(normalOption).filter((option) => !harmlessOptions.includes(option));
  return normal
    .filter((option) => !implied.includes(option))
    .map((detail) => ({
      kind: "security-option",
      detail,
      ...(detail === "systempaths=unconfined" ? { consent: "host-root" } : {}),
    }));
}

/** Docker accepts `name=value` and `name:value`; a profile's text, or its file before it is read, is shown as `custom`. */
function normalOption(option: string): string {
  const [, name = option, value] = /^([a-z-]+)[=:](.*)$/s.exec(option) ?? [];
  if (value === undefined) return name;
  return name === "seccomp" && !["unconfined", "default", "builtin"].includes(value)
    ? "seccomp=custom"
    : `${name}=${value}`;
}

/** Groups reach nothing by themselves, but files and sockets that are mounted open to them. */
export function groupGrants(groups: readonly string[]): Grant[] {
  return groups.map((group) => ({ kind: "security-option", detail: `group ${group}` }));
}

/** The line that says where a port can be reached from, such as `127.0.0.1:2026 -> 8080/tcp`. */
export function portGrant({ hostIp, published, target, protocol }: PortBinding): Grant {
  const port = published === undefined || published === "" || published === "0" ? "random" : published;
  return { kind: "published-port", detail: `${shownAddress(hostIp)}:${port} -> ${target}/${protocol}` };
}

/** Docker and Compose write "all interfaces" in several ways; `::` alone means the IPv6 ones. */
function shownAddress(hostIp: string | undefined): string {
  const address = (hostIp ?? "").replace(/^\[|\]$/g, "");
  if (address === "" || address === "*") return "0.0.0.0";
  return address.includes(":") ? `[${address}]` : address;
}

const hostNames = [
  "host.docker.internal",
  "gateway.docker.internal",
  "host.containers.internal",
  "172.17.0.1",
  "localhost",
  "127.0.0.1",
  "::1",
];

/** A runtime reached over the network: on the host it equals the socket, elsewhere (a proxy, say) it is listed. */
export function dockerHostGrants(dockerHost: string | undefined, hostAliases: readonly string[]): Grant[] {
  const [, scheme, host = "", port] =
    /^(tcp|https?|ssh):\/\/(?:[^@/]*@)?(\[[^\]]*\]|[^:/?#]*)(?::(\d+))?/i.exec(dockerHost?.trim() ?? "") ?? [];
  if (scheme === undefined) return [];
  const name = host.replace(/^\[|\]$/g, "").toLowerCase();
  const reachesHost = [...hostNames, ...hostAliases].includes(name);
  const detail = `DOCKER_HOST ${scheme.toLowerCase()}://${host}${port === undefined ? "" : `:${port}`}`;
  return [{ kind: "runtime-socket", detail, ...(reachesHost ? { consent: "host-root" } : {}) }];
}
