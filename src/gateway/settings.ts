import type { ContainerSettings } from "./container-spec.ts";
import { type DockerAddress, parseDockerHost } from "./docker-address.ts";
import { readPlatformConfig, type SandboxChoice } from "./platform-config.ts";
import type { RunLimits } from "./run.ts";
import { createSettingReader, type ReadText, type SettingReader } from "./setting-values.ts";

/** Everything the gateway is told at its start. */
export interface Settings {
  readonly host: string;
  readonly port: number;
  readonly apiKey: string;
  readonly store: StoreSettings;
  readonly limits: RunLimits;
  readonly rateLimitPerMinute: number;
  /** The host name of the proxy, whose word on where a client is counts; undefined when there is none. */
  readonly trustedProxy: string | undefined;
  /** Where a Docker engine would be reached; undefined when the gateway was given none. */
  readonly docker: DockerAddress | undefined;
  readonly sandbox: SandboxSettings;
}

/** The place of the Redis store. */
export interface StoreSettings {
  readonly host: string;
  readonly port: number;
  readonly database: number;
  readonly tls: boolean;
  readonly password: string | undefined;
}

/** The platform's choice with what its provider needs. */
export type SandboxSettings =
  | Extract<SandboxChoice, { mode: "local" }>
  | (Extract<SandboxChoice, { mode: "provisioner" }> & { readonly readySeconds: number })
  | (Extract<SandboxChoice, { mode: "aio" }> & {
      readonly address: DockerAddress;
      readonly container: ContainerSettings;
    });

/** Settings, or every problem there is. */
export type SettingsResult =
  | { readonly ok: true; readonly settings: Settings }
  | { readonly ok: false; readonly problems: readonly string[] };

// MAX_ARG_STRLEN of Linux, less the terminating zero: code travels as one argument.
const codeBytesCeiling = 128 * 1024 - 1;
const memoryBytesFloor = 6 * 1024 * 1024;
const namePattern = /^[a-z0-9][a-z0-9_-]{0,62}$/;
const imagePattern = /^[a-z0-9][A-Za-z0-9._/-]*(:[A-Za-z0-9._-]+)?(@sha256:[0-9a-f]{64})?$/;

/** Reads all settings from an environment and the files it names. */
export function readSettings(env: Readonly<Record<string, string | undefined>>, readText: ReadText): SettingsResult {
  const reader = createSettingReader(env, readText);
  const apiKey = reader.secretFile("GATEWAY_API_KEY_FILE");
  const docker = readDockerHost(reader);
  const sandbox = readSandbox(reader, env, docker);
  const base = {
    host: reader.text("HOST", "0.0.0.0"),
    port: reader.integer("PORT", 8080, 1, 65_535),
    store: readStore(reader),
    rateLimitPerMinute: reader.integer("RATE_LIMIT_PER_MINUTE", 60, 1, 100_000),
    trustedProxy: reader.text("TRUSTED_PROXY", "") || undefined,
    limits: {
      timeoutSecondsMax: reader.integer("RUN_TIMEOUT_SECONDS_MAX", 60, 1, 3_600),
      outputBytesMax: reader.integer("RUN_OUTPUT_BYTES_MAX", 262_144, 1, 16 * 1024 * 1024),
      codeBytesMax: reader.integer("RUN_CODE_BYTES_MAX", 65_536, 1, codeBytesCeiling),
      concurrencyMax: reader.integer("RUN_CONCURRENCY_MAX", 4, 1, 1_000),
    },
  };
  if (reader.problems.length > 0 || apiKey === undefined || sandbox === undefined) {
    return { ok: false, problems: reader.problems };
  }
  return { ok: true, settings: { ...base, apiKey, docker, sandbox } };
}

function readStore(reader: SettingReader): StoreSettings {
  const url = reader.text("STORE_URL", "redis://store:6379");
  const password = reader.text("STORE_PASSWORD_FILE", "") === "" ? undefined : reader.secretFile("STORE_PASSWORD_FILE");
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const database = /^\/?(\d{0,2})$/.exec(parsed?.pathname ?? "")?.[1];
  if (!parsed || !/^rediss?:$/.test(parsed.protocol) || parsed.hostname === "" || database === undefined) {
    reader.report("STORE_URL must be redis://host:port or rediss://host:port");
  } else if (parsed.username !== "" || parsed.password !== "") {
    reader.report(
      "STORE_URL must not hold a password, since environment variables can be read; use STORE_PASSWORD_FILE",
    );
  }
  return {
    host: parsed?.hostname.replace(/^\[|\]$/g, "") ?? "",
    port: Number(parsed?.port || 6379),
    database: Number(database ?? 0),
    tls: parsed?.protocol === "rediss:",
    password,
  };
}

function readDockerHost(reader: SettingReader): DockerAddress | undefined {
  const value = reader.text("DOCKER_HOST", "");
  if (value === "") return undefined;
  const address = parseDockerHost(value);
  if (typeof address !== "string") return address;
  reader.report(`DOCKER_HOST is wrong: ${address}`);
  return undefined;
}

function readSandbox(
  reader: SettingReader,
  env: Readonly<Record<string, string | undefined>>,
  docker: DockerAddress | undefined,
): SandboxSettings | undefined {
  const path = reader.text("GATEWAY_CONFIG", "/etc/gateway/config.yaml");
  const text = reader.file(path, "GATEWAY_CONFIG");
  if (text === undefined) return undefined;
  // Messages are for the operator, who knows the file by another name than this container.
  const config = readPlatformConfig(text, reader.text("GATEWAY_CONFIG_NAME", path), env);
  if (!config.ok) {
    for (const problem of config.problems) reader.report(problem);
    return undefined;
  }
  const { choice } = config;
  switch (choice.mode) {
    case "local":
      return choice;
    case "provisioner":
      return { ...choice, readySeconds: reader.integer("SANDBOX_READY_SECONDS", 60, 1, 600) };
    case "aio": {
      const container = readContainer(reader);
      if (docker) return { ...choice, container, address: docker };
      if (reader.text("DOCKER_HOST", "") === "") {
        reader.report(
          `DOCKER_HOST is not set, but the sandbox mode is aio (${choice.because}): add the overlay for that mode`,
        );
      }
      return undefined;
    }
  }
}

function readContainer(reader: SettingReader): ContainerSettings {
  return {
    project: reader.matching("SANDBOX_PROJECT", "", namePattern, "the Compose project name, such as my-agents"),
    image: reader.matching("SANDBOX_IMAGE", "", imagePattern, "the name of the sandbox image, such as sandbox:1"),
    memoryBytes: reader.size("SANDBOX_MEMORY", "512m", memoryBytesFloor),
    cpus: reader.decimal("SANDBOX_CPUS", 1, 0.01, 1_024),
    pids: reader.integer("SANDBOX_PIDS", 128, 2, 100_000),
    network: reader.matching(
      "SANDBOX_NETWORK",
      "none",
      /^(?!host$)[A-Za-z0-9][A-Za-z0-9_.-]*$/,
      "none or the name of a Docker network; never host",
    ),
  };
}
