import { isObject, type JsonObject, type JsonValue } from "../request/json.ts";
import { quoted } from "../request/reading.ts";
import type { BodyDraft } from "./body-draft.ts";
import { readTmpfsOptions, type TmpfsOptions, tmpfsOfMount } from "./tmpfs-options.ts";
import { isZero, readFlag, readList, readMembers, readText, readTexts } from "./typed-value.ts";

/** A mount that a client asks for, in whichever of the three ways there are to say it. */
export type MountRequest = { readonly field: string; readonly target: string; readonly readOnly: boolean } & (
  | { readonly kind: "bind"; readonly source: string }
  /** `subpath`: the part of the volume that is mounted; undefined: all of it. */
  | { readonly kind: "volume"; readonly name: string; readonly noCopy: boolean; readonly subpath: string | undefined }
  | { readonly kind: "tmpfs"; readonly options: TmpfsOptions }
);

/** Reads `Binds`, `Mounts` and `Tmpfs` into one list; whether any of it is allowed is for others to say. */
export function readMountRequests(draft: BodyDraft, host: JsonObject): MountRequest[] {
  const binds = (readTexts(draft, "HostConfig.Binds", host.get("Binds")) ?? []).map((text, index) =>
    readBind(draft, text, `HostConfig.Binds[${index}]`),
  );
  const mounts = readList(draft, "HostConfig.Mounts", host.get("Mounts")).map((value, index) =>
    readMount(draft, value, `HostConfig.Mounts[${index}]`),
  );
  const tmpfs = [...readMembers(draft, "HostConfig.Tmpfs", host.get("Tmpfs"))].map(([target, value]) =>
    readTmpfs(draft, target, value),
  );
  return [...binds, ...mounts, ...tmpfs].filter((request) => request !== undefined);
}

// What changes nothing, or is always so: private propagation is Docker's default, and consistency is for another system.
const bindOptions = ["rw", "ro", "private", "rprivate", "nocopy", "consistent", "cached", "delegated", "default"];

/** `SOURCE:TARGET[:OPTIONS]`; a source that is no path is the name of a volume. */
function readBind(draft: BodyDraft, text: string, field: string): MountRequest | undefined {
  const [source = "", target, mode = "", ...more] = text.split(":");
  if (target === undefined) return anonymous(draft, field);
  if (more.length > 0 || source === "") {
    return draft.refuse({
      rule: "mount.syntax",
      field,
      what: `${field} is not SOURCE:TARGET or SOURCE:TARGET:OPTIONS`,
    });
  }
  const options = mode === "" ? [] : mode.split(",");
  const unknown = options.find((option) => !bindOptions.includes(option));
  if (unknown !== undefined) {
    const what = `${field}: the option ${quoted(unknown)} is not allowed; ro and rw are`;
    return draft.refuse({ rule: "mount.option", field, what });
  }
  const common = { field, target: withoutSlash(target), readOnly: options.includes("ro") };
  if (source.startsWith("/")) return { ...common, kind: "bind", source: withoutSlash(source) };
  const noCopy = options.includes("nocopy");
  return { ...common, kind: "volume", name: source, noCopy, subpath: undefined };
}

const optionsOf = { bind: "BindOptions", volume: "VolumeOptions", tmpfs: "TmpfsOptions" } as const;
const otherOptions = ["ImageOptions", "ClusterOptions"];
const mountFields = [
  "Type",
  "Source",
  "Target",
  "ReadOnly",
  "Consistency",
  ...Object.values(optionsOf),
  ...otherOptions,
];

