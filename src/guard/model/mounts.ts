import type { JsonObject, JsonValue } from "../request/json.ts";
import { quoted } from "../request/reading.ts";
import { type BindSource, resolveBind } from "./bind-source.ts";
import type { BodyDraft, ContainerDraft } from "./body-draft.ts";
import { isCleanPath, isKernelPath } from "./clean-path.ts";
import { type MountRequest, readMountRequests } from "./mount-request.ts";
import { limitedTmpfs } from "./tmpfs-options.ts";
import { jsonObject } from "./typed-value.ts";

/** What `Mounts` and `Tmpfs` become; `Binds` is never sent, since Docker makes a missing source of one as root. */
export interface PlannedMounts {
  readonly mounts: readonly JsonValue[];
  readonly tmpfs: JsonObject;
  /** Every path in the container that something is mounted on. */
  readonly targets: ReadonlySet<string>;
}

// Each bind is a path to look up. DeerFlow has about ten.
const mountsMax = 64;

/** Reads every mount that a body asks for, and turns what the policy allows into one form. */
export function planMounts(draft: ContainerDraft, host: JsonObject): PlannedMounts {
  const requests = readMountRequests(draft, host);
  const targets = new Set(requests.map(({ target }) => target));
  if (requests.length > mountsMax) {
    const what = `more than ${mountsMax} mounts`;
    draft.refuse({ rule: "mount.too-many", field: "HostConfig.Mounts", what });
    return { mounts: [], tmpfs: new Map(), targets };
  }
  for (const request of requests) checkTarget(draft, request);
  checkNesting(draft, requests);
  const mounts = requests.flatMap((request) => planMount(draft, request) ?? []);
  const tmpfs = requests.flatMap((request): [string, JsonValue][] =>
    request.kind === "tmpfs" ? [[request.target, limitedTmpfs(draft, request.field, request.options)]] : [],
  );
  for (const [target] of tmpfs) draft.note("mounts", `tmpfs:${target}`);
  return { mounts, tmpfs: new Map(tmpfs), targets };
}

function checkTarget(draft: BodyDraft, { target, field }: MountRequest): void {
  if (!isCleanPath(target)) {
    const what = `${field}: the path in the container has to be absolute, without "." and "..", and not the root`;
    draft.refuse({ rule: "mount.target", field, what });
  } else if (isKernelPath(target)) {
    const what = `${field}: nothing may be mounted below /proc, /sys and /dev`;
    draft.refuse({ rule: "mount.target", field, what });
  }
}

/**
 * Refuses a mount below another one whose content a sandbox or a client can change: the mount point inside of it could
 * be turned into a link at the right moment, and then the mount ends up elsewhere (CVE-2021-30465 was that).
 */
function checkNesting(draft: BodyDraft, requests: readonly MountRequest[]): void {
  for (const [index, { target, field }] of requests.entries()) {
    if (requests.some((other, place) => place < index && other.target === target)) {
      const what = `${field}: something else is mounted at ${quoted(target)} already`;
      draft.refuse({ rule: "mount.twice", field, what, status: 400 });
    }
    const outer = requests.find((other) => target.startsWith(`${other.target}/`));
    if (outer && outer.kind !== "tmpfs" && !outer.readOnly) {
      const what = `${field}: ${quoted(target)} is inside of another mount, which is writable`;
      draft.refuse({ rule: "mount.nested", field, what });
    }
  }
}

function planMount(draft: ContainerDraft, request: MountRequest): JsonValue[] | undefined {
  switch (request.kind) {
    case "tmpfs":
      return undefined;
    case "bind":
      return planBind(draft, request, request.source);
    case "volume": {
      const { binds } = draft.policy;
      // What the guard itself sends in place of a path: read back, it is that path again.
      if (binds?.volume !== undefined && request.name === binds.volume && request.subpath !== undefined) {
        return planBind(draft, request, `${binds.root}/${request.subpath}`);
      }
      return planVolume(draft, request);
    }
  }
}

function planBind(draft: ContainerDraft, request: MountRequest, source: string): JsonValue[] | undefined {
  const bind = resolveBind(draft, request, source);
  if (bind === undefined) return undefined;
  const readOnly = readOnlyOf(draft, request, bind.readOnly);
  draft.note("mounts", `${bind.path}:${request.target}${readOnly ? ":ro" : ""}`);
  return [jsonObject({ ...sentBind(bind, draft), Target: request.target, ReadOnly: readOnly || undefined })];
}

function sentBind({ path, relative }: BindSource, draft: BodyDraft): Record<string, JsonValue> {
  const volume = draft.policy.binds?.volume;
  if (volume === undefined) {
    return { Type: "bind", Source: path, BindOptions: jsonObject({ Propagation: "rprivate" }) };
  }
  return { Type: "volume", Source: volume, VolumeOptions: jsonObject({ NoCopy: true, Subpath: relative }) };
}

const volumeName = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,254}$/;

function planVolume(draft: BodyDraft, request: Extract<MountRequest, { kind: "volume" }>): JsonValue[] | undefined {
  const { name, target, field } = request;
  const entry = draft.policy.volumes.find((each) => each.name.test(name) && each.target.test(target));
  if (!volumeName.test(name) || entry === undefined) {
    const what = `${field}: the policy does not allow the volume ${quoted(name)} at ${quoted(target)}`;
    return draft.refuse({ rule: "mount.volume", field, what });
  }
  if (request.subpath !== undefined) {
    const what = `${field}: a part of a volume cannot be mounted by itself`;
    return draft.refuse({ rule: "mount.subpath", field, what });
  }
  const readOnly = readOnlyOf(draft, request, entry.readOnly);
  draft.note("mounts", `volume ${name}:${target}${readOnly ? ":ro" : ""}`);
  const options = request.noCopy ? jsonObject({ NoCopy: true }) : undefined;
  const mount = { Type: "volume", Source: name, VolumeOptions: options, Target: target };
  return [jsonObject({ ...mount, ReadOnly: readOnly || undefined })];
}

function readOnlyOf(draft: BodyDraft, { readOnly, field }: MountRequest, forced: boolean): boolean {
  if (forced && !readOnly) draft.rewrite(`${field}.ReadOnly`, "false", "true");
  return forced || readOnly;
}
