import type { DeployConfig } from "../config/config.ts";
import type { Finding } from "../findings/finding.ts";
import { type PortBinding, portGrant } from "../privileges/grant-rules.ts";
import type { Privilege } from "../privileges/privilege.ts";
import { isWeakSecret } from "../secrets/generate-secret.ts";
import type { ComposeModel, ComposeService } from "../stack/model.ts";
import type { ExposureItem, ExposureLevel } from "./exposure-items.ts";
import { httpsTarget } from "./front-door.ts";

/** What the checks look at: the merged model and what was computed from it, never what a file claims. */
export interface ExposureGround {
  readonly config: DeployConfig;
  readonly model: ComposeModel;
  /** The services that start. */
  readonly services: readonly string[];
  readonly privileges: readonly Privilege[];
  /** What was found wrong with the environment and its secrets. */
  readonly findings: readonly Finding[];
  /** Whether a record names every image by its id. */
  readonly imagesAreKept: boolean;
}

type Named = readonly [name: string, service: ComposeService];

/**
 * Who can reach the stack: nobody but this machine where every port is on loopback. What is on the host's own network is
 * asked about by that name.
 */
export function exposureLevel(ground: ExposureGround): ExposureLevel {
  const started = startedOf(ground);
  const isOpen = started.some(([, service]) => openPorts(service).length > 0);
  if (!isOpen) return "loopback";
  return ground.config.public.tls === "off" ? "network" : "public";
}

/** The ports that others reach, as people read them. */
export function openDoors(ground: ExposureGround): string[] {
  return startedOf(ground).flatMap(([name, service]) => [
    ...openPorts(service).map((port) => `${name} ${portGrant(port).detail}`),
    ...(service.networkMode === "host" ? [`${name} on the host's own network`] : []),
  ]);
}

/** What is wrong, by item, each in a few words; an item that holds has none. */
export const exposureChecks: Readonly<Record<ExposureItem, (ground: ExposureGround) => string[]>> = {
  "weak-secrets": ({ findings }) =>
    findings.filter(({ code }) => code === "D103" || code === "D104").map(({ message }) => message),
  "default-accounts": (ground) =>
    startedOf(ground).flatMap(([name, { environment }]) =>
      Object.entries(environment)
        .filter(([variable, value]) => hasDefaultAccount(variable, value?.reveal() ?? ""))
        .map(([variable]) => `${name} starts with a well-known ${variable}`),
    ),
  "no-tls": (ground) =>
    startedOf(ground).flatMap(([name, service]) => [
      ...openPorts(service)
        .filter((port) => !isEncrypted(name, port, ground.config))
        .map((port) => `${name} publishes ${portGrant(port).detail} ${plainness(ground.config)}`),
      ...(service.networkMode === "host" ? [`${name} may listen on any port of the host`] : []),
    ]),
  "open-data-store": (ground) =>
    startedOf(ground)
      .filter(([, service]) => isDataStore(service))
      .flatMap(([name, service]) => openPorts(service).map((port) => `${name} publishes ${portGrant(port).detail}`)),
  "no-limits": (ground) =>
    startedOf(ground)
      .filter(([, { settings }]) => settings.limits.memory === undefined || settings.limits.pids === undefined)
      .map(([name]) => `${name} has none`),
  "raw-socket": ({ privileges }) =>
    privileges
      .filter(({ kind, consent }) => kind === "runtime-socket" && consent !== undefined)
      .map(({ service, detail }) => `${service} holds ${detail}`),
  "credential-directories": ({ privileges }) =>
    privileges
      .filter(({ kind, consent }) => kind === "credential-directory" && consent !== undefined)
      .map(({ service, detail }) => `${service} sees ${detail}`),
  "unpinned-images": (ground) =>
    ground.imagesAreKept
      ? []
      : startedOf(ground)
          .filter(([, service]) => !isPinned(service))
          .map(([name, { image }]) => `${name} runs ${image ?? "an image without a name"}`),
};

