import { isArray, type JsonObject, type JsonValue, jsonInteger } from "../request/json.ts";
import { quoted } from "../request/reading.ts";
import type { BodyDraft } from "./body-draft.ts";
import { isCleanPath, isKernelPath } from "./clean-path.ts";
import { jsonObject, readInteger, readMembers, readText, readTexts } from "./typed-value.ts";

/** `Cmd` and `Entrypoint`: a list, or one text for a list of one. An empty list is not the same as none. */
export function readCommand(draft: BodyDraft, field: string, value: JsonValue | undefined): JsonValue | undefined {
  if (isArray(value) || value === undefined || value === null) return readTexts(draft, field, value);
  const text = readText(draft, field, value);
  return text === undefined ? undefined : [text];
}

/**
 * Variables by which runtimes for accelerators are told which devices of the host to open: with such a runtime as the
 * engine's default they are a device request in other words.
 */
const deviceVariables =
  /^(?:NVIDIA_(?:VISIBLE_DEVICES|MIG_\w+_DEVICES|IMEX_CHANNELS)|(?:HABANA|AMD|ASCEND|MTHREADS|CAMBRICON|DOCKER_RESOURCE_\w+)_VISIBLE_DEVICES|DOCKER_RESOURCE_\w+)$/;

/** Variables by which proxies on the same engine are told to send a container the public's requests, like a label. */
const routingVariables = /^(?:VIRTUAL_HOST(?:_MULTIPORTS)?|LETSENCRYPT_HOST)$/;

/** `Env`: `NAME=value`, or `NAME` for a variable of the image that is to go. Names are noted, values never are. */
export function readEnvironment(draft: BodyDraft, field: string, value: JsonValue | undefined): JsonValue | undefined {
  const variables = readTexts(draft, field, value);
  for (const [index, variable] of (variables ?? []).entries()) {
    const [name = "", setting] = splitVariable(variable);
    if (name === "") {
      const at = `${field}[${index}]`;
      draft.refuse({ rule: "env.name", field: at, what: `${at} has no name`, status: 400 });
    }
    draft.note("environmentNames", name.slice(0, 255));
    if (deviceVariables.test(name) && !["", "none", "void", undefined].includes(setting)) {
      const what = `${field}: the variable ${quoted(name)} asks for devices of the host`;
      draft.refuse({ rule: "env.devices", field, what });
    }
    if (routingVariables.test(name) && setting !== undefined) {
      const what = `${field}: by the variable ${quoted(name)} a proxy on this engine sends the public's requests here`;
      draft.refuse({ rule: "env.routing", field, what });
    }
  }
  return variables;
}

function splitVariable(variable: string): [name: string, value: string | undefined] {
  const at = variable.indexOf("=");
  return at < 0 ? [variable, undefined] : [variable.slice(0, at), variable.slice(at + 1)];
}

/**
 * `WorkingDir`: nothing below /proc, by which a process could begin in a directory of the host that the runtime has
 * open (CVE-2024-21626 was that).
 */
export function readWorkingDirectory(
  draft: BodyDraft,
  field: string,
  value: JsonValue | undefined,
): JsonValue | undefined {
  const text = readText(draft, field, value) ?? "";
  const path = text.length > 1 ? text.replace(/\/$/, "") : text;
  if (path === "") return undefined;
  if (path === "/" || (isCleanPath(path) && !isKernelPath(path))) return path;
  const what = `${field}: ${quoted(text)} has to be absolute, without "." and "..", and not below /proc, /sys and /dev`;
  return draft.refuse({ rule: "config.working-dir", field, what });
}

/** `User`, which may be nobody in particular: then it is the image's, which a policy that names users does not allow. */
export function readUser(draft: BodyDraft, field: string, value: JsonValue | undefined): JsonValue | undefined {
  const user = readText(draft, field, value) ?? "";
  const { users } = draft.policy;
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.:$-]{0,127}$|^$/.test(user) || (users !== undefined && !users.test(user))) {
    const who = user === "" ? "the image's own user" : `the user ${quoted(user)}`;
    draft.refuse({ rule: "config.user", field, what: `${field}: the policy does not allow ${who}` });
  }
  return user === "" ? undefined : user;
}

