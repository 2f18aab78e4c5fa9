import "../schema-settings.ts";
import * as z from "zod";
import { failure, type Outcome, success } from "../findings/finding.ts";
import { readVariables } from "../privileges/engine-grants.ts";
import type { PortBinding } from "../privileges/grant-rules.ts";
import type { MountFact } from "../privileges/privilege.ts";
import { type Limits, limitsOf } from "../stack/limits.ts";
import { type ProgramSettings, programSettings } from "../stack/program-settings.ts";
import { type Inspection, inspectSchema } from "./container-schema.ts";

/** The last runs of a container's health check; what a check prints is the image's own words and may hold a secret. */
export interface ContainerHealth {
  readonly status: string;
  readonly failingStreak: number;
  readonly log: readonly { readonly exitCode: number; readonly output: string; readonly end: string }[];
}

/** What became of a container. */
export interface ContainerState {
  /** `created`, `running`, `paused`, `restarting`, `removing`, `exited` or `dead`. */
  readonly status: string;
  readonly running: boolean;
  readonly exitCode: number;
  /** Why the engine could not start it; empty if it could. */
  readonly error: string;
  readonly oomKilled: boolean;
  readonly restartCount: number;
  /** RFC 3339 with nanoseconds; year 1 where it never happened. */
  readonly startedAt: string;
  readonly finishedAt: string;
  /** Left out where the container has no health check. */
  readonly health?: ContainerHealth;
}

/** How a container may reach its host and how it is restarted, in the engine's own spelling. */
export interface ContainerAccess extends Omit<Inspection["HostConfig"], "PortBindings"> {
  /** The only variables that are kept, those that say where an engine or a cluster is: the environment may hold secrets. */
  readonly variables: Readonly<Record<string, string>>;
}

/** What a container was created with, values concealed. */
export interface ContainerSettings extends ProgramSettings {
  readonly hostname: string;
  readonly tty: boolean;
  /** Seconds that it has to end by itself; undefined for the engine's ten. */
  readonly stopSeconds: number | undefined;
}

/** A container, running or not. */
export interface Container {
  readonly id: string;
  /** Without the leading slash. */
  readonly name: string;
  /** Compose service and project; a sandbox has neither. */
  readonly service?: string;
  readonly project?: string;
  /** Compose's hash of the configuration that it was created from. */
  readonly configHash?: string;
  /** The Compose files that it was created from. */
  readonly configFiles: readonly string[];
  /** The environment files that were named to Compose then. */
  readonly envFiles: readonly string[];
  /** Labels of this tool, by full name. */
  readonly ownLabels: Readonly<Record<string, string>>;
  /** The reference it was started by, and the id that this led to then. */
  readonly image: string;
  readonly imageId: string;
  /** RFC 3339. */
  readonly created: string;
  readonly settings: ContainerSettings;
  readonly limits: Limits;
  /** Entrypoint and command. */
  readonly words: readonly string[];
  readonly state: ContainerState;
  /** Names of the networks that it is attached to. */
  readonly networks: readonly string[];
  /** Names by which others on these networks reach it. */
  readonly aliases: readonly string[];
  /** Ports as they were asked for, comparable with a model. */
  readonly ports: readonly PortBinding[];
  /** Ports as they are open now; empty while the container does not run. */
  readonly openPorts: readonly PortBinding[];
  readonly mounts: readonly MountFact[];
  readonly access: ContainerAccess;
}

/** Reads what `docker container inspect` prints: a list, or one container. An unknown shape is an error, D041. */
export function parseContainers(json: unknown): Outcome<readonly Container[]> {
  const parsed = z.array(inspectSchema).safeParse(Array.isArray(json) ? json : [json]);
  if (parsed.success) return success(parsed.data.map(containerOf));
  const places = parsed.error.issues.map(({ path, message }) => `${path.join(".") || "the document"}: ${message}`);
  return failure({
    code: "D041",
    severity: "error",
    message: `the Docker daemon describes its containers in an unknown form: ${places.slice(0, 3).join("; ")}`,
    fix: "report this with the output of `docker version`",
  });
}

/** Compose joins absolute paths, and `-` for its input, by commas; a path may hold one itself. */
function pathsOf(label: string | undefined): readonly string[] {
  return label?.split(/,(?=\/|-(?:,|$))/) ?? [];
}

