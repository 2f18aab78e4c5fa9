import { isNumber, type JsonObject, type JsonValue } from "../request/json.ts";
import { quoted } from "../request/reading.ts";
import type { BodyDraft, ContainerDraft } from "./body-draft.ts";
import { readCapabilities } from "./capabilities.ts";
import { applyRules, type FieldRule, type FieldRules, readField, refusedFields } from "./field-rules.ts";
import { refusedHostFields } from "./host-config-refused.ts";
import { type PlannedMounts, planMounts } from "./mounts.ts";
import { readPortBindings } from "./ports.ts";
import {
  limitedCpus,
  limitedLog,
  limitedMemory,
  limitedPids,
  limitedSharedMemory,
  limitedShares,
  limitedSwap,
  readSwappiness,
} from "./resource-limits.ts";
import { readSecurityOptions } from "./security-options.ts";
import {
  isZero,
  jsonObject,
  optionalInteger,
  readFlag,
  readInteger,
  readList,
  readMembers,
  readText,
  readTexts,
} from "./typed-value.ts";

interface HostContext {
  readonly draft: BodyDraft;
  readonly host: JsonObject;
  readonly mounts: PlannedMounts;
}

type Read = (draft: BodyDraft, value: JsonValue | undefined, host: JsonObject) => JsonValue | undefined;

const read = (reader: Read): FieldRule<HostContext> =>
  readField((value, { draft, host }) => reader(draft, value, host));

const elsewhere: FieldRule<HostContext> = { kind: "elsewhere" };

/** Every field that HostConfig has had in the Engine API from 1.24 on, and what becomes of each. */
export const hostRules: FieldRules<HostContext> = new Map<string, FieldRule<HostContext>>([
  ["AutoRemove", read((draft, value) => readFlag(draft, "HostConfig.AutoRemove", value) || undefined)],
  ["Binds", elsewhere],
  ["CapAdd", read((draft, _value, host) => nonEmpty(readCapabilities(draft, host).add))],
  ["CapDrop", read(() => ["ALL"])],
  ["CgroupnsMode", read((draft, value) => readPrivate(draft, "CgroupnsMode", value, []))],
  ["ConsoleSize", read((draft, value) => readConsoleSize(draft, value, "HostConfig.ConsoleSize"))],
  ["CpuPeriod", elsewhere],
  ["CpuQuota", elsewhere],
  ["CpuShares", read(limitedShares)],
  ["ExtraHosts", read(readExtraHosts)],
  ["Init", read((draft, value) => (isUnset(value) ? undefined : readFlag(draft, "HostConfig.Init", value)))],
  ["IpcMode", read((draft, value) => readPrivate(draft, "IpcMode", value, ["none"]))],
  ["LogConfig", read(limitedLog)],
  ["Memory", read(limitedMemory)],
  ["MemorySwap", read(limitedSwap)],
  ["MemorySwappiness", read(readSwappiness)],
  ["Mounts", readField((_value, { mounts }) => nonEmpty(mounts.mounts))],
  ["NanoCpus", read(limitedCpus)],
  ["NetworkMode", read(readNetworkMode)],
  ["PidsLimit", read(limitedPids)],
  ["PortBindings", read(readPortBindings)],
  ["ReadonlyRootfs", read(readReadOnlyRoot)],
  ["RestartPolicy", read(readRestartPolicy)],
  ["Runtime", read(readRuntime)],
  ["SecurityOpt", read(readSecurityOptions)],
  ["ShmSize", read(limitedSharedMemory)],
  ["Tmpfs", readField((_value, { mounts }) => (mounts.tmpfs.size === 0 ? undefined : mounts.tmpfs))],
  ...refusedFields<HostContext>(refusedHostFields),
]);

/** What `HostConfig` becomes, and where something is mounted in the container. */
export function readHostConfig(
  draft: ContainerDraft,
  host: JsonObject,
): { readonly sent: JsonObject; readonly targets: ReadonlySet<string> } {
  const mounts = planMounts(draft, host);
  const place = { prefix: "HostConfig.", rule: "host-config" };
  return { sent: applyRules(hostRules, host, { draft, host, mounts }, place), targets: mounts.targets };
}

function nonEmpty(list: readonly JsonValue[]): JsonValue | undefined {
  return list.length === 0 ? undefined : list;
}

function isUnset(value: JsonValue | undefined): boolean {
  return value === undefined || value === null;
}