function readMount(draft: BodyDraft, value: JsonValue, field: string): MountRequest | undefined {
  if (!isObject(value)) return draft.refuse({ rule: "body.type", field, what: `${field} is no mount`, status: 400 });
  const unknown = [...value.keys()].find((name) => !mountFields.includes(name));
  if (unknown !== undefined) return unknownField(draft, field, unknown);
  const type = readText(draft, `${field}.Type`, value.get("Type")) ?? "";
  if (type !== "bind" && type !== "volume" && type !== "tmpfs") {
    const what = `${field}: a mount of the type ${quoted(type)} is not allowed; bind, volume and tmpfs are`;
    return draft.refuse({ rule: "mount.type", field: `${field}.Type`, what });
  }
  for (const name of [...Object.values(optionsOf), ...otherOptions]) {
    if (name === optionsOf[type] || isZero(value.get(name))) continue;
    draft.refuse({ rule: "mount.option", field: `${field}.${name}`, what: `${field} is no mount for ${name}` });
  }
  const source = readText(draft, `${field}.Source`, value.get("Source")) ?? "";
  const target = withoutSlash(readText(draft, `${field}.Target`, value.get("Target")) ?? "");
  const common = { field, target, readOnly: readFlag(draft, `${field}.ReadOnly`, value.get("ReadOnly")) };
  readConsistency(draft, value.get("Consistency"), field);
  const options = readMembers(draft, `${field}.${optionsOf[type]}`, value.get(optionsOf[type]));
  if (type === "tmpfs") {
    if (source !== "") draft.refuse({ rule: "mount.syntax", field, what: `${field}: a tmpfs has no source` });
    return {
      ...common,
      kind: "tmpfs",
      options: tmpfsOfMount(draft, `${field}.TmpfsOptions`, options, common.readOnly),
    };
  }
  if (type === "bind") {
    readBindOptions(draft, `${field}.BindOptions`, options);
    return { ...common, kind: "bind", source: withoutSlash(source) };
  }
  if (source === "") return anonymous(draft, field);
  return { ...common, kind: "volume", name: source, ...readVolumeOptions(draft, `${field}.VolumeOptions`, options) };
}

function readConsistency(draft: BodyDraft, value: JsonValue | undefined, field: string): void {
  const text = readText(draft, `${field}.Consistency`, value) ?? "";
  if (["", "default", "consistent", "cached", "delegated"].includes(text)) return;
  draft.refuse({ rule: "mount.option", field: `${field}.Consistency`, what: `${field}.Consistency is not known` });
}

const refusedBindOptions: Readonly<Record<string, string>> = {
  // Docker would make the missing directory, as root.
  CreateMountpoint: "the directory has to be there already",
  NonRecursive: "it would leave out what else is mounted there",
  ReadOnlyNonRecursive: "it would leave parts of a read-only mount writable",
  ReadOnlyForceRecursive: "it fails where the kernel cannot do it; it is the default where it can",
};

function readBindOptions(draft: BodyDraft, field: string, options: JsonObject): void {
  for (const [name, value] of options) {
    const at = `${field}.${name}`;
    const because = refusedBindOptions[name];
    if (name === "Propagation") {
      const propagation = readText(draft, at, value) ?? "";
      if (["", "private", "rprivate"].includes(propagation)) continue;
      const what = `${at}: mounts of a sandbox would show up on the host, or the other way round; only rprivate is allowed`;
      draft.refuse({ rule: "mount.propagation", field: at, what });
    } else if (because === undefined || !Object.hasOwn(refusedBindOptions, name)) unknownField(draft, field, name);
    else if (!isZero(value)) draft.refuse({ rule: "mount.option", field: at, what: `${at}: ${because}` });
  }
}

function readVolumeOptions(
  draft: BodyDraft,
  field: string,
  options: JsonObject,
): { noCopy: boolean; subpath: string | undefined } {
  for (const [name, value] of options) {
    const at = `${field}.${name}`;
    if (name === "NoCopy" || name === "Subpath") continue;
    if (name !== "DriverConfig" && name !== "Labels") unknownField(draft, field, name);
    else if (!isZero(value)) {
      const what =
        name === "Labels"
          ? `${at}: labels of volumes are not for clients`
          : `${at}: a driver and its options can mount anything of the host, or of the network`;
      draft.refuse({ rule: name === "Labels" ? "mount.volume-labels" : "mount.driver-config", field: at, what });
    }
  }
  const subpath = readText(draft, `${field}.Subpath`, options.get("Subpath"));
  return {
    noCopy: readFlag(draft, `${field}.NoCopy`, options.get("NoCopy")),
    subpath: subpath === "" ? undefined : subpath,
  };
}

function readTmpfs(draft: BodyDraft, target: string, value: JsonValue): MountRequest | undefined {
  const field = `HostConfig.Tmpfs[${quoted(target)}]`;
  const options = readTmpfsOptions(draft, field, readText(draft, field, value) ?? "");
  return { kind: "tmpfs", field, target: withoutSlash(target), readOnly: options.readOnly, options };
}

function anonymous(draft: BodyDraft, field: string): undefined {
  const what = `${field}: a volume without a name stays on the host when its container is gone; name one, or use a tmpfs`;
  return draft.refuse({ rule: "mount.anonymous", field, what });
}

function unknownField(draft: BodyDraft, field: string, name: string): undefined {
  const what = `${field}.${quoted(name)} is not a field that this guard knows`;
  return draft.refuse({ rule: "mount.unknown-field", field, what, status: 400 });
}

/** Docker removes it too. */
function withoutSlash(path: string): string {
  return path.length > 1 ? path.replace(/\/$/, "") : path;
}
