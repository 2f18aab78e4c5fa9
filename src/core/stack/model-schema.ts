import "../schema-settings.ts";
import * as z from "zod";
import { conceal } from "../secrets/concealed.ts";
import { buildSchema, fileReference } from "./build-schema.ts";
import { extensionsOf } from "./model-extension.ts";
import { flag, listOf, mapOf, maybe } from "./nullish-schema.ts";
import { healthcheckSchema, limitsShape, restartPolicy, settingsOf, settingsShape } from "./service-settings.ts";
import { buildProfile } from "./stack.ts";

/** Compose writes some scalars as text in one version and as numbers in another. */
const text = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const secretText = text.transform(conceal);

const port = z
  .object({ host_ip: maybe(z.string()), published: maybe(text), target: z.number(), protocol: maybe(z.string()) })
  .transform(({ host_ip, published, target, protocol }) => ({
    hostIp: host_ip,
    published,
    target,
    protocol: protocol ?? "tcp",
  }));

/** Compose leaves `create_host_path` out where it is false. */
const volumeMount = z
  .object({
    type: z.string(),
    source: maybe(z.string()),
    target: z.string(),
    read_only: flag,
    bind: maybe(z.object({ create_host_path: flag, propagation: maybe(z.string()) })),
  })
  .transform(({ read_only, bind, ...rest }) => ({
    ...rest,
    readOnly: read_only,
    createHostPath: bind?.create_host_path ?? false,
    propagation: bind?.propagation,
  }));

/** Before 2.32 a device was one line of text, `HOST[:CONTAINER[:PERMISSIONS]]`. */
const device = z.union([
  z.string().transform((line) => {
    const [source = line, target, permissions] = line.includes("=") ? [line] : line.split(":");
    return { source, target: target ?? source, permissions: permissions ?? "rwm" };
  }),
  z
    .object({ source: z.string(), target: maybe(z.string()), permissions: maybe(z.string()) })
    .transform(({ source, target, permissions }) => ({
      source,
      target: target ?? source,
      permissions: permissions ?? "rwm",
    })),
]);

const deviceRequest = z
  .object({
    driver: maybe(z.string()),
    count: maybe(z.number()),
    device_ids: listOf(z.string()),
    capabilities: listOf(z.string()),
  })
  .transform(({ driver, count, device_ids, capabilities }) => {
    const ids = device_ids;
    return { driver: driver ?? "", count: count ?? (ids.length > 0 ? 0 : -1), ids, capabilities };
  });

const hook = z.object({ privileged: flag, user: maybe(text) });

const deploy = z.object({
  replicas: maybe(z.number()),
  resources: maybe(z.object({ ...limitsShape, reservations: maybe(z.object({ devices: listOf(deviceRequest) })) })),
  restart_policy: restartPolicy,
});

/** A map of names to addresses, or lines `NAME=ADDRESS`, also with a colon. */
const extraHosts = z
  .union([z.array(z.string()), z.record(z.string(), z.union([z.string(), z.array(z.string())]))])
  .nullish()
  .transform((hosts) => {
    if (Array.isArray(hosts)) return hosts;
    return Object.entries(hosts ?? {}).flatMap(([name, addresses]) =>
      [addresses].flat().map((address) => `${name}=${address}`),
    );
  });

/** A program and its arguments; Compose writes them as a list. They may hold a secret, so that nothing but the guard's rule reads them. */
const words = z
  .union([z.string(), z.array(z.string())])
  .nullish()
  .transform((value) => [value ?? []].flat());