function containerOf(raw: Inspection): Container {
  const program = programSettings(raw.Config);
  const labels = Object.entries(program.labels);
  const compose = (name: string) => program.labels[`com.docker.compose.${name}`]?.reveal();
  const [service, project, configHash] = [compose("service"), compose("project"), compose("config-hash")];
  const { PortBindings, ...hostConfig } = raw.HostConfig;
  const networks = raw.NetworkSettings?.Networks ?? {};
  const openPorts = portsOf(raw.NetworkSettings?.Ports ?? {});
  const variables = readVariables.flatMap((name): [string, string][] => {
    const value = program.environment[name];
    return value ? [[name, value.reveal()]] : [];
  });
  return {
    id: raw.Id,
    name: raw.Name.replace(/^\//, ""),
    ...(service === undefined ? {} : { service }),
    ...(project === undefined ? {} : { project }),
    ...(configHash === undefined ? {} : { configHash }),
    configFiles: pathsOf(compose("project.config_files")),
    envFiles: pathsOf(compose("project.environment_file")),
    ownLabels: Object.fromEntries(
      labels.flatMap(([name, value]) => (name.startsWith("sandbox-deploy.") ? [[name, value.reveal()]] : [])),
    ),
    image: raw.Config.Image,
    imageId: raw.Image,
    created: raw.Created,
    settings: {
      ...program,
      hostname: raw.Config.Hostname,
      tty: raw.Config.Tty,
      stopSeconds: raw.Config.StopTimeout,
    },
    limits: limitsOf({
      memory: hostConfig.Memory,
      memorySwap: hostConfig.MemorySwap,
      cpus: hostConfig.NanoCpus / 1e9,
      cpuQuota: hostConfig.CpuQuota,
      cpuPeriod: hostConfig.CpuPeriod,
      pids: hostConfig.PidsLimit,
    }),
    words: [...raw.Config.Entrypoint, ...raw.Config.Cmd],
    state: stateOf(raw),
    networks: Object.keys(networks),
    aliases: Object.values(networks).flatMap((network) => network?.Aliases ?? []),
    ports: [...portsOf(PortBindings), ...unaskedPorts(PortBindings, openPorts)],
    openPorts,
    mounts: mountsOf(raw),
    access: { ...hostConfig, variables: Object.fromEntries(variables) },
  };
}

/** The engine lists them in another order each time, and a plan that is made twice has to read the same. */
function mountsOf({ Mounts }: Inspection): MountFact[] {
  return Mounts.map(({ Type, Source, Destination, RW, Name }) => ({
    type: Type,
    source: Source,
    target: Destination,
    writable: RW,
    name: Name,
  })).toSorted(({ target: one }, { target: other }) => (one < other ? -1 : 1));
}

function stateOf({ State, RestartCount }: Inspection): ContainerState {
  const { Health: health } = State;
  return {
    status: State.Status,
    running: State.Running,
    exitCode: State.ExitCode,
    error: State.Error,
    oomKilled: State.OOMKilled,
    restartCount: RestartCount,
    startedAt: State.StartedAt,
    finishedAt: State.FinishedAt,
    ...(health === undefined
      ? {}
      : {
          health: {
            status: health.Status,
            failingStreak: health.FailingStreak,
            log: health.Log.map(({ ExitCode, Output, End }) => ({ exitCode: ExitCode, output: Output, end: End })),
          },
        }),
  };
}

function portsOf(map: Inspection["HostConfig"]["PortBindings"]): PortBinding[] {
  return Object.entries(map).flatMap(([key, bindings]) => {
    const [target = "", protocol = "tcp"] = key.split("/");
    return bindings.map(({ HostIp, HostPort }) => ({
      hostIp: HostIp === "" ? undefined : HostIp,
      published: HostPort === "" ? undefined : HostPort,
      target: Number(target),
      protocol,
    }));
  });
}

/** Ports that `--publish-all` opened: nobody chose their number. */
function unaskedPorts(asked: Inspection["HostConfig"]["PortBindings"], open: readonly PortBinding[]): PortBinding[] {
  return open
    .filter(({ target, protocol }) => asked[`${target}/${protocol}`] === undefined)
    .map((port) => ({ ...port, published: undefined }));
}
