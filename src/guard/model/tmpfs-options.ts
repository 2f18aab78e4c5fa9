import { parseBinaryBytes } from "../policy/units.ts";
import type { JsonObject } from "../request/json.ts";
import { quoted } from "../request/reading.ts";
import type { BodyDraft } from "./body-draft.ts";
import { isZero, readInteger } from "./typed-value.ts";

/** What a client may choose of a file system in memory. */
export interface TmpfsOptions {
  readonly readOnly: boolean;
  readonly executable: boolean;
  /** Undefined: the policy's limit. */
  readonly bytes: number | undefined;
  /** Octal digits. */
  readonly mode: string | undefined;
  readonly uid: string | undefined;
  readonly gid: string | undefined;
}

const flags = ["rw", "ro", "exec", "noexec", "nosuid", "nodev"];

/** Reads the options of `HostConfig.Tmpfs`, such as `rw,nosuid,nodev,mode=1777,size=64m`; the last of several counts. */
export function readTmpfsOptions(draft: BodyDraft, field: string, text: string): TmpfsOptions {
  const given = text === "" ? [] : text.split(",");
  const values = new Map<string, string>();
  for (const option of given) {
    const [, name, value] = /^(size|mode|uid|gid)=([0-9A-Za-z.]{1,24})$/.exec(option) ?? [];
    if (name !== undefined && value !== undefined && isValue(name, value)) values.set(name, value);
    else if (!flags.includes(option)) {
      const what = `${field}: the option ${quoted(option)} is not allowed; size, mode, uid, gid, ${flags.join(", ")} are`;
      draft.refuse({ rule: "tmpfs.option", field, what });
    }
  }
  const size = values.get("size");
  return {
    readOnly: given.findLast((option) => option === "ro" || option === "rw") === "ro",
    // Docker's default is noexec.
    executable: given.findLast((option) => option === "exec" || option === "noexec") === "exec",
    bytes: size === undefined ? undefined : parseBinaryBytes(size),
    mode: values.get("mode"),
    uid: values.get("uid"),
    gid: values.get("gid"),
  };
}

function isValue(name: string, value: string): boolean {
  if (name === "size") return parseBinaryBytes(value) !== undefined;
  return name === "mode" ? /^[0-7]{1,4}$/.test(value) : /^\d{1,10}$/.test(value);
}

/** Reads the `TmpfsOptions` of an entry of `HostConfig.Mounts`. */
export function tmpfsOfMount(draft: BodyDraft, field: string, options: JsonObject, readOnly: boolean): TmpfsOptions {
  for (const [name, value] of options) {
    if (name === "SizeBytes" || name === "Mode") continue;
    const at = `${field}.${name.slice(0, 40)}`;
    if (name === "Options" && isZero(value)) continue;
    draft.refuse({ rule: "tmpfs.option", field: at, what: `${field} may have SizeBytes and Mode only` });
  }
  const bytes = readInteger(draft, `${field}.SizeBytes`, options.get("SizeBytes"));
  const mode = readInteger(draft, `${field}.Mode`, options.get("Mode"));
  if (mode !== undefined && (mode < 0 || mode > 0o7777)) {
    draft.refuse({ rule: "tmpfs.option", field: `${field}.Mode`, what: `${field}.Mode is no mode`, status: 400 });
  }
  return {
    readOnly,
    executable: false,
    bytes: bytes === 0 ? undefined : bytes,
    mode: mode === undefined || mode === 0 ? undefined : mode.toString(8),
    uid: undefined,
    gid: undefined,
  };
}

/** The one spelling that is sent, never more than the policy's size. It counts as memory of the container. */
export function limitedTmpfs(draft: BodyDraft, field: string, options: TmpfsOptions): string {
  const limit = draft.policy.limits.tmpfsBytes;
  const { bytes, mode, uid, gid } = options;
  const size = bytes === undefined || bytes <= 0 ? limit : Math.min(bytes, limit);
  if (size !== bytes) draft.rewrite(`${field}.size`, String(bytes ?? ""), String(size));
  const values = { size: String(size), mode, uid, gid };
  return [
    options.readOnly ? "ro" : "rw",
    options.executable ? "exec" : "noexec",
    "nosuid",
    "nodev",
    ...Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`])),
  ].join(",");
}
