import "../schema-settings.ts";
import * as z from "zod";
import { conceal } from "../secrets/concealed.ts";
import { flag, listOf, mapOf, maybe } from "../stack/nullish-schema.ts";

const word = z
  .string()
  .nullish()
  .transform((value) => value ?? "");
const number = z
  .number()
  .nullish()
  .transform((value) => value ?? 0);

const words = z
  .union([z.string(), z.array(z.string())])
  .nullish()
  .transform((value) => [value ?? []].flat());

const portMap = mapOf(listOf(z.object({ HostIp: word, HostPort: word })));

const health = z.object({
  Status: z.string(),
  FailingStreak: number,
  Log: listOf(z.object({ ExitCode: number, Output: word, End: word })),
});

const state = z.object({
  Status: z.string(),
  Running: flag,
  ExitCode: number,
  Error: word,
  OOMKilled: flag,
  StartedAt: word,
  FinishedAt: word,
  Health: maybe(health),
});

const secretText = z.string().transform(conceal);

/** The check as it is run, its words and its times in nanoseconds; the words may hold a secret. */
const healthCheck = z.object({
  Test: listOf(z.string()),
  Interval: number,
  Timeout: number,
  StartPeriod: number,
  Retries: number,
});

/** What an image brings and a container is created with. Programs and values may hold secrets. */
export const configShape = {
  User: word,
  WorkingDir: word,
  Entrypoint: words,
  Cmd: words,
  Env: listOf(z.string()),
  Labels: mapOf(secretText),
  Healthcheck: maybe(healthCheck),
  StopSignal: word,
};

const hostConfig = z.object({
  Privileged: flag,
  CapAdd: listOf(z.string()),
  CapDrop: listOf(z.string()),
  ReadonlyRootfs: flag,
  Memory: number,
  MemorySwap: number,
  NanoCpus: number,
  CpuQuota: number,
  CpuPeriod: number,
  PidsLimit: number,
  ShmSize: number,
  Init: flag,
  Tmpfs: mapOf(z.string()),
  Sysctls: mapOf(z.string()),
  Ulimits: listOf(z.object({ Name: z.string(), Soft: number, Hard: number })),
  Dns: listOf(z.string()),
  Devices: listOf(z.object({ PathOnHost: z.string(), CgroupPermissions: word })),
  DeviceCgroupRules: listOf(z.string()),
  DeviceRequests: listOf(
    z.object({ Driver: word, Count: number, DeviceIDs: listOf(z.string()), Capabilities: listOf(listOf(z.string())) }),
  ),
  NetworkMode: word,
  PidMode: word,
  IpcMode: word,
  UTSMode: word,
  UsernsMode: word,
  CgroupnsMode: word,
  SecurityOpt: listOf(z.string()),
  MaskedPaths: maybe(z.array(z.string())),
  ReadonlyPaths: maybe(z.array(z.string())),
  GroupAdd: listOf(z.string()),
  VolumesFrom: listOf(z.string()),
  ExtraHosts: listOf(z.string()),
  Links: listOf(z.string()),
  Runtime: word,
  CgroupParent: word,
  OomScoreAdj: number,
  Annotations: mapOf(z.string()),
  LogConfig: z
    .object({ Type: word, Config: mapOf(z.string().transform(conceal)) })
    .nullish()
    .transform((log) => log ?? { Type: "", Config: {} }),
  RestartPolicy: z
    .object({ Name: word })
    .nullish()
    .transform((policy) => policy?.Name || "no"),
  PortBindings: portMap,
});

const network = z.object({ Aliases: listOf(z.string()) });

const mount = z.object({
  Type: word,
  Name: maybe(z.string()),
  Source: word,
  Destination: z.string(),
  Driver: maybe(z.string()),
  RW: flag,
});

/** One container as `docker container inspect` and `GET /containers/ID/json` print it, engines 20.10 to 29. */
export const inspectSchema = z.object({
  Id: z.string(),
  Name: z.string(),
  Created: word,
  Image: word,
  RestartCount: number,
  State: state,
  Config: z.object({ ...configShape, Image: word, Hostname: word, Tty: flag, StopTimeout: maybe(z.number()) }),
  HostConfig: hostConfig,
  Mounts: listOf(mount),
  NetworkSettings: maybe(z.object({ Ports: portMap, Networks: mapOf(maybe(network)) })),
});

/** The fields of an inspected container that are read. */
export type Inspection = z.output<typeof inspectSchema>;
