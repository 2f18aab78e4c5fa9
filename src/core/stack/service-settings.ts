import "../schema-settings.ts";
import * as z from "zod";
import { type Limits, limitsOf } from "./limits.ts";
import { flag, mapOf, maybe } from "./nullish-schema.ts";

/** Compose prints a number, or a text with one. */
const amount = z
  .union([z.number(), z.string()])
  .nullish()
  .transform((value) => Number(value ?? 0) || 0);
const word = maybe(z.string());
const lines = z
  .union([z.string(), z.array(z.string())])
  .nullish()
  .transform((value) => [value ?? []].flat());
const texts = mapOf(z.union([z.string(), z.number(), z.boolean()]).transform(String));

const ulimit = z.union([
  z.number().transform((both) => ({ soft: both, hard: both })),
  z.object({ soft: amount, hard: amount }),
]);

/** Keys of a service that say how its container is run, and that nothing but a comparison with a container reads. */
export const settingsShape = {
  mem_limit: amount,
  memswap_limit: amount,
  cpus: amount,
  cpu_quota: amount,
  cpu_period: amount,
  pids_limit: amount,
  shm_size: amount,
  working_dir: word,
  hostname: word,
  stop_signal: word,
  stop_grace_period: word,
  init: flag,
  tty: flag,
  tmpfs: lines,
  dns: lines,
  sysctls: texts,
  ulimits: mapOf(ulimit),
};

/** The part of `deploy` that Compose applies to a container, beside reservations. */
export const limitsShape = { limits: maybe(z.object({ cpus: amount, memory: amount, pids: amount })) };
/** When Compose has a container started again, in swarm's words. */
export const restartPolicy = maybe(z.object({ condition: word }));

/** A health check; times in nanoseconds, zero where nobody said. */
export const healthcheckSchema = z
  .object({
    disable: flag,
    test: maybe(z.union([z.string(), z.array(z.string())])),
    interval: word,
    timeout: word,
    start_period: word,
    retries: amount,
  })
  .transform(({ disable, test, interval = "", timeout = "", start_period = "", retries }) => ({
    ...{ disable, test, retries },
    interval: nanoseconds(interval),
    timeout: nanoseconds(timeout),
    startPeriod: nanoseconds(start_period),
  }));

const settingsSchema = z.object(settingsShape);
const deploySchema = z.object({ resources: maybe(z.object(limitsShape)), restart_policy: restartPolicy });

/** How a service's container is to be run. */
export interface ServiceSettings {
  readonly limits: Limits;
  /** Bytes; zero where nobody said. */
  readonly shmSize: number;
  readonly workingDir: string | undefined;
  readonly hostname: string | undefined;
  readonly stopSignal: string | undefined;
  /** Nanoseconds. */
  readonly stopGracePeriod: number | undefined;
  readonly init: boolean;
  readonly tty: boolean;
  /** `PATH` or `PATH:OPTIONS`. */
  readonly tmpfs: readonly string[];
  readonly dns: readonly string[];
  readonly sysctls: Readonly<Record<string, string>>;
  readonly ulimits: Readonly<Record<string, { readonly soft: number; readonly hard: number }>>;
  /** The condition under `deploy`, in the engine's word. */
  readonly restart: string | undefined;
}

/** Reads these keys; what stands under `deploy` wins, as in Compose. */
export function settingsOf(
  raw: z.output<typeof settingsSchema>,
  deploy: z.output<typeof deploySchema> | undefined,
): ServiceSettings {
  const own = deploy?.resources?.limits;
  return {
    limits: limitsOf({
      memory: own?.memory || raw.mem_limit,
      memorySwap: raw.memswap_limit,
      cpus: own?.cpus || raw.cpus,
      cpuQuota: raw.cpu_quota,
      cpuPeriod: raw.cpu_period,
      pids: own?.pids || raw.pids_limit,
    }),
    shmSize: raw.shm_size,
    workingDir: raw.working_dir,
    hostname: raw.hostname,
    stopSignal: raw.stop_signal,
    stopGracePeriod: raw.stop_grace_period === undefined ? undefined : nanoseconds(raw.stop_grace_period),
    ...{ init: raw.init, tty: raw.tty, tmpfs: raw.tmpfs, dns: raw.dns, sysctls: raw.sysctls, ulimits: raw.ulimits },
    restart: conditions[deploy?.restart_policy?.condition ?? ""] ?? deploy?.restart_policy?.condition,
  };
}

/** Words of `deploy.restart_policy` that the engine does not have. */
const conditions: Readonly<Record<string, string>> = { none: "no", any: "always" };

const unitNanoseconds: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
  d: 86_400e9,
};

/** A time as Go writes it, such as `1m30s`, in nanoseconds; what cannot be read is zero. */
export function nanoseconds(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h|d)/g)];
  return parts.reduce((sum, [, count, unit = ""]) => sum + Number(count) * (unitNanoseconds[unit] ?? 0), 0);
}
