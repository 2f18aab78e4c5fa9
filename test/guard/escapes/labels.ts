import { contained, create, type Escape, type Expectation, refused, type Table, type Unguarded } from "./escape.ts";
import type { World } from "./world.ts";

type Parts = NonNullable<Parameters<typeof create>[1]>;
type Row = readonly [
  tries: string,
  why: string,
  parts: (world: World) => Parts,
  expect?: Expectation | undefined,
  unguarded?: Unguarded,
];

const label = (name: string, value: string) => () => ({ config: { Labels: { [name]: value } } });
const refusedByEngine: Unguarded = { none: "engine 20.10 refuses it" };

const rows: readonly Row[] = [
  ["the label of another guard", "a sandbox of another gateway", label("sandbox-deploy.guard", "other")],
  [
    "the label of this guard",
    "a client that decides what is ours",
    ({ run }) => ({ config: { Labels: { "sandbox-deploy.guard": `escape-${run}` } } }),
  ],
  [
    "the label of this guard in upper case",
    "the same label to readers that do not look at case",
    label("Sandbox-Deploy.Guard", "other"),
  ],
  [
    "the label of this guard with a space behind it",
    "the same label to readers that trim",
    label("sandbox-deploy.guard ", "other"),
  ],
  [
    "the label of a Compose project",
    "Compose stops, removes or adopts the container of a service",
    label("com.docker.compose.project", "shop"),
  ],
  [
    "the label of a Compose service",
    "Compose takes it for the container of a service",
    label("com.docker.compose.service", "store"),
  ],
  ["the label of a Swarm task", "Swarm's tools act on it", label("com.docker.swarm.service.name", "store")],
  [
    "a label of Traefik",
    "a route from the internet to the sandbox, in a service's place",
    label("traefik.http.routers.x.rule", "Host(`shop.example`)"),
  ],
  ["a label of the Caddy proxy", "a route from the internet to the sandbox", label("caddy", "shop.example")],
  [
    "a label of nginx-proxy",
    "a route from the internet to the sandbox",
    label("com.github.nginx-proxy.nginx-proxy.keepalive", "auto"),
  ],
  [
    "a variable of nginx-proxy",
    "VIRTUAL_HOST makes a route from the internet to the sandbox",
    () => ({ config: { Env: ["VIRTUAL_HOST=shop.example"] } }),
  ],
  [
    "a label of Ofelia",
    "a timer that runs commands in containers, as root on the host",
    label("ofelia.job-local.x.command", "id"),
  ],
  [
    "a label of Watchtower",
    "a command after an update, and another image",
    label("com.centurylinklabs.watchtower.lifecycle.post-update", "id"),
  ],
  ["a label of autoheal", "a container that is restarted for ever", label("autoheal", "true")],
  ["a label of Diun", "requests to any registry", label("diun.enable", "true")],
  [
    "a label of Prometheus",
    "a target that is read from the monitoring's network",
    label("prometheus.io/scrape", "true"),
  ],
  ["a label of Filebeat", "a configuration of the host's log reader", label("co.elastic.logs/enabled", "true")],
  ["a label of Datadog", "checks that the host's agent runs", label("com.datadoghq.ad.check_names", '["x"]')],
  ["a label of Portainer", "what an administrator sees", label("io.portainer.accesscontrol.teams", "admins")],
  ["a label with a line end", "a second label to whoever writes it out", label("sandbox.note\ntraefik.enable", "true")],
  ["a label without a name", "readers differ in what it is", label("", "x")],
  [
    "a label that is no text",
    "readers differ in what it is",
    () => ({ config: { Labels: { "sandbox.note": { x: 1 } } } }),
    refused("body."),
    refusedByEngine,
  ],
  [
    "labels as a list",
    "the form of Compose files",
    () => ({ config: { Labels: ["sandbox-deploy.guard=other"] } }),
    refused("body."),
    refusedByEngine,
  ],
  [
    "ten thousand labels",
    "a list without an end keeps the engine busy",
    () => ({
      config: { Labels: Object.fromEntries(Array.from({ length: 10_000 }, (_, at) => [`sandbox.${at}`, ""])) },
    }),
  ],
  ["the user root", "root's group in what is bound into it", () => ({ config: { User: "0:0" } })],
  ["a user by a number that wraps", "4294967296 is 0 to some readers", () => ({ config: { User: "4294967296" } })],
  [
    "a signal that ends nothing",
    "a stop that waits for the kill",
    () => ({ config: { StopSignal: "SIGCONT" } }),
    contained({ StopSignal: "SIGCONT" }),
    "effect",
  ],
  [
    "a stop that never times out",
    "a service that cannot be stopped",
    () => ({ config: { StopTimeout: 1_000_000 } }),
    contained({ StopTimeout: 10 }),
  ],
  [
    "commands for images made of it",
    "commands in an image that somebody builds",
    () => ({ config: { OnBuild: ["RUN id"] } }),
  ],
  [
    "a check of health every millisecond",
    "commands that the engine starts for ever",
    () => ({ config: { Healthcheck: { Test: ["CMD-SHELL", "id"], Interval: 1_000_000 } } }),
    contained({ Healthcheck: { Test: ["CMD-SHELL", "id"], Interval: 1_000_000_000 } }),
  ],
  [
    "its network switched off beside an address",
    "a field that readers weigh differently",
    () => ({ config: { NetworkDisabled: true } }),
    contained({ NetworkDisabled: true }),
  ],
];

/** Labels, names and settings that other tools act on: only labels that the policy names may be set. */
export const labelEscapes: Table = (world) =>
  rows.map(
    ([tries, why, parts, expect = refused(""), unguarded = "effect"]): Escape => ({
      class: "labels",
      tries: `to set ${tries}`,
      why,
      request: create(world, parts(world)),
      expect,
      unguarded,
    }),
  );
