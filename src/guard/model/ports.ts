import { isObject, type JsonObject, type JsonValue } from "../request/json.ts";
import { quoted } from "../request/reading.ts";
import type { BodyDraft } from "./body-draft.ts";
import { isZero, jsonObject, readList, readMembers, readText } from "./typed-value.ts";

const field = "HostConfig.PortBindings";

/**
 * What `PortBindings` becomes: ports that the policy names, on its one address. A port that a client leaves to the
 * engine is taken from the policy's range, which the engine can do; by itself it would take any that is free.
 */
export function readPortBindings(draft: BodyDraft, value: JsonValue | undefined): JsonValue | undefined {
  const sent = new Map<string, JsonValue>();
  for (const [key, bindings] of readMembers(draft, field, value)) {
    const at = `${field}[${quoted(key).slice(0, 40)}]`;
    const given = readList(draft, at, bindings);
    // No binding at all: the port is only named, and nothing is published.
    if (given.length === 0) continue;
    const port = containerPort(draft, key, at);
    const binding = port === undefined ? undefined : readBinding(draft, given, at);
    if (port === undefined || binding === undefined) continue;
    const name = `${port}/tcp`;
    if (sent.has(name)) draft.refuse({ rule: "port.twice", field: at, what: `${at} is there twice`, status: 400 });
    sent.set(name, [jsonObject({ HostIp: binding.address, HostPort: binding.ports })]);
    draft.note("ports", `${binding.address}:${binding.ports}->${name}`);
  }
  return sent.size === 0 ? undefined : sent;
}

function containerPort(draft: BodyDraft, key: string, at: string): number | undefined {
  const [, digits] = /^(\d{1,5})(?:\/tcp)?$/.exec(key) ?? [];
  const { ports } = draft.policy;
  if (digits === undefined || ports === undefined || !ports.container.includes(Number(digits))) {
    const allowed = ports === undefined ? "none" : ports.container.map((port) => `${port}/tcp`).join(", ");
    return draft.refuse({
      rule: "port.not-allowed",
      field: at,
      what: `the port ${quoted(key)} cannot be published; the policy allows ${allowed}`,
    });
  }
  return Number(digits);
}

function readBinding(
  draft: BodyDraft,
  given: readonly JsonValue[],
  at: string,
): { address: string; ports: string } | undefined {
  const [first] = given;
  if (given.length > 1) {
    return draft.refuse({ rule: "port.several", field: at, what: `${at}: one port of the host is enough for each` });
  }
  if (!isObject(first)) return draft.refuse({ rule: "body.type", field: at, what: `${at} is no binding`, status: 400 });
  for (const name of first.keys()) {
    if (name !== "HostIp" && name !== "HostPort") {
      draft.refuse({ rule: "port.unknown-field", field: at, what: `${at} has HostIp and HostPort only`, status: 400 });
    }
  }
  const address = readText(draft, `${at}.HostIp`, first.get("HostIp")) ?? "";
  const asked = readText(draft, `${at}.HostPort`, first.get("HostPort")) ?? "";
  const { hostAddress = "", hostFrom = 0, hostTo = 0 } = draft.policy.ports ?? {};
  if (address !== hostAddress) draft.rewrite(`${at}.HostIp`, address, hostAddress);
  const ports = asked === "" || asked === "0" ? rangeText(hostFrom, hostTo) : asked;
  const [, from, to = from] = /^([1-9]\d{0,4})(?:-([1-9]\d{0,4}))?$/.exec(ports) ?? [];
  const inside = Number(from) >= hostFrom && Number(to) <= hostTo && Number(from) <= Number(to);
  if (!inside) {
    const what = `the host's port ${quoted(asked)} is not within ${hostFrom} to ${hostTo}`;
    return draft.refuse({ rule: "port.host-range", field: at, what });
  }
  if (ports !== asked) draft.rewrite(`${at}.HostPort`, asked, ports);
  return { address: hostAddress, ports };
}

function rangeText(from: number, to: number): string {
  return from === to ? String(from) : `${from}-${to}`;
}

/** `ExposedPorts`: names without effect, since nothing publishes all of them. Undefined where there are none. */
export function readExposedPorts(draft: BodyDraft, value: JsonValue | undefined): JsonObject | undefined {
  const members = readMembers(draft, "ExposedPorts", value);
  for (const [key, nothing] of members) {
    if (/^\d{1,5}(?:\/(?:tcp|udp|sctp))?$/.test(key) && isZero(nothing)) continue;
    const what = `ExposedPorts: ${quoted(key)} is no port and protocol`;
    draft.refuse({ rule: "config.exposed-ports", field: "ExposedPorts", what, status: 400 });
  }
  return members.size === 0 ? undefined : new Map([...members.keys()].map((key) => [key, new Map()]));
}
