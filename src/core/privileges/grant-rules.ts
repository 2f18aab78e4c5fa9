import type { Grant } from "./privilege.ts";

/** A port as it was asked for; no `published` means a random one, no `hostIp` every interface. */
export interface PortBinding {
  readonly hostIp: string | undefined;
  readonly published: string | undefined;
  readonly target: number;
  readonly protocol: string;
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

/** The capabilities that a container has: Docker's own set without those dropped and with those added, in which an added one wins. */
export function containerCapabilities(added: readonly string[], dropped: readonly string[]): ReadonlySet<string> {
  const plain = (names: readonly string[]) => names.map((name) => name.toUpperCase().replace(/^CAP_/, ""));
  const gone = plain(dropped);
  const kept = gone.includes("ALL") ? [] : dockerDefaults.filter((name) => !gone.includes(name));
  return new Set([...kept, ...plain(added)]);
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
export function normalOption(option: string): string {
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

/** What else may loosen how the engine confines a container. */
export interface Confinement {
  /** The runtime that was asked for; undefined for the engine's own. */
  readonly runtime: string | undefined;
  readonly cgroupParent: string;
  readonly oomScore: number;
  /** Names of OCI annotations. */
  readonly annotations: readonly string[];
}

/**
 * The operator registered the runtimes, and an annotation only speaks to one of them; another cgroup has other limits; a
 * negative score makes the kernel end programs of the host first. Engines before 24 forget annotations.
 */
export function confinementGrants({ runtime, cgroupParent, oomScore, annotations }: Confinement): Grant[] {
  const option = (detail: string): Grant => ({ kind: "security-option", detail });
  return [
    // The NVIDIA runtime is listed as the device that it brings.
    ...(runtime === undefined || runtime === "nvidia"
      ? []
      : [{ ...option(`runtime ${runtime}`), unseen: true } as const]),
    ...(cgroupParent === "" ? [] : [option(`cgroup parent ${cgroupParent}`)]),
    ...(oomScore < 0 ? [option(`oom score ${oomScore}`)] : []),
    ...annotations.map((name): Grant => ({ ...option(`annotation ${name}`), unseen: true })),
  ];
}
