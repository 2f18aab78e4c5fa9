import type { Concealed } from "../secrets/concealed.ts";
import { shownUrl } from "../text/shown-url.ts";
import { bindGrant } from "./host-bind.ts";
import type { Grant, PrivilegeContext } from "./privilege.ts";

/** Where the output of a container goes: to the engine's log driver, which the daemon runs as root on the host. */
export interface LogTarget {
  readonly driver: string;
  /** From the driver's options; empty for its default. */
  readonly address: string;
}

/** Drivers that write to where the operator looks for logs: files of the engine, the journal, the system log. */
const localDrivers = ["", "none", "json-file", "local", "journald", "etwlogs"];
/** The option of each driver that says where to. */
const addressOptions: Readonly<Record<string, string>> = {
  syslog: "syslog-address",
  fluentd: "fluentd-address",
  gelf: "gelf-address",
  splunk: "splunk-url",
};

/** Reads the address, and nothing else of a driver's options: they may hold tokens. */
export function logTarget(driver: string, options: Readonly<Record<string, Concealed | null>>): LogTarget {
  return { driver, address: options[addressOptions[driver] ?? ""]?.reveal() ?? "" };
}

/** The socket of the host to which the daemon writes what the container prints; undefined for anything else. */
export function logSocket({ address }: LogTarget): string | undefined {
  const path = /^unix(?:gram)?:\/\/(.*)$/i.exec(address.trim())?.[1];
  return path === undefined ? undefined : `/${path.replace(/^\/+/, "")}`;
}

/** Whether a log stays with the engine. */
export function isLocalLog({ driver, address }: LogTarget): boolean {
  return localDrivers.includes(driver) || (driver === "syslog" && address === "");
}

/**
 * A remote log is a way out that no network of the container shows. A socket of the host is judged as if it was mounted:
 * the container chooses what root writes into it. The engine fills in its own default, so that a container shows only
 * what differs from it.
 */
export function logGrants(target: LogTarget, context: PrivilegeContext): Grant[] {
  if (isLocalLog(target)) return [];
  const socket = logSocket(target);
  if (socket === undefined)
    return [{ kind: "log-driver", detail: `${target.driver} ${shownUrl(target.address)}`.trim(), unseen: true }];
  const grant = bindGrant({ source: socket, target: socket, writable: true }, context);
  return grant === undefined ? [] : [{ ...grant, detail: `${grant.detail}, by the log driver`, unseen: true }];
}
