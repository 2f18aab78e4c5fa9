import { parseDecimalBytes } from "../policy/units.ts";
import { type JsonObject, type JsonValue, jsonInteger } from "../request/json.ts";
import type { BodyDraft } from "./body-draft.ts";
import { jsonObject, readInteger, readMembers, readText } from "./typed-value.ts";

/** What a client asked for, brought within a limit; nothing, zero and -1 are what Docker takes for "no limit". */
function within(asked: number | undefined, limit: number): number {
  return asked === undefined || asked <= 0 ? limit : Math.min(asked, limit);
}

function limited(draft: BodyDraft, field: string, asked: number | undefined, limit: number): JsonValue {
  const sent = within(asked, limit);
  if (sent !== asked) draft.rewrite(field, String(asked ?? ""), String(sent));
  return jsonInteger(sent);
}

/** `Memory`, at most what the policy allows. */
export function limitedMemory(draft: BodyDraft, value: JsonValue | undefined): JsonValue {
  const asked = readInteger(draft, "HostConfig.Memory", value);
  return limited(draft, "HostConfig.Memory", asked, draft.policy.limits.memoryBytes);
}

/** `MemorySwap`: memory and swap together, always the same as the memory alone, so that there is no swap. */
export function limitedSwap(draft: BodyDraft, value: JsonValue | undefined, host: JsonObject): JsonValue {
  const asked = readInteger(draft, "HostConfig.MemorySwap", value);
  const memory = readInteger(draft, "HostConfig.Memory", host.get("Memory"));
  const sent = within(memory, draft.policy.limits.memoryBytes);
  if (sent !== asked) draft.rewrite("HostConfig.MemorySwap", String(asked ?? ""), String(sent));
  return jsonInteger(sent);
}

/** `MemorySwappiness`: the docker CLI sends -1 for "not set". Without swap it has no meaning. */
export function readSwappiness(draft: BodyDraft, value: JsonValue | undefined): undefined {
  const field = "HostConfig.MemorySwappiness";
  const asked = readInteger(draft, field, value) ?? 0;
  if (asked === 0 || asked === -1) return undefined;
  return draft.refuse({ rule: "host-config.memory-swappiness", field, what: `${field}: a sandbox has no swap` });
}

/** `NanoCpus`, also from the older pair of quota and period, which the engine does not take next to it. */
export function limitedCpus(draft: BodyDraft, value: JsonValue | undefined, host: JsonObject): JsonValue {
  const asked = readInteger(draft, "HostConfig.NanoCpus", value) ?? 0;
  const quota = readInteger(draft, "HostConfig.CpuQuota", host.get("CpuQuota")) ?? 0;
  const period = readInteger(draft, "HostConfig.CpuPeriod", host.get("CpuPeriod")) ?? 0;
  const limit = draft.policy.limits.nanoCpus;
  // The kernel's default period is 100 ms.
  const fromQuota = Math.floor((quota / (period > 0 ? period : 100_000)) * 1e9);
  const least = Math.min(...[asked, fromQuota, limit].filter((each) => each > 0));
  const shown = quota > 0 ? `${quota}/${period > 0 ? period : 100_000}` : String(asked);
  if (least !== asked || quota !== 0 || period !== 0) draft.rewrite("HostConfig.NanoCpus", shown, String(least));
  return jsonInteger(least);
}

// What every container has that says nothing; more would be taken from the others.
const usualShares = 1024;

/** `CpuShares`: how much of a busy processor, compared with others; not more than others have. */
export function limitedShares(draft: BodyDraft, value: JsonValue | undefined): JsonValue | undefined {
  const asked = readInteger(draft, "HostConfig.CpuShares", value) ?? 0;
  if (asked === 0) return undefined;
  const sent = Math.min(Math.max(asked, 2), usualShares);
  if (sent !== asked) draft.rewrite("HostConfig.CpuShares", String(asked), String(sent));
  return jsonInteger(sent);
}

