import { isMap, parseDocument } from "yaml";
import { type Limits, limitsOf } from "./limits.ts";
import type { ComposeModel } from "./model.ts";

/** What the settings let a sandbox have. */
export interface SandboxAllowance {
  /** Where that is written, for messages. */
  readonly source: string;
  readonly limits: Limits;
  readonly ports: boolean;
  readonly binds: boolean;
}

/**
 * What sandboxes may have: by the guard's policy, or by the variables of the reference gateway. A platform with the raw socket
 * has settings that nobody here knows: undefined.
 */
export function sandboxAllowance(
  guardPolicy: string | undefined,
  model: ComposeModel | undefined,
  gateway: string,
): SandboxAllowance | undefined {
  if (guardPolicy !== undefined) return policyAllowance(guardPolicy);
  const variables = model?.services[gateway]?.environment ?? {};
  const value = (name: string) => variables[name]?.reveal() ?? "";
  if (value("SANDBOX_MEMORY") === "") return undefined;
  const limits = sandboxLimits(value("SANDBOX_MEMORY"), value("SANDBOX_CPUS"), value("SANDBOX_PIDS"));
  return { source: "SANDBOX_MEMORY, SANDBOX_CPUS and SANDBOX_PIDS", limits, ports: false, binds: false };
}

function policyAllowance(text: string): SandboxAllowance | undefined {
  const policy = parseDocument(text);
  if (!isMap(policy.contents)) return undefined;
  const limit = (name: string, ordinary: string) => String(policy.getIn(["limits", name]) ?? ordinary);
  return {
    source: "the guard's policy",
    limits: sandboxLimits(limit("memory", "512m"), limit("cpus", "1"), limit("pids", "256")),
    ports: policy.has("ports"),
    binds: policy.has("binds"),
  };
}

function sandboxLimits(memory: string, cpus: string, pids: string): Limits {
  const bytes = bytesOf(memory);
  return limitsOf({
    ...{ memory: bytes, memorySwap: bytes, cpus: Number(cpus) || 0, pids: Number(pids) || 0 },
    ...{ cpuQuota: 0, cpuPeriod: 0 },
  });
}

/** A size such as `512m`; zero where it is none. */
function bytesOf(text: string): number {
  const [, count, unit = ""] = /^(\d+(?:\.\d+)?)([bkmgt]?)(?:i?b)?$/i.exec(text.trim()) ?? [];
  const power = "bkmgt".indexOf(unit.toLowerCase() || "b");
  return count === undefined ? 0 : Math.round(Number(count) * 1024 ** power);
}
