import { visibleLine } from "../text/visible-text.ts";

/** What a running container may hold that reaches past it. */
export const privilegeKinds = [
  "runtime-socket",
  "sandbox-operations",
  "sandbox-folders",
  "privileged",
  "host-namespace",
  "capability",
  "device",
  "security-option",
  "host-bind",
  "published-port",
  "foreign-network",
  "log-driver",
  "credential-directory",
  "credential-variable",
  "kubeconfig",
  "host-program",
  "remote-code",
] as const;
/** One of the kinds. */
export type PrivilegeKind = (typeof privilegeKinds)[number];

/** The names under which an operator accepts a host-level privilege. */
export const consentNames = ["host-root", "host-network", "host-files"] as const;
/** One of the names. */
export type ConsentName = (typeof consentNames)[number];

/** One thing that one service holds, in words that two computations of the same thing share. */
export interface Privilege {
  readonly service: string;
  readonly kind: PrivilegeKind;
  /** What exactly, such as `/var/run/docker.sock (rw)` or `127.0.0.1:2026 -> 8080/tcp`; stable, so that it can be compared. */
  readonly detail: string;
  /** Set where the privilege reaches the host; gaining it needs consent under this name. */
  readonly consent?: ConsentName;
  /** Set where a container does not tell of it reliably: whether it is held is known from the last verified deployment. */
  readonly unseen?: true;
}

/** How a privilege stands between two computations. */
export type PrivilegeChangeKind = "gained" | "lost" | "kept";

/** A privilege and how it stands. */
export interface PrivilegeChange extends Privilege {
  readonly change: PrivilegeChangeKind;
}

/** A privilege before it is known which service holds it. */
export type Grant = Omit<Privilege, "service">;

/** A volume as `docker volume inspect` shows it: options of the local driver can make it a host path. */
export interface VolumeFact {
  readonly name: string;
  readonly driver?: string | undefined;
  readonly options: Readonly<Record<string, string>>;
  /** The Compose project that it was made for; none where somebody made it by hand. */
  readonly project?: string | undefined;
}

/** A network as `docker network inspect` shows it. */
export interface NetworkFact {
  readonly driver: string | undefined;
  /** The Compose project that it was made for. */
  readonly project: string | undefined;
}

/** One thing mounted in a container, wherever it came from. */
export interface MountFact {
  readonly type: string;
  /** Path of the host, or for a volume where the engine keeps it. */
  readonly source: string;
  readonly target: string;
  readonly writable: boolean;
  /** The volume's name. */
  readonly name: string | undefined;
}

/** A container that is not of the project, though the project refers to it. */
export interface OtherContainer {
  readonly id: string;
  readonly name: string;
  readonly mounts: readonly MountFact[];
}

/** What the engine gives to containers that ask for nothing. */
export interface EngineDefaults {
  readonly runtime: string;
  readonly logDriver: string;
}

/** Folders of the host that sandboxes may mount below a root, as a guard's program says of a policy. */
export interface SandboxFolders {
  readonly root: string;
  /** Whether any of them is mounted to write. */
  readonly writable: boolean;
}

/** What is known of the policies of guards, never from what a file means to say but from the guard's program itself. */
export interface GuardedFolders {
  /** Of the policy that is to be, by the file that holds it. */
  readonly planned?: { readonly policyPath: string; readonly folders: SandboxFolders | undefined };
  /** Of guards that run, by the ids of their containers. */
  readonly running: ReadonlyMap<string, SandboxFolders>;
}

/** What the rules must know about the host; every path is absolute. */
export interface PrivilegeContext {
  /** The operator's project: what lies below it was put there for the stack. */
  readonly projectRoot: string;
  readonly home: string;
  /** The tool's own checkout: who writes there decides what the operator runs next. */
  readonly toolRoot?: string;
  /** Where a path leads once its symlinks are followed; a path without an entry leads to itself. */
  readonly realPaths?: ReadonlyMap<string, string>;
  /** Volumes that exist: without them an external volume, or a live one, cannot be told from a host path. */
  readonly volumes?: readonly VolumeFact[];
  /** Networks by name: a driver can put every port of a container on the host's own network. */
  readonly networks?: ReadonlyMap<string, NetworkFact>;
  /** The Compose project: what the engine knows to be of another one is somebody else's. */
  readonly project?: string | undefined;
  /** Containers outside the project to which it refers, by id or name. */
  readonly others?: readonly OtherContainer[];
  /** Left out where every container has the ordinary ones. */
  readonly defaults?: EngineDefaults | undefined;
  readonly guarded?: GuardedFolders;
  /** On version 1 every container is in the host's cgroup namespace, so that asking for it grants nothing more. */
  readonly cgroupVersion?: 1 | 2;
}

/** Identifies a privilege; the consent follows from the rest. */
export function privilegeKey({ service, kind, detail }: Pick<Privilege, "service" | "kind" | "detail">): string {
  return JSON.stringify([service, kind, detail]);
}

/** Orders by service, then by the weight of the kind, then by detail; independent of any locale. */
export function comparePrivileges(a: Privilege, b: Privilege): number {
  const byKind = privilegeKinds.indexOf(a.kind) - privilegeKinds.indexOf(b.kind);
  return compareText(a.service, b.service) || byKind || compareText(a.detail, b.detail);
}

/** Sorts and drops what is named twice. Details hold a Compose file's own words: they become one visible line each. */
export function sortedPrivileges(privileges: readonly Privilege[]): readonly Privilege[] {
  const shown = privileges.map((privilege) => ({ ...privilege, detail: visibleLine(privilege.detail) }));
  const unique = new Map(shown.map((privilege) => [privilegeKey(privilege), privilege]));
  return [...unique.values()].sort(comparePrivileges);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