/** One service of the merged model; what neither privileges nor planning read is left out. */
export const serviceSchema = z
  .object({
    image: maybe(z.string()),
    build: maybe(buildSchema),
    container_name: maybe(z.string()),
    profiles: listOf(z.string()),
    scale: maybe(z.number()),
    deploy: maybe(deploy),
    restart: maybe(z.string()),
    user: maybe(text),
    entrypoint: words,
    command: words,
    read_only: flag,
    ports: listOf(port),
    volumes: listOf(volumeMount),
    volumes_from: listOf(z.string()),
    secrets: listOf(fileReference),
    configs: listOf(fileReference),
    networks: mapOf(maybe(z.object({ aliases: listOf(z.string()) }))),
    network_mode: maybe(z.string()),
    pid: maybe(z.string()),
    ipc: maybe(z.string()),
    uts: maybe(z.string()),
    userns_mode: maybe(z.string()),
    cgroup: maybe(z.string()),
    cgroup_parent: maybe(z.string()),
    privileged: flag,
    cap_add: listOf(z.string()),
    cap_drop: listOf(z.string()),
    devices: listOf(device),
    device_cgroup_rules: listOf(z.string()),
    gpus: listOf(deviceRequest),
    security_opt: listOf(z.string()),
    group_add: listOf(text),
    use_api_socket: flag,
    provider: maybe(z.object({ type: z.string() })),
    models: mapOf(z.unknown()),
    pre_start: listOf(hook),
    post_start: listOf(hook),
    pre_stop: listOf(hook),
    environment: mapOf(z.union([secretText, z.null()])),
    extra_hosts: extraHosts,
    healthcheck: maybe(healthcheckSchema),
    depends_on: mapOf(
      z.object({
        condition: maybe(z.string()),
        required: z
          .boolean()
          .nullish()
          .transform((value) => value ?? true),
      }),
    ),
    runtime: maybe(z.string()),
    oom_score_adj: maybe(z.number()),
    annotations: mapOf(text),
    logging: maybe(z.object({ driver: maybe(z.string()), options: mapOf(z.union([secretText, z.null()])) })),
    external_links: listOf(z.string()),
    labels: mapOf(text),
    ...settingsShape,
  })
  .transform((raw) => ({
    image: raw.image,
    build: raw.build,
    containerName: raw.container_name,
    profiles: raw.profiles,
    replicas: raw.scale ?? raw.deploy?.replicas ?? 1,
    restart: raw.restart,
    user: raw.user,
    entrypoint: raw.entrypoint,
    command: raw.command,
    readOnly: raw.read_only,
    ports: raw.ports,
    volumes: raw.volumes,
    volumesFrom: raw.volumes_from,
    secrets: raw.secrets,
    configs: raw.configs,
    networks: Object.keys(raw.networks),
    aliases: Object.values(raw.networks).flatMap((network) => network?.aliases ?? []),
    networkMode: raw.network_mode,
    pid: raw.pid,
    ipc: raw.ipc,
    uts: raw.uts,
    usernsMode: raw.userns_mode,
    cgroup: raw.cgroup,
    cgroupParent: raw.cgroup_parent,
    privileged: raw.privileged,
    capAdd: raw.cap_add,
    capDrop: raw.cap_drop,
    devices: raw.devices,
    deviceCgroupRules: raw.device_cgroup_rules,
    /** `gpus` and `deploy.resources.reservations.devices` ask for the same thing. */
    deviceRequests: [...raw.gpus, ...(raw.deploy?.resources?.reservations?.devices ?? [])],
    securityOpt: raw.security_opt,
    groupAdd: raw.group_add,
    useApiSocket: raw.use_api_socket,
    provider: raw.provider?.type,
    models: Object.keys(raw.models),
    hooks: { pre_start: raw.pre_start, post_start: raw.post_start, pre_stop: raw.pre_stop },
    environment: raw.environment,
    extraHosts: raw.extra_hosts,
    healthcheck: raw.healthcheck,
    dependsOn: raw.depends_on,
    runtime: raw.runtime,
    oomScore: raw.oom_score_adj ?? 0,
    annotations: Object.keys(raw.annotations),
    logging: raw.logging,
    externalLinks: raw.external_links,
    labels: raw.labels,
    settings: settingsOf(raw, raw.deploy),
  }));

const named = {
  name: maybe(z.string()),
  /** An object, `{name: …}`, in the oldest form. */
  external: z
    .union([z.boolean(), z.object({})])
    .nullish()
    .transform((value) => value !== undefined && value !== null && value !== false),
};

const fileObject = z.object({
  ...named,
  file: maybe(z.string()),
  environment: maybe(z.string()),
  content: maybe(secretText),
});

const volume = z
  .object({ ...named, driver: maybe(z.string()), driver_opts: mapOf(text) })
  .transform(({ driver_opts, ...rest }) => ({ ...rest, driverOpts: driver_opts }));

const network = z
  .object({ ...named, driver: maybe(z.string()), driver_opts: mapOf(text), internal: flag })
  .transform(({ driver_opts, ...rest }) => ({ ...rest, driverOpts: driver_opts }));

/** The merged model as `docker compose config --format json` prints it. */
export const modelSchema = z
  .looseObject({
    name: z.string(),
    services: mapOf(serviceSchema),
    secrets: mapOf(fileObject),
    configs: mapOf(fileObject),
    volumes: mapOf(
      volume
        .nullish()
        .transform((value) => value ?? { name: undefined, external: false, driver: undefined, driverOpts: {} }),
    ),
    networks: mapOf(
      network
        .nullish()
        .transform(
          (value) => value ?? { name: undefined, external: false, driver: undefined, driverOpts: {}, internal: false },
        ),
    ),
  })
  .transform((model, context) => {
    const { name, services, secrets, configs, volumes, networks } = model;
    const own = extensionsOf(model, context);
    const isBuilt = ({ profiles }: Service) => profiles.includes(buildProfile);
    return {
      name,
      services: servicesThat(services, (service) => !isBuilt(service)),
      buildServices: servicesThat(services, isBuilt),
      ...{ secrets, configs, volumes, networks },
      generatedSecrets: mergeAll(own.map((each) => each.secrets)),
      builtImages: mergeAll(own.map((each) => each.builtImages)),
    };
  });

type Service = z.output<typeof serviceSchema>;

function servicesThat(services: Record<string, Service>, isWanted: (service: Service) => boolean) {
  return Object.fromEntries(Object.entries(services).filter(([, service]) => isWanted(service)));
}

function mergeAll<T>(records: readonly Readonly<Record<string, T>>[]): Record<string, T> {
  return Object.fromEntries(records.flatMap((record) => Object.entries(record)));
}
