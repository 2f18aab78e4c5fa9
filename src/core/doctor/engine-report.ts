import "../schema-settings.ts";
import * as z from "zod";
import { flag, listOf, maybe } from "../stack/nullish-schema.ts";

const word = z
  .string()
  .nullish()
  .transform((value) => value ?? "");
const count = z
  .number()
  .nullish()
  .transform((value) => value ?? 0);

const infoSchema = z.object({
  ServerVersion: word,
  ServerErrors: listOf(z.string()),
  OperatingSystem: word,
  OSType: word,
  Driver: word,
  DriverStatus: listOf(z.array(z.string())),
  DockerRootDir: word,
  MemTotal: count,
  NCPU: count,
  MemoryLimit: flag,
  SwapLimit: flag,
  CpuCfsQuota: flag,
  PidsLimit: flag,
  CgroupVersion: word,
  CgroupDriver: word,
  SystemTime: word,
  SecurityOptions: listOf(z.string()),
  Warnings: listOf(z.string()),
  HttpProxy: word,
  HttpsProxy: word,
  NoProxy: word,
  RegistryConfig: maybe(z.object({ Mirrors: listOf(z.string()) })),
  Plugins: maybe(z.object({ Authorization: listOf(z.string()) })),
  ClientInfo: maybe(
    z.object({ Plugins: listOf(z.object({ Name: z.string(), Version: word, Path: word, Err: maybe(z.unknown()) })) }),
  ),
});

const versionSchema = z.object({
  Server: maybe(
    z.object({ Components: listOf(z.object({ Name: z.string(), Version: word, Details: maybe(z.unknown()) })) }),
  ),
});
const detailsSchema = z.object({ GitCommit: word });

/** What an engine says of itself. */
export interface EngineReport {
  /** Empty where no engine answered. */
  readonly version: string;
  /** Why it did not, in the words of `docker`. */
  readonly errors: readonly string[];
  readonly system: string;
  readonly rootless: boolean;
  readonly driver: string;
  /** Properties of the storage driver, by name. */
  readonly driverStatus: ReadonlyMap<string, string>;
  readonly dataRoot: string;
  /** Bytes. */
  readonly memory: number;
  readonly enforced: {
    readonly memory: boolean;
    readonly memoryAndSwap: boolean;
    readonly cpus: boolean;
    readonly pids: boolean;
  };
  readonly cgroupVersion: string;
  readonly cgroupDriver: string;
  /** RFC 3339. */
  readonly time: string;
  readonly warnings: readonly string[];
  readonly proxies: { readonly http: string; readonly https: string; readonly no: string };
  /** Registries that are asked before Docker Hub, as URLs. */
  readonly mirrors: readonly string[];
  readonly authorizationPlugins: readonly string[];
  /** Plugins of the `docker` program that work, by name. */
  readonly plugins: ReadonlyMap<string, string>;
  /** What runs containers: name and version, with the package's own number where it is told. */
  readonly components: readonly { readonly name: string; readonly version: string }[];
}

/** Reads `docker info` and `docker version` as JSON; undefined where the first of them is none. */
export function parseEngineReport(infoText: string, versionText: string): EngineReport | undefined {
  const info = infoSchema.safeParse(parseJson(infoText)).data;
  if (info === undefined) return undefined;
  const version = versionSchema.safeParse(parseJson(versionText)).data;
  return {
    version: info.ServerErrors.length > 0 ? "" : info.ServerVersion,
    errors: info.ServerErrors,
    system: info.OperatingSystem,
    rootless: info.SecurityOptions.some((option) => /\bname=rootless\b/.test(option)),
    driver: info.Driver,
    driverStatus: new Map(info.DriverStatus.map(([name = "", value = ""]) => [name, value])),
    dataRoot: info.DockerRootDir,
    memory: info.MemTotal,
    enforced: {
      memory: info.MemoryLimit,
      memoryAndSwap: info.SwapLimit,
      cpus: info.CpuCfsQuota,
      pids: info.PidsLimit,
    },
    cgroupVersion: info.CgroupVersion,
    cgroupDriver: info.CgroupDriver,
    time: info.SystemTime,
    warnings: info.Warnings,
    proxies: { http: info.HttpProxy, https: info.HttpsProxy, no: info.NoProxy },
    mirrors: info.RegistryConfig?.Mirrors ?? [],
    authorizationPlugins: info.Plugins?.Authorization ?? [],
    plugins: new Map(
      (info.ClientInfo?.Plugins ?? []).flatMap(({ Name, Version, Err }) => (Err ? [] : [[Name, Version]])),
    ),
    components: (version?.Server?.Components ?? []).map(({ Name, Version, Details }) => {
      const commit = detailsSchema.safeParse(Details).data?.GitCommit ?? "";
      // Distributions put the whole number of their package where others have a commit.
      return { name: Name, version: commit.startsWith(Version) ? commit : Version };
    }),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
