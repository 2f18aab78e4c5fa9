import type { JsonObject } from "../request/json.ts";
import { quoted } from "../request/reading.ts";
import type { BodyDraft } from "./body-draft.ts";
import { readTexts } from "./typed-value.ts";

/** What Docker gives to every container that says nothing. */
export const usualCapabilities: readonly string[] = [
  "AUDIT_WRITE",
  "CHOWN",
  "DAC_OVERRIDE",
  "FOWNER",
  "FSETID",
  "KILL",
  "MKNOD",
  "NET_BIND_SERVICE",
  "NET_RAW",
  "SETFCAP",
  "SETGID",
  "SETPCAP",
  "SETUID",
  "SYS_CHROOT",
];

/**
 * What a policy may grant: the usual ones, and those that stay within a container's own namespaces. The others are ways
 * to the host (SYS_ADMIN, SYS_MODULE, SYS_RAWIO, DAC_READ_SEARCH …) or to its network.
 */
export const grantableCapabilities: readonly string[] = [...usualCapabilities, "IPC_LOCK", "SYS_NICE", "SYS_PTRACE"];

/** One spelling for `chown`, `CAP_CHOWN` and `CHOWN`. */
export function capabilityName(text: string): string {
  return text.toUpperCase().replace(/^CAP_/, "");
}

/**
 * What `CapAdd` and `CapDrop` become: everything is dropped, and what is left of the usual capabilities and what was
 * asked for is added again as far as the policy allows. What a client adds by name and cannot have is a refusal.
 */
export function readCapabilities(draft: BodyDraft, host: JsonObject): { add: string[]; drop: string[] } {
  const added = (readTexts(draft, "HostConfig.CapAdd", host.get("CapAdd")) ?? []).map(capabilityName);
  const dropped = (readTexts(draft, "HostConfig.CapDrop", host.get("CapDrop")) ?? []).map(capabilityName);
  const allowed = new Set(draft.policy.capabilities);
  const beyond = added.find((name) => !allowed.has(name));
  if (beyond !== undefined) {
    const what = `HostConfig.CapAdd: the policy does not allow the capability ${quoted(beyond)}`;
    draft.refuse({ rule: "host-config.cap-add", field: "HostConfig.CapAdd", what });
  }
  const usual = dropped.includes("ALL") ? [] : usualCapabilities.filter((name) => !dropped.includes(name));
  const add = [...new Set([...usual.filter((name) => allowed.has(name)), ...added])].sort();
  if (!dropped.includes("ALL")) draft.rewrite("HostConfig.CapDrop", dropped.join(" "), "ALL");
  if (add.join() !== [...new Set(added)].sort().join()) {
    draft.rewrite("HostConfig.CapAdd", added.join(" "), add.join(" "));
  }
  return { add, drop: ["ALL"] };
}