/** `PidsLimit`, at most what the policy allows. */
export function limitedPids(draft: BodyDraft, value: JsonValue | undefined): JsonValue {
  const asked = readInteger(draft, "HostConfig.PidsLimit", value);
  return limited(draft, "HostConfig.PidsLimit", asked, draft.policy.limits.pids);
}

/** `ShmSize`, at most what the policy allows. It counts as memory of the container. */
export function limitedSharedMemory(draft: BodyDraft, value: JsonValue | undefined): JsonValue {
  const asked = readInteger(draft, "HostConfig.ShmSize", value);
  return limited(draft, "HostConfig.ShmSize", asked, draft.policy.limits.shmBytes);
}

/** `StopTimeout` in seconds. Docker's own default of 10 is kept where a client says nothing, unless the limit is below. */
export function limitedStopTimeout(draft: BodyDraft, value: JsonValue | undefined): JsonValue | undefined {
  const asked = readInteger(draft, "StopTimeout", value);
  const limit = draft.policy.limits.stopSeconds;
  if (asked === undefined && limit >= 10) return undefined;
  // -1 is for ever, 0 is at once.
  const sent = asked === undefined || asked < 0 ? limit : Math.min(asked, limit);
  if (sent !== asked) draft.rewrite("StopTimeout", String(asked ?? ""), String(sent));
  return jsonInteger(sent);
}

const keptLogs = ["json-file", "local"];

/** `LogConfig`: a log on this host that is cut. Other drivers send output away, or fill a log that everybody shares. */
export function limitedLog(draft: BodyDraft, value: JsonValue | undefined): JsonValue {
  const field = "HostConfig.LogConfig";
  const rule = "host-config.log-config";
  const members = readMembers(draft, field, value);
  for (const name of members.keys()) {
    if (name !== "Type" && name !== "Config") draft.refuse({ rule, field, what: `${field} has Type and Config only` });
  }
  const type = readText(draft, `${field}.Type`, members.get("Type")) ?? "";
  if (!["", "none", ...keptLogs].includes(type)) {
    draft.refuse({ rule, field: `${field}.Type`, what: `${field}.Type has to be json-file, local or none` });
  }
  const sentType = type === "" ? "json-file" : type;
  if (type === "") draft.rewrite(`${field}.Type`, "", sentType);
  const config = limitedLogOptions(draft, members.get("Config"), sentType);
  return jsonObject({ Type: sentType, Config: config });
}

function limitedLogOptions(draft: BodyDraft, value: JsonValue | undefined, type: string): JsonObject {
  const field = "HostConfig.LogConfig.Config";
  const rule = "host-config.log-config";
  const options = readMembers(draft, field, value);
  for (const name of options.keys()) {
    if (name !== "max-size" && name !== "max-file") {
      draft.refuse({ rule, field, what: `${field} may have max-size and max-file only` });
    }
  }
  if (type === "none") return new Map();
  const { logBytes, logFiles } = draft.policy.limits;
  const size = readText(draft, `${field}.max-size`, options.get("max-size"));
  const files = readText(draft, `${field}.max-file`, options.get("max-file"));
  const bytes = size === undefined ? undefined : parseDecimalBytes(size);
  const count = files === undefined || !/^\d{1,4}$/.test(files) ? undefined : Number(files);
  if ((size !== undefined && bytes === undefined) || (files !== undefined && count === undefined)) {
    draft.refuse({ rule, field, what: `${field} has sizes that Docker does not know`, status: 400 });
  }
  const sentBytes = within(bytes, logBytes);
  const sentCount = within(count, logFiles);
  if (sentBytes !== bytes) draft.rewrite(`${field}.max-size`, size ?? "", String(sentBytes));
  if (sentCount !== count) draft.rewrite(`${field}.max-file`, files ?? "", String(sentCount));
  return jsonObject({ "max-size": String(sentBytes), "max-file": String(sentCount) });
}
