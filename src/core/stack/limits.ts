/** What a container may use at most; what is left out is not limited. */
export interface Limits {
  /** Bytes. */
  readonly memory?: number | undefined;
  /** Bytes of memory and swap together. */
  readonly memoryAndSwap?: number | undefined;
  readonly cpus?: number | undefined;
  readonly pids?: number | undefined;
}

/** The limits there are, and what messages call them. */
export const limitNames = {
  memory: "memory limit",
  memoryAndSwap: "memory and swap limit",
  cpus: "CPU limit",
  pids: "process limit",
} as const satisfies Record<keyof Limits, string>;

/** The names of the limits, in the order in which they are told. */
export const limitKeys: readonly (keyof Limits)[] = ["memory", "memoryAndSwap", "cpus", "pids"];

/** The engine takes a CPU quota for a period of this many microseconds if it is not told another one. */
const ordinaryPeriod = 100_000;

/** How the engine and Compose files alike spell limits; zero and negative numbers mean none. */
export interface WrittenLimits {
  readonly memory: number;
  readonly memorySwap: number;
  readonly cpus: number;
  readonly cpuQuota: number;
  readonly cpuPeriod: number;
  readonly pids: number;
}

/** Reads limits. The engine allows as much swap as memory where only the memory is limited. */
export function limitsOf(written: WrittenLimits): Limits {
  const { memory, memorySwap, cpus, cpuQuota, cpuPeriod, pids } = written;
  const swap = memorySwap === 0 && memory > 0 ? memory * 2 : memorySwap;
  const quota = cpuQuota > 0 ? cpuQuota / (cpuPeriod > 0 ? cpuPeriod : ordinaryPeriod) : 0;
  const cpu = cpus > 0 ? cpus : quota;
  return {
    ...(memory > 0 ? { memory } : {}),
    ...(swap > 0 ? { memoryAndSwap: swap } : {}),
    ...(cpu > 0 ? { cpus: Math.round(cpu * 1000) / 1000 } : {}),
    ...(pids > 0 ? { pids } : {}),
  };
}

/** A limit as people read it. */
export function limitText(key: keyof Limits, value: number | undefined): string {
  if (value === undefined) return "none";
  return key === "memory" || key === "memoryAndSwap" ? bytesText(value) : String(value);
}

function bytesText(bytes: number): string {
  for (const [unit, size] of units) if (bytes >= size && bytes % size === 0) return `${bytes / size} ${unit}`;
  return `${bytes} bytes`;
}

const units: readonly (readonly [string, number])[] = [
  ["GiB", 2 ** 30],
  ["MiB", 2 ** 20],
  ["KiB", 2 ** 10],
];

/** What the kernel lets the engine enforce: one that it cannot enforce is no limit that anybody took away. */
export type EnforcedLimits = Readonly<Record<keyof Limits, boolean>>;

/** An ordinary machine. */
export const allEnforced: EnforcedLimits = { memory: true, memoryAndSwap: true, cpus: true, pids: true };
