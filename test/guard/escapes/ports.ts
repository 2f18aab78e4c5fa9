import { contained, create, type Escape, type Expectation, refused, type Table, type Unguarded } from "./escape.ts";

type Row = readonly [
  tries: string,
  why: string,
  bindings: Readonly<Record<string, unknown>>,
  expect: Expectation,
  unguarded?: Unguarded,
];

const on = (HostIp: string, HostPort: string) => [{ HostIp, HostPort }];
const refusedByEngine: Unguarded = { none: "engine 20.10 refuses it" };
const bridge = (HostPort: string) =>
  contained({ "HostConfig.PortBindings": { "8080/tcp": [{ HostIp: "127.0.0.1", HostPort }] } });

const rows: readonly Row[] = [
  [
    "on every address of the host",
    "the network reaches the sandbox",
    { "8080/tcp": on("0.0.0.0", "30001") },
    bridge("30001"),
  ],
  [
    "on every address, as Docker does without one",
    "the network reaches the sandbox",
    { "8080/tcp": on("", "30001") },
    bridge("30001"),
  ],
  [
    "on every address of version 6",
    "the network reaches the sandbox",
    { "8080/tcp": on("::", "30001") },
    bridge("30001"),
  ],
  [
    "on an address of the network",
    "the network reaches the sandbox",
    { "8080/tcp": on("10.1.2.3", "30001") },
    bridge("30001"),
  ],
  [
    "on a name in place of an address",
    "a name that somebody else resolves",
    { "8080/tcp": on("evil.example", "30001") },
    bridge("30001"),
    "effect",
  ],
  ["on a privileged port", "a service of the host", { "8080/tcp": on("", "22") }, refused("port")],
  [
    "on the port of the engine",
    "clients that look for the engine there",
    { "8080/tcp": on("", "2375") },
    refused("port"),
  ],
  [
    "on a port outside of the policy's range",
    "a service of the host",
    { "8080/tcp": on("", "29999") },
    refused("port"),
  ],
  ["on a port behind the policy's range", "a service of the host", { "8080/tcp": on("", "30100") }, refused("port")],
  ["on any port", "a port outside of the policy's range", { "8080/tcp": on("", "") }, bridge("30000-30099")],
  ["on port zero", "a port outside of the policy's range", { "8080/tcp": on("", "0") }, bridge("30000-30099")],
  ["on a range of ports", "ports outside of the policy's range", { "8080/tcp": on("", "1-65535") }, refused("port")],
  [
    "on a range within the policy's",
    "a range is not a port to other readers",
    { "8080/tcp": on("", "30001-30002") },
    bridge("30001-30002"),
  ],
  [
    "on a negative port",
    "readers differ in what it is",
    { "8080/tcp": on("", "-1") },
    refused("port"),
    refusedByEngine,
  ],
  [
    "on a port with a plus",
    "readers differ in what it is",
    { "8080/tcp": on("", "+22") },
    refused("port"),
    refusedByEngine,
  ],
  [
    "on a port with a space",
    "readers differ in what it is",
    { "8080/tcp": on("", " 22") },
    refused("port"),
    refusedByEngine,
  ],
  ["on a port with leading zeros", "readers differ in what it is", { "8080/tcp": on("", "030001") }, refused("port")],
  [
    "on a port in hexadecimal",
    "readers differ in what it is",
    { "8080/tcp": on("", "0x7531") },
    refused("port"),
    refusedByEngine,
  ],
  [
    "on a port beyond the last",
    "65536 is 0 to some readers",
    { "8080/tcp": on("", "95537") },
    refused("port"),
    refusedByEngine,
  ],
  ["of another container port", "a program that nobody expects", { "22/tcp": on("", "30001") }, refused("port")],
  ["by udp", "another protocol than the policy's", { "8080/udp": on("", "30001") }, refused("port")],
  ["by sctp", "another protocol than the policy's", { "8080/sctp": on("", "30001") }, refused("port")],
  ["without a protocol", "tcp to one reader, nothing to another", { "8080": on("", "22") }, refused("port")],
  [
    "with a protocol in upper case",
    "another key to one reader, the same to another",
    { "8080/TCP": on("", "22") },
    refused("port"),
  ],
  [
    "of a range of container ports",
    "programs that nobody expects",
    { "8000-8100/tcp": on("", "30001-30101") },
    refused("port"),
    refusedByEngine,
  ],
  [
    "twice",
    "a check of the first element only",
    { "8080/tcp": [...on("", "30001"), ...on("0.0.0.0", "22")] },
    refused("port"),
  ],
  [
    "a hundred times",
    "every port of the policy's range",
    { "8080/tcp": Array.from({ length: 100 }, (_, at) => ({ HostIp: "", HostPort: String(30_000 + at) })) },
    refused("port"),
  ],
];

/** Published ports: one address, one range, the container ports that the policy names. */
export const portEscapes: Table = (world) => [
  ...rows.map(
    ([tries, why, bindings, expect, unguarded = "effect"]): Escape => ({
      class: "ports",
      tries: `to publish a port ${tries}`,
      why,
      request: create(world, { host: { NetworkMode: world.network.name, PortBindings: bindings } }),
      expect,
      unguarded,
    }),
  ),
  {
    class: "ports",
    tries: "to publish every port that the image exposes",
    why: "ports outside of the policy's range",
    request: create(world, { config: { ExposedPorts: { "22/tcp": {} } }, host: { PublishAllPorts: true } }),
    expect: refused(""),
    unguarded: "effect",
  },
];
