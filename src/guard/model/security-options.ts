import type { JsonValue } from "../request/json.ts";
import { quoted } from "../request/reading.ts";
import type { BodyDraft } from "./body-draft.ts";
import { readTexts } from "./typed-value.ts";

const field = "HostConfig.SecurityOpt";
const noNewPrivileges = "no-new-privileges";

/**
 * What `SecurityOpt` becomes: `no-new-privileges` and the policy's seccomp profile, whatever was asked for. A client
 * that switches seccomp off, as those with a browser in their image do, gets the profile; it is not refused, because it
 * cannot be taught. Other options (apparmor, label, systempaths, credentialspec) are refused.
 */
export function readSecurityOptions(draft: BodyDraft, value: JsonValue | undefined): JsonValue {
  const asked = readTexts(draft, field, value) ?? [];
  const { seccomp } = draft.policy;
  const sent = [noNewPrivileges, ...(seccomp === undefined ? [] : [`seccomp=${seccomp}`])];
  for (const option of asked) if (!isUnderstood(option)) refuseOption(draft, option);
  const profiles = asked.filter((option) => seccompOf(option) !== undefined).map((option) => seccompOf(option) ?? "");
  if (!asked.some((option) => isNoNewPrivileges(option))) draft.rewrite(`${field}.${noNewPrivileges}`, "", "true");
  const given = profiles.join(" ");
  const wanted = seccomp ?? "";
  if (given !== wanted) draft.rewrite(`${field}.seccomp`, nameOfProfile(given), nameOfProfile(wanted, "the policy's"));
  return sent;
}

function isUnderstood(option: string): boolean {
  return isNoNewPrivileges(option) || /^no-new-privileges[:=]false$/.test(option) || seccompOf(option) !== undefined;
}

function isNoNewPrivileges(option: string): boolean {
  return /^no-new-privileges(?:[:=]true)?$/.test(option);
}

/** What an option says of seccomp, in both spellings; undefined: it is about something else. */
function seccompOf(option: string): string | undefined {
  return /^seccomp[:=](.+)$/s.exec(option)?.[1];
}

/** A profile is a page of JSON: the audit gets a word for it. */
function nameOfProfile(profile: string, ofOne = "a profile of the client"): string {
  if (profile === "") return "the engine's default";
  return profile.startsWith("{") ? ofOne : profile;
}

function refuseOption(draft: BodyDraft, option: string): void {
  const name = /^[^:=]*/.exec(option)?.[0] ?? "";
  draft.refuse({
    rule: "host-config.security-opt",
    field,
    what: `${field}: ${quoted(name)} cannot be chosen by a client; no-new-privileges and seccomp are set by the policy`,
  });
}
