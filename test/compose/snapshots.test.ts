import { expect, test } from "vitest";
import { composeModel, generatedSecrets, type Mode, type Model, overlaysOf, type Service } from "./model.ts";

function lines(label: string, values: readonly string[]): string[] {
  return values.map((value, index) => `  ${(index === 0 ? label : "").padEnd(12)}${value}`);
}

function describeService(name: string, service: Service): string {
  const { networks, network_mode: networkMode } = service;
  return [
    `${name}${service.profiles.length > 0 ? ` (profile ${service.profiles.join(", ")}: never started)` : ""}`,
    ...lines("image", [service.image]),
    ...lines("user", [[service.user ?? "root", ...service.group_add.map((group) => `+ group ${group}`)].join(" ")]),
    ...lines(
      "publishes",
      service.ports.map(
        ({ host_ip: host = "*", published, target, protocol }) =>
          `${host}:${published} -> ${target}${protocol === "tcp" ? "" : `/${protocol}`}`,
      ),
    ),
    ...lines("networks", [networkMode ?? Object.keys(networks).join(", ")]),
    ...lines("hosts", service.extra_hosts),
    ...lines(
      "mounts",
      service.volumes.map(({ source, target, read_only }) => `${source} -> ${target} (${read_only ? "ro" : "rw"})`),
    ),
    ...lines("memory", service.tmpfs),
    ...lines(
      "secrets",
      service.secrets.map(({ target }) => target),
    ),
    ...lines("limits", [`memory ${service.mem_limit}, cpus ${service.cpus}, pids ${service.pids_limit}`]),
    ...lines("health", [service.healthcheck?.test.join(" ") ?? "none"]),
    ...lines(
      "environment",
      Object.entries(service.environment).map(([key, value]) => `${key}=${value}`),
    ),
  ].join("\n");
}

function describeModel(mode: Mode, model: Model): string {
  const networks = Object.entries(model.networks).map(([name, { internal }]) =>
    internal ? `${name} (internal)` : name,
  );
  return `${[
    `Mode ${mode}: docker-compose.yaml ${overlaysOf[mode].join(" ")}`.trimEnd(),
    `networks    ${networks.join(", ")}`,
    `generates   ${Object.keys(generatedSecrets(model)).join(", ")}`,
    ...Object.entries(model.services).map(([name, service]) => `\n${describeService(name, service)}`),
  ].join("\n")}\n`;
}

test.each([
  ["local", false, undefined, "local"],
  ["aio", false, undefined, "aio"],
  ["aio-raw", false, undefined, "aio-raw"],
  ["provisioner", false, undefined, "provisioner"],
  ["local", true, undefined, "local+cli-auth"],
  ["local", false, "internal", "local+tls-internal"],
  ["aio", false, "acme", "aio+tls-acme"],
  ["local", false, "files", "local+tls-files"],
] as const)(
  "what the services hold in mode %s, login overlay %s, TLS %s, is what was reviewed",
  async (mode, cliAuth, tls, name) => {
    const model = await composeModel({ mode, cliAuth, bindHost: undefined, ...(tls === undefined ? {} : { tls }) });
    await expect(describeModel(mode, model)).toMatchFileSnapshot(`__snapshots__/${name}.txt`);
  },
);
