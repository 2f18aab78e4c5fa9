import { z } from "zod";

const port = z.object({
  target: z.number(),
  protocol: z.string(),
  host_ip: z.string().optional(),
  published: z.string().optional(),
});
const volume = z.object({
  type: z.string(),
  source: z.string().optional(),
  target: z.string(),
  read_only: z.boolean().default(false),
});
const service = z.looseObject({
  image: z.string().optional(),
  profiles: z.array(z.string()).default([]),
  environment: z.record(z.string(), z.string().nullable()).default({}),
  ports: z.array(port).default([]),
  volumes: z.array(volume).default([]),
  networks: z.record(z.string(), z.unknown()).default({}),
  user: z.string().optional(),
  read_only: z.boolean().default(false),
  mem_limit: z.coerce.number().default(0),
  memswap_limit: z.coerce.number().default(0),
  cpus: z.number().default(0),
  pids_limit: z.number().default(0),
});
const named = z.looseObject({ name: z.string() });
const modelSchema = z.looseObject({
  name: z.string(),
  services: z.record(z.string(), service),
  networks: z.record(z.string(), named).default({}),
});

/** What an engine without wishes knows: the model that was merged last runs from `compose up` until `compose down`. */
export interface EngineState {
  running: boolean;
  /** As `docker compose config` printed it. */
  readonly model: string | undefined;
  /** The same when the containers were started. */
  readonly started: string | undefined;
  /** How often they were made anew since. */
  readonly recreated: number;
  /** Compose's hashes by service, which containers then carry; without them every service looks changed. */
  readonly hashes: Readonly<Record<string, string>>;
  /** What the health check of a service says, where it is not healthy. */
  readonly health: Readonly<Record<string, unknown>>;
}

/** What the engine prints; it has every image, and every call succeeds. */
export function engineAnswer(argv: readonly string[], state: EngineState): string {
  const line = argv.join(" ");
  if (line.startsWith("compose version")) return "2.40.3\n";
  if (argv[0] === "compose") return "";
  const containers = runningContainers(state);
  if (argv[0] === "ps" && !line.includes("publish="))
    return containers.map(({ Id, Name, project }) => `${[Id, Name, project, "False", "", ""].join("\t")}\n`).join("");
  if (line.startsWith("container inspect"))
    return JSON.stringify(containers.filter(({ Id }) => argv.includes(Id)).map(({ document }) => document));
  if (line.startsWith("image inspect"))
    return argv
      .slice(argv.indexOf("--format") + 2)
      .map((name) => `sha256:1 ["${name}"] []\n`)
      .join("");
  if (line.startsWith("network ls") && containers.length > 0) return "scripted_front\n";
  return line.startsWith("volume inspect") ? "[]" : "";
}

/** One healthy container for each service that is not only built. */
function runningContainers({ running, model: merged, started, recreated, health, hashes }: EngineState) {
  const model = started ?? merged;
  if (!running || model === undefined) return [];
  const { name: project, services, networks } = modelSchema.parse(JSON.parse(model));
  return Object.entries(services)
    .filter(([, { profiles }]) => !profiles.includes("build"))
    .map(([name, parts]) => {
      const Id = `id-${name}${recreated === 0 ? "" : `-${recreated}`}`;
      const Name = `${project}-${name}-1`;
      return {
        Id,
        Name,
        project,
        document: {
          Id,
          Name: `/${Name}`,
          ...inspected(project, name, parts, health[name], namesOf(parts, networks), hashes[name]),
        },
      };
    });
}

function namesOf(parts: z.infer<typeof service>, networks: z.infer<typeof modelSchema>["networks"]): string[] {
  return Object.keys(parts.networks).map((key) => networks[key]?.name ?? key);
}

function inspected(
  project: string,
  name: string,
  parts: z.infer<typeof service>,
  health: unknown,
  networks: readonly string[],
  hash: string | undefined,
) {
  const bindings = Object.fromEntries(
    parts.ports.map(({ target, protocol, host_ip: HostIp, published: HostPort }) => [
      `${target}/${protocol}`,
      [{ HostIp, HostPort }],
    ]),
  );
  const healthy = { Status: "healthy", FailingStreak: 0, Log: [] };
  return {
    Created: "2026-01-01T00:00:00Z",
    Image: "sha256:1",
    RestartCount: 0,
    State: { Status: "running", Running: true, ExitCode: 0, Error: "", Health: health ?? healthy },
    Config: {
      Image: parts.image,
      User: parts.user,
      Env: Object.entries(parts.environment).map(([key, value]) => `${key}=${String(value).replaceAll("$$", "$")}`),
      Labels: {
        "com.docker.compose.project": project,
        "com.docker.compose.service": name,
        ...(hash === undefined ? {} : { "com.docker.compose.config-hash": hash }),
      },
    },
    HostConfig: {
      CapDrop: ["ALL"],
      ReadonlyRootfs: parts.read_only,
      ...{
        Memory: parts.mem_limit,
        MemorySwap: parts.memswap_limit,
        NanoCpus: parts.cpus * 1e9,
        PidsLimit: parts.pids_limit,
      },
      SecurityOpt: ["no-new-privileges:true"],
      RestartPolicy: { Name: "unless-stopped" },
      PortBindings: bindings,
    },
    Mounts: parts.volumes.map(({ type, source, target, read_only: readOnly }) => ({
      Type: type,
      Source: source,
      Destination: target,
      RW: !readOnly,
    })),
    NetworkSettings: { Ports: bindings, Networks: Object.fromEntries(networks.map((each) => [each, {}])) },
  };
}
