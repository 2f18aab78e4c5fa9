import { beforeAll, expect, test } from "vitest";
import {
  type Combination,
  combinations,
  composeModel,
  generatedSecrets,
  type Model,
  nameOf,
  type Service,
} from "./model.ts";

/** Names what breaks an invariant in one model; nothing when it holds. */
type Check = (model: Model, combination: Combination) => readonly string[];

const eachService =
  (breaks: (service: Service, name: string, model: Model) => boolean): Check =>
  (model) =>
    Object.entries(model.services)
      .filter(([name, service]) => breaks(service, name, model))
      .map(([name]) => name);

const socketPattern = /(docker|containerd|podman)[^/]*\.sock/;
const guardDoor = "unix:///run/guard/docker.sock";
const reachesSocket = (service: Service) =>
  service.volumes.some(({ source, target }) => socketPattern.test(source) || socketPattern.test(target)) ||
  ("DOCKER_HOST" in service.environment && service.environment["DOCKER_HOST"] !== guardDoor) ||
  service.group_add.length > 0;

const credentialPattern = /\/\.(claude|codex)\b/;
const binds = (service: Service) => service.volumes.filter(({ type }) => type === "bind");
const outward = (model: Model, service: Service) =>
  Object.keys(service.networks).filter((name) => model.networks[name]?.internal !== true);

const tlsSecrets = (tls: Combination["tls"]) =>
  tls === "acme" ? ["acme_account", "acme_root"] : tls === "files" ? ["tls_certificate", "tls_key"] : [];

const invariants: readonly (readonly [string, Check])[] = [
  [
    "only aio reaches a runtime socket: the guard holds it, or by the overlay of that name the gateway",
    (model, { mode }) => {
      const holders = Object.keys(model.services).filter((name) => {
        const service = model.services[name];
        return service !== undefined && reachesSocket(service);
      });
      const expected = mode === "aio" ? ["guard"] : mode === "aio-raw" ? ["gateway"] : [];
      return holders.join() === expected.join() ? [] : [`held by: ${holders.join(", ") || "nobody"}`];
    },
  ],
  [
    "only the gateway mounts the directory in which the guard listens, read-only, and only the guard has no network",
    (model, { mode }) => {
      const mounts = Object.entries(model.services).flatMap(([name, { volumes, network_mode: network, profiles }]) => [
        ...volumes
          .filter(({ target }) => target === "/run/guard")
          .map((door) => `${name} ${door.read_only ? "ro" : "rw"}`),
        ...(network === "none" && profiles.length === 0 ? [`${name} none`] : []),
      ]);
      const expected = mode === "aio" ? ["gateway ro", "guard none", "guard rw"] : [];
      return mounts.toSorted().join() === expected.join() ? [] : mounts;
    },
  ],
  [
    "only the proxy publishes: one port, at BIND_HOST, by default on loopback; with TLS 80 and 443 and nothing else",
    (model, { bindHost, tls }) =>
      Object.entries(model.services).flatMap(([name, { ports }]) => {
        const published = ports.map(
          (port) => `${port.host_ip ?? "*"} ${port.published} ${port.target}/${port.protocol}`,
        );
        const door =
          tls === undefined
            ? [`${bindHost ?? "127.0.0.1"} 2026 8080/tcp`]
            : ["* 80 8080/tcp", "* 443 8443/tcp", "* 443 8443/udp"];
        const expected = name === "proxy" ? door : [];
        return published.join() === expected.join() ? [] : [`${name}: ${published.join(", ") || "nothing"}`];
      }),
  ],
  [
    "every service is a numeric user of its own and never root",
    (model) => {
      const users = Object.values(model.services).map(({ user }) => user ?? "root");
      const wrong = users.filter((user) => !/^[1-9]\d*:[1-9]\d*$/.test(user));
      return new Set(users).size === users.length ? wrong : [...wrong, `shared: ${users.join(", ")}`];
    },
  ],
  ["every service has a read-only root file system", eachService(({ read_only }) => read_only !== true)],
  [
    "every service drops all capabilities, adds none and can gain none",
    eachService(
      (service) =>
        service.cap_drop.join() !== "ALL" ||
        service.cap_add.length > 0 ||
        service.privileged === true ||
        service.security_opt.join() !== "no-new-privileges:true",
    ),
  ],
  [
    "no service shares a namespace or a device with the host",
    eachService(
      (service) =>
        service.network_mode === "host" ||
        ["pid", "ipc", "uts", "userns_mode", "cgroup", "cgroup_parent", "devices", "device_cgroup_rules", "gpus"].some(
          (key) => key in service,
        ),
    ),
  ],
  [
    "every service has limits on memory without swap, on processors and on processes",
    eachService(
      ({ mem_limit, memswap_limit, cpus, pids_limit }) =>
        !(Number(mem_limit) > 0 && memswap_limit === mem_limit && Number(cpus) > 0 && Number(pids_limit) > 0),
    ),
  ],
  [
    "no service asks for more processors than the smallest machine has",
    eachService(({ cpus }) => cpus === undefined || cpus > 1),
  ],
  [
    "every service has a healthcheck",
    eachService(
      ({ healthcheck }) => healthcheck === undefined || healthcheck.disable || healthcheck.test[0] === "NONE",
    ),
  ],
  [
    "every service rotates its log",
    eachService(
      ({ logging }) =>
        logging?.driver !== "json-file" || !("max-size" in logging.options) || !("max-file" in logging.options),
    ),
  ],
  [
    "every service that the stack starts is restarted unless it was stopped, and has time to stop",
    eachService(({ profiles, restart, stop_grace_period }) =>
      profiles.length > 0 ? restart !== "no" : restart !== "unless-stopped" || stop_grace_period === undefined,
    ),
  ],
  [
    "only the gateway mounts login directories, read-only, and only with the login overlay",
    (model, { cliAuth }) => {
      const mounts = Object.entries(model.services).flatMap(([name, service]) =>
        service.volumes
          .filter(({ source }) => credentialPattern.test(source))
          .map(({ source, read_only }) => `${name} ${source} ${read_only ? "ro" : "rw"}`),
      );
      const expected = cliAuth ? ["gateway ~/.claude ro", "gateway ~/.codex ro"] : [];
      return mounts.join() === expected.join() ? [] : mounts;
    },
  ],
  [
    "the kubeconfig is one file, read-only, for the provisioner alone, in its mode alone",
    (model, { mode }) => {
      const mounts = Object.entries(model.services).flatMap(([name, service]) =>
        service.volumes
          .filter(({ source, target }) => /kube/.test(source + target))
          .map(({ source, target, read_only }) => `${name} ${source} ${target} ${read_only ? "ro" : "rw"}`),
      );
      const expected = mode === "provisioner" ? ["provisioner ~/.kube/config /run/kube/config ro"] : [];
      return mounts.join() === expected.join() ? [] : mounts;
    },
  ],
  [
    "every bind refuses to create its source",
    eachService((service) => binds(service).some(({ bind }) => bind === undefined || bind.create_host_path)),
  ],
  [
    "every bind but the socket is read-only",
    eachService((service) => binds(service).some(({ source, read_only }) => !read_only && !socketPattern.test(source))),
  ],
  [
    "the store shares no network with the proxy and has no way out",
    (model) => {
      const { store, proxy } = model.services;
      if (store === undefined || proxy === undefined) return ["the store or the proxy is missing"];
      const shared = Object.keys(store.networks).filter((name) => name in proxy.networks);
      return [...shared, ...outward(model, store)];
    },
  ],
  [
    "a way out has the proxy, to publish its port and to fetch certificates, and in provisioner mode gateway and provisioner, each by its own network",
    (model, { mode, tls }) => {
      const ways = Object.entries(model.services).flatMap(([name, service]) =>
        outward(model, service).map((network) => `${name} ${network}`),
      );
      const expected = ["proxy edge"];
      if (tls === "acme") expected.push("proxy proxy-egress");
      if (mode === "provisioner") expected.push("gateway gateway-egress", "provisioner provisioner-egress");
      return ways.toSorted().join() === expected.toSorted().join() ? [] : ways;
    },
  ],
  [
    "the network on which the proxy publishes translates no outgoing address",
    (model) =>
      JSON.stringify(model.networks["edge"]?.["driver_opts"]) ===
      '{"com.docker.network.bridge.enable_ip_masquerade":"false"}'
        ? []
        : ["edge"],
  ],
  [
    "every file secret has an entry that says how to generate it, or is one of TLS, and the other way round",
    (model, { tls }) => {
      const generated = Object.values(generatedSecrets(model)).flatMap(({ file }) => file ?? []);
      const mounted = Object.values(model.secrets).map(({ file }) => file.replace("<checkout>/.deploy/secrets/", ""));
      generated.push(...tlsSecrets(tls));
      return generated.toSorted().join() === mounted.toSorted().join() ? [] : [...generated, ...mounted];
    },
  ],
  [
    "secrets have at least 24 random bytes",
    (model) => Object.entries(generatedSecrets(model)).flatMap(([name, { bytes }]) => (bytes >= 24 ? [] : [name])),
  ],
  [
    "file secrets go to the services that use them and nobody else",
    (model, { tls }) => {
      const holders = Object.entries(model.services).flatMap(([name, { secrets }]) =>
        secrets.map(({ source }) => `${name} ${source}`),
      );
      const own = tlsSecrets(tls).map((name) => `proxy ${name}`);
      const expected = ["gateway gateway_api_key", "gateway store_password", ...own, "store store_password"];
      return holders.toSorted().join() === expected.join() ? [] : holders;
    },
  ],
];

