import { create, type Escape, type Expectation, refused, type Table, type Unguarded } from "./escape.ts";
import type { World } from "./world.ts";

type Parts = NonNullable<Parameters<typeof create>[1]>;
type Row = readonly [
  tries: string,
  why: string,
  parts: (world: World) => Parts,
  expect?: Expectation | undefined,
  unguarded?: Unguarded,
];

const refusedByEngine: Unguarded = { none: "engine 20.10 refuses it" };
const newer: Unguarded = { none: "engine 20.10 knows no such field" };
const atOurs =
  (endpoint: Readonly<Record<string, unknown>>) =>
  ({ network }: World): Parts => ({
    host: { NetworkMode: network.name },
    networking: { EndpointsConfig: { [network.name]: endpoint } },
  });

const rows: readonly Row[] = [
  [
    "an alias on the sandboxes' network",
    "the name of a service, which other sandboxes then reach",
    atOurs({ Aliases: ["store"] }),
  ],
  ["an alias that is a host on the internet", "answers in its place", atOurs({ Aliases: ["api.openai.com"] })],
  ["more names in the DNS", "answers in the place of others", atOurs({ DNSNames: ["store"] }), undefined, newer],
  [
    "a link on the sandboxes' network",
    "a name that leads to somebody's container",
    ({ network, foreign }) => ({
      host: { NetworkMode: network.name },
      networking: { EndpointsConfig: { [network.name]: { Links: [`${foreign.name}:store`] } } },
    }),
  ],
  [
    "an address of its own",
    "the address of another sandbox or of a service",
    atOurs({ IPAMConfig: { IPv4Address: "172.31.255.254" } }),
  ],
  [
    "link-local addresses",
    "the address of a cloud's metadata",
    atOurs({ IPAMConfig: { LinkLocalIPs: ["169.254.169.254"] } }),
  ],
  [
    "a hardware address at its endpoint",
    "the address of another container",
    atOurs({ MacAddress: "02:42:ac:11:00:02" }),
  ],
  ["a hardware address", "the address of another container", () => ({ config: { MacAddress: "02:42:ac:11:00:02" } })],
  [
    "options of the network's driver",
    "settings that the model does not know",
    atOurs({ DriverOpts: { "com.docker.network.endpoint.sysctls": "net.ipv4.conf.IFNAME.forwarding=1" } }),
  ],
  ["a gateway of its own", "its packets by way of somebody else", atOurs({ Gateway: "10.0.0.1" })],
  ["a priority among networks", "which network is the way out", atOurs({ GwPriority: 100 }), undefined, newer],
  [
    "somebody's network as an endpoint",
    "the services there",
    ({ foreignNetwork, network }) => ({
      host: { NetworkMode: network.name },
      networking: { EndpointsConfig: { [foreignNetwork.name]: {} } },
    }),
  ],
  [
    "two networks",
    "the services of both",
    ({ foreignNetwork, network }) => ({
      host: { NetworkMode: network.name },
      networking: { EndpointsConfig: { [network.name]: {}, [foreignNetwork.name]: {} } },
    }),
    undefined,
    refusedByEngine,
  ],
  [
    "a network's id beside another name",
    "a name that is checked, an id that is used",
    ({ foreignNetwork, network }) => ({
      host: { NetworkMode: network.name },
      networking: { EndpointsConfig: { [network.name]: { NetworkID: foreignNetwork.id } } },
    }),
  ],
  [
    "the host's network as an endpoint",
    "every service that listens on loopback",
    () => ({ networking: { EndpointsConfig: { host: {} } } }),
  ],
  [
    "networking in lower case",
    "Go finds it without regard to case",
    ({ network }) => ({
      config: { networkingconfig: { EndpointsConfig: { [network.name]: { Aliases: ["store"] } } } },
      host: { NetworkMode: network.name },
    }),
  ],
  [
    "a link to somebody's container",
    "its address and its variables",
    ({ foreign }) => ({ host: { Links: [`${foreign.name}:store`] } }),
  ],
  ["a name server", "every name, answered by somebody else", () => ({ host: { Dns: ["10.0.0.1"] } })],
  ["a search domain", "short names, answered by somebody else", () => ({ host: { DnsSearch: ["evil.example"] } })],
  ["an option of the resolver", "names, asked otherwise", () => ({ host: { DnsOptions: ["ndots:15"] } })],
  [
    "an entry in its hosts file",
    "a name that leads to the host",
    () => ({ host: { ExtraHosts: ["host.docker.internal:host-gateway"] } }),
  ],
  [
    "an entry in its hosts file for a cloud's metadata",
    "a name that passes rules on names",
    () => ({ host: { ExtraHosts: ["allowed.example:169.254.169.254"] } }),
  ],
  [
    "the host name of a service",
    "the name in logs and certificates of others",
    () => ({ config: { Hostname: "store" } }),
    refused(""),
  ],
  [
    "a domain name",
    "names, asked in somebody's domain",
    () => ({ config: { Domainname: "corp.example" } }),
    refused(""),
  ],
];

/** Networks, names and addresses: a sandbox has one network at most, and no name there but its own. */
export const networkEscapes: Table = (world) =>
  rows.map(
    ([tries, why, parts, expect = refused(""), unguarded = "effect"]): Escape => ({
      class: "network",
      tries: `to have ${tries}`,
      why,
      request: create(world, parts(world)),
      expect,
      unguarded,
    }),
  );