function startedOf({ model, services }: ExposureGround): Named[] {
  return services.flatMap((name): Named[] => {
    const service = model.services[name];
    return service === undefined ? [] : [[name, service]];
  });
}

function openPorts({ ports }: ComposeService): PortBinding[] {
  return ports.filter(({ hostIp }) => !isLoopback(hostIp));
}

/** Whether nobody but this machine reaches an address; none at all means every one. */
export function isLoopback(address: string | undefined): boolean {
  return /^(127(\.\d+){3}|\[?::1\]?|localhost)$/.test(address ?? "");
}

/**
 * With TLS, port 80 of the default stack's proxy leads to 443 and says nothing else. What a proxy of somebody else says on
 * its ports, no model tells.
 */
function isEncrypted(name: string, port: PortBinding, { public: { tls }, compose }: DeployConfig): boolean {
  const { published, target } = port;
  if (tls === "off" || compose.base !== undefined || name !== compose.proxy) return false;
  return (published === "80" && target === 8080) || (published === "443" && target === httpsTarget);
}

function plainness({ public: { tls }, compose }: DeployConfig): string {
  return tls !== "off" && compose.base !== undefined ? "by a proxy that this tool does not know" : "in plain text";
}

/** Names under which a program keeps a password, or the name of an account with one. */
const accountVariable = /PASS(WORD|WD|PHRASE)?$|_PWD$|SECRET(_KEY)?$|ROOT_USER$|ADMIN_USER(NAME)?$/i;

/** Accounts within a value, each a name and a password: of an address, of the words behind it, and as `name/password`. */
const accountsWithin = [
  /^[a-z][\w+.-]*:\/\/(?<name>[^\s/@:]*):(?<password>[^\s@/]+)@/i,
  /[?&;]user(?:name)?=(?<name>[^&;\s]*)[&;]password=(?<password>[^&;\s]+)/i,
  /[?&;]password=(?<password>[^&;\s]+)/i,
] as const;
const pair = /^(?<name>[^\s/:]+)[/:](?<password>\S+)$/;

function hasDefaultAccount(variable: string, value: string): boolean {
  if (accountVariable.test(variable) && isWellKnown(value)) return true;
  const patterns = /AUTH$/i.test(variable) ? [...accountsWithin, pair] : accountsWithin;
  return patterns.some((pattern) => {
    const { name, password = "" } = pattern.exec(value)?.groups ?? {};
    return password !== "" && (password === name || isWellKnown(password));
  });
}

function isWellKnown(password: string): boolean {
  const reason = isWeakSecret(password);
  return reason === "known default" || reason === "placeholder";
}

const storeImage =
  /(^|\/)(postgres|postgis|pgvector|timescaledb|mysql|mariadb|percona|mongo|redis|valkey|keydb|dragonfly|memcached|elasticsearch|opensearch|qdrant|weaviate|milvus|chroma|minio|clickhouse[\w-]*|neo4j|couchdb|cassandra|influxdb|rabbitmq|nats|kafka|etcd|zookeeper|meilisearch|typesense|surrealdb)(:|@|$)/i;
/** PostgreSQL, MySQL, Redis, MongoDB, Elasticsearch, memcached, Qdrant, ClickHouse, Neo4j, RabbitMQ, etcd, Milvus, Cassandra. */
const storePorts = [5432, 3306, 6379, 27017, 9200, 9300, 11211, 6333, 6334, 8123, 7687, 5672, 2379, 19530, 9042];

function isDataStore({ image = "", ports }: ComposeService): boolean {
  return storeImage.test(image) || ports.some(({ target }) => storePorts.includes(target));
}

/** What is built here cannot become another one by itself, and a digest is one image for ever. */
function isPinned({ image = "", build }: ComposeService): boolean {
  return build !== undefined || /@sha256:[0-9a-f]{64}$/.test(image);
}