const models: { combination: Combination; model: Model }[] = [];

beforeAll(async () => {
  for (const combination of combinations) models.push({ combination, model: await composeModel(combination) });
}, 120_000);

test.each(invariants)("%s", (_sentence, check) => {
  const broken = models.flatMap(({ combination, model }) =>
    check(model, combination).map((what) => `${nameOf(combination)}: ${what}`),
  );
  expect(models).toHaveLength(56);
  expect(broken).toEqual([]);
});

test("the values of file secrets reach no service, in no mode", async () => {
  const settings = ["GATEWAY_API_KEY=sentinel-key", "STORE_PASSWORD=sentinel-password"];
  for (const mode of ["local", "aio", "aio-raw", "provisioner"] as const) {
    const model = await composeModel({ mode, cliAuth: true, bindHost: undefined }, settings);
    expect(generatedSecrets(model)["GATEWAY_API_KEY"]?.value).toBe("sentinel-key");
    expect(generatedSecrets(model)["STORE_PASSWORD"]?.value).toBe("sentinel-password");
    expect(JSON.stringify(model.services)).not.toContain("sentinel");
  }
});

test("the provisioner's key goes to gateway and provisioner and is known in that mode alone", async () => {
  const settings = ["PROVISIONER_API_KEY=sentinel-key"];
  for (const mode of ["local", "aio", "aio-raw", "provisioner"] as const) {
    const model = await composeModel({ mode, cliAuth: false, bindHost: undefined }, settings);
    const holders = Object.entries(model.services)
      .filter(([, service]) => JSON.stringify(service).includes("sentinel"))
      .map(([name]) => name);
    expect(holders).toEqual(mode === "provisioner" ? ["gateway", "provisioner"] : []);
    expect("PROVISIONER_API_KEY" in generatedSecrets(model)).toBe(mode === "provisioner");
  }
});
