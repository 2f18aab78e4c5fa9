/** What a running container may hold that reaches past it. */
export const privilegeKinds = [
  "runtime-socket",
  "privileged",
  "host-namespace",
  "capability",
  "device",
  "security-option",
  "host-bind",
  "published-port",
  "credential-directory",
  "kubeconfig",
  "host-program",
] as const;
export type PrivilegeKind = (typeof privilegeKinds)[number];

/** The names under which an operator accepts a host-level privilege. */
export const consentNames = ["host-root", "host-network", "host-files"] as const;
export type ConsentName = (typeof consentNames)[number];

/** One thing that one service holds, in words that two computations of the same thing share. */
export interface Privilege {
  readonly service: string;
  readonly kind: PrivilegeKind;
  /** What exactly, such as `/var/run/docker.sock (rw)` or `127.0.0.1:2026 -> 8080/tcp`; stable, so that it can be compared. */
  readonly detail: string;
  /** Set where the privilege reaches the host; gaining it needs consent under this name. */
  readonly consent?: ConsentName;
}

export type PrivilegeChangeKind = "gained" | "lost" | "kept";

export interface PrivilegeChange extends Privilege {
  readonly change: PrivilegeChangeKind;
}