/** A namespace of the container's own, said outright: the engine's default may be another. */
function readPrivate(
  draft: BodyDraft,
  name: "CgroupnsMode" | "IpcMode",
  value: JsonValue | undefined,
  stricter: readonly string[],
): JsonValue {
  const field = `HostConfig.${name}`;
  const asked = readText(draft, field, value) ?? "";
  if (asked === "") draft.rewrite(field, "", "private");
  if (asked === "" || asked === "private") return "private";
  if (stricter.includes(asked)) return asked;
  const rule = name === "IpcMode" ? "host-config.ipc-mode" : "host-config.cgroupns-mode";
  draft.refuse({ rule, field, what: `${field}: ${quoted(asked)} is not the container's own` });
  return "private";
}

/** `ConsoleSize`: height and width of a terminal. */
export function readConsoleSize(draft: BodyDraft, value: JsonValue | undefined, field: string): JsonValue | undefined {
  const size = readList(draft, field, value);
  if (size.length === 0 || size.every(isZero)) return undefined;
  const sides = size.map((side) => (isNumber(side) ? readInteger(draft, field, side) : undefined));
  if (sides.length === 2 && sides.every((side) => side !== undefined && side >= 0 && side <= 65_535)) {
    return sides.map((side) => optionalInteger(side) ?? null);
  }
  return draft.refuse({ rule: "console-size", field, what: `${field} is no size`, status: 400 });
}

function readExtraHosts(draft: BodyDraft, value: JsonValue | undefined): JsonValue | undefined {
  const field = "HostConfig.ExtraHosts";
  const asked = readTexts(draft, field, value) ?? [];
  const refused = asked.find((entry) => !draft.policy.extraHosts.includes(entry));
  if (refused !== undefined) {
    const what = `${field}: the policy does not allow ${quoted(refused)}`;
    draft.refuse({ rule: "host-config.extra-hosts", field, what });
  }
  return nonEmpty(asked);
}

/** The policy's network. What means "the usual one" is rewritten to it; `none`, which is less, stays. */
function readNetworkMode(draft: BodyDraft, value: JsonValue | undefined): JsonValue {
  const field = "HostConfig.NetworkMode";
  const asked = readText(draft, field, value) ?? "";
  const { network } = draft.policy;
  if (asked === network || asked === "none") return asked;
  if (isUsualNetwork(asked)) draft.rewrite(field, asked, network);
  else {
    const what = `${field}: ${quoted(asked)} is not allowed; the policy's network is ${network}`;
    draft.refuse({ rule: "host-config.network-mode", field, what });
  }
  return network;
}

/** Whether a network is what a client gets that does not ask for one. */
export function isUsualNetwork(name: string): boolean {
  return name === "" || name === "default" || name === "bridge";
}

function readReadOnlyRoot(draft: BodyDraft, value: JsonValue | undefined): JsonValue | undefined {
  const asked = readFlag(draft, "HostConfig.ReadonlyRootfs", value);
  if (asked || draft.policy.writableRoot) return asked || undefined;
  draft.rewrite("HostConfig.ReadonlyRootfs", "false", "true");
  return true;
}

/** Only "no": the engine would start the container by itself, and nobody would look at it again before. */
function readRestartPolicy(draft: BodyDraft, value: JsonValue | undefined): JsonValue {
  const field = "HostConfig.RestartPolicy";
  const rule = "host-config.restart-policy";
  const policy = readMembers(draft, field, value);
  const name = readText(draft, `${field}.Name`, policy.get("Name")) ?? "";
  if (name !== "" && name !== "no") {
    draft.refuse({
      rule,
      field,
      what: `${field}: a sandbox is not started again by itself; ${quoted(name)} is refused`,
    });
  }
  for (const [key, member] of policy) {
    if (key !== "Name" && !(key === "MaximumRetryCount" && isZero(member))) {
      draft.refuse({ rule, field, what: `${field} may have a Name only` });
    }
  }
  return jsonObject({ Name: "no" });
}

function readRuntime(draft: BodyDraft, value: JsonValue | undefined): JsonValue | undefined {
  const field = "HostConfig.Runtime";
  const asked = readText(draft, field, value) ?? "";
  const { runtime } = draft.policy;
  if (asked !== "" && asked !== runtime) {
    const what = `${field}: the runtime is the policy's choice, not the client's; leave it out`;
    draft.refuse({ rule: "host-config.runtime", field, what });
  }
  if (asked === "" && runtime !== undefined) draft.rewrite(field, "", runtime);
  return runtime;
}
