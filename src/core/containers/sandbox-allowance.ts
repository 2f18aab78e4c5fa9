import { isMap, parseDocument } from "yaml";
import { type EnforcedLimits, type Limits, limitsOf } from "../stack/limits.ts";
import type { ComposeModel } from "../stack/model.ts";
import type { Container } from "./container.ts";
import { deviations, exceededLimits } from "./deviations.ts";

/** What the settings let a sandbox have. */
export interface SandboxAllowance {
  readonly limits: Limits;
  readonly ports: boolean;
  readonly binds: boolean;
  /** How the reference gateway makes every sandbox. Left out where a guard's program judges the rest. */
  readonly made?: { readonly image: string; readonly network: string };
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
  const made = { image: value("SANDBOX_IMAGE"), network: value("SANDBOX_NETWORK") || "none" };
  return { limits, ports: false, binds: false, ...(made.image === "" ? {} : { made }) };
}

/** How every sandbox of the reference gateway is made (src/gateway/container-spec.ts; a test compares the two). */
const spec = { readOnly: true, confined: ["no-new-privileges"], capabilities: new Set<string>() } as const;
const nobody = "65534:65534";

/** Everything in which a sandbox is or has more than allowed, as far as settings tell; each as what it does. */
export function sandboxDeviations(
  container: Container,
  { limits, made }: SandboxAllowance,
  enforced: EnforcedLimits,
): string[] {
  if (made === undefined) return exceededLimits(container.limits, limits, enforced);
  const { image, networks, mounts, settings } = container;
  const joined = networks.filter((name) => name !== made.network && name !== "none");
  const volumes = mounts.filter(({ type }) => type === "volume");
  return [
    ...deviations(container, { ...spec, limits }, enforced),
    ...(settings.user === nobody ? [] : [`runs as ${settings.user || "root"} instead of ${nobody}`]),
    ...(image === made.image ? [] : [`runs the image ${image} instead of ${made.image}`]),
    ...joined.map((name) => `is on the network ${name}`),
    ...volumes.map(({ name, target }) => `mounts the volume ${name ?? "without a name"} at ${target}`),
  ];
}

function policyAllowance(text: string): SandboxAllowance | undefined {
  const policy = parseDocument(text);
  if (!isMap(policy.contents)) return undefined;
  const limit = (name: string, ordinary: string) => String(policy.getIn(["limits", name]) ?? ordinary);
  return {
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