/** `Hostname`: from engine 25 on other containers of the network find it by this name, so the rule is that of names. */
export function readHostname(draft: BodyDraft, value: JsonValue | undefined): JsonValue | undefined {
  const name = readText(draft, "Hostname", value) ?? "";
  if (name === "") return undefined;
  if (name.length > 63 || !/^[a-zA-Z0-9][a-zA-Z0-9._-]*$/.test(name) || !draft.policy.names.test(name)) {
    const what = `Hostname: ${quoted(name)} is a name on the network, and the policy's names do not match it`;
    return draft.refuse({ rule: "config.hostname", field: "Hostname", what });
  }
  return name;
}

/** `StopSignal`: the name or number of a signal. */
export function readStopSignal(draft: BodyDraft, value: JsonValue | undefined): JsonValue | undefined {
  const signal = readText(draft, "StopSignal", value) ?? "";
  if (signal === "") return undefined;
  if (/^(?:SIG)?[A-Za-z][A-Za-z0-9]{1,7}(?:[+-]\d{1,2})?$|^\d{1,2}$/.test(signal)) return signal;
  const what = `StopSignal: ${quoted(signal)} is no signal`;
  return draft.refuse({ rule: "config.stop-signal", field: "StopSignal", what, status: 400 });
}

const nanosPerSecond = 1_000_000_000;
const hour = 3600 * nanosPerSecond;
// The engine starts a process in the container each time.
const shortestInterval = nanosPerSecond;
const durations = ["Interval", "Timeout", "StartPeriod", "StartInterval"];

/** `Healthcheck`: runs in the container like any other command of it, but not more often than once a second. */
export function readHealthcheck(draft: BodyDraft, value: JsonValue | undefined): JsonValue | undefined {
  const check = readMembers(draft, "Healthcheck", value);
  const refuse = (what: string): undefined =>
    draft.refuse({ rule: "config.healthcheck", field: "Healthcheck", what: `Healthcheck: ${what}`, status: 400 });
  for (const name of check.keys()) {
    if (name !== "Test" && name !== "Retries" && !durations.includes(name)) refuse(`${quoted(name)} is not known`);
  }
  const retries = readInteger(draft, "Healthcheck.Retries", check.get("Retries")) ?? 0;
  if (retries < 0 || retries > 1000) refuse("Retries has to be within 0 and 1000");
  const test = readTexts(draft, "Healthcheck.Test", check.get("Test"));
  const [kind = "NONE"] = test ?? [];
  if (kind !== "NONE" && kind !== "CMD" && kind !== "CMD-SHELL")
    refuse("Test has to begin with NONE, CMD or CMD-SHELL");
  const sent = jsonObject({
    Test: test === undefined || test.length === 0 ? undefined : test,
    ...Object.fromEntries(durations.map((name) => [name, readDuration(draft, name, check)])),
    Retries: retries === 0 ? undefined : jsonInteger(retries),
  });
  return sent.size === 0 ? undefined : sent;
}

function readDuration(draft: BodyDraft, name: string, check: JsonObject): JsonValue | undefined {
  const field = `Healthcheck.${name}`;
  const nanos = readInteger(draft, field, check.get(name)) ?? 0;
  if (nanos < 0 || nanos > hour) {
    const what = `${field} has to be nanoseconds, up to an hour`;
    draft.refuse({ rule: "config.healthcheck", field, what, status: 400 });
  }
  if (nanos === 0) return undefined;
  const sent = name.endsWith("Interval") ? Math.max(nanos, shortestInterval) : nanos;
  if (sent !== nanos) draft.rewrite(field, String(nanos), String(sent));
  return jsonInteger(sent);
}
