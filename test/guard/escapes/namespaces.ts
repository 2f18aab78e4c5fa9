import { contained, create, type Escape, type Expectation, refused, type Table, type Unguarded } from "./escape.ts";
import type { World } from "./world.ts";

type Field = readonly [
  tries: string,
  why: string,
  host: (world: World) => Readonly<Record<string, unknown>>,
  unguarded?: Unguarded,
  expect?: Expectation,
];

const fields: readonly Field[] = [
  [
    "the host's network",
    "every service that listens on loopback, and the network itself",
    () => ({ NetworkMode: "host" }),
  ],
  [
    "the network of somebody's container, by name",
    "its loopback and its traffic",
    ({ foreign }) => ({ NetworkMode: `container:${foreign.name}` }),
  ],
  [
    "the network of somebody's container, by id",
    "its loopback and its traffic",
    ({ foreign }) => ({ NetworkMode: `container:${foreign.id}` }),
  ],
  [
    "the network of somebody's container, by the beginning of its id",
    "its loopback and its traffic",
    ({ foreign }) => ({ NetworkMode: `container:${foreign.id.slice(0, 12)}` }),
  ],
  [
    "the network of another sandbox",
    "one sandbox listens to another",
    ({ mine }) => ({ NetworkMode: `container:${mine.name}` }),
  ],
  [
    "a network namespace by its path",
    "an engine that passes it on joins any namespace",
    () => ({ NetworkMode: "ns:/proc/1/ns/net" }),
  ],
  [
    "the default bridge",
    "every container that nobody gave a network",
    () => ({ NetworkMode: "bridge" }),
    "effect",
    contained(),
  ],
  ["somebody's network, by name", "the services there", ({ foreignNetwork }) => ({ NetworkMode: foreignNetwork.name })],
  ["somebody's network, by id", "the services there", ({ foreignNetwork }) => ({ NetworkMode: foreignNetwork.id })],
  [
    "somebody's network, by the beginning of its id",
    "the services there",
    ({ foreignNetwork }) => ({ NetworkMode: foreignNetwork.id.slice(0, 12) }),
  ],
  [
    "a network in another case",
    "Host is a network's name to one reader and the host to another",
    () => ({ NetworkMode: "Host" }),
  ],
  ["a network with a space behind its name", "a reader that trims sees the host", () => ({ NetworkMode: "host " })],
  ["the host's processes", "kill, ptrace and /proc/1/root", () => ({ PidMode: "host" })],
  [
    "the processes of somebody's container",
    "/proc/<pid>/root is its file system",
    ({ foreign }) => ({ PidMode: `container:${foreign.name}` }),
  ],
  ["the host's shared memory", "reads what programs of the host share", () => ({ IpcMode: "host" })],
  [
    "the shared memory of somebody's container",
    "reads what its programs share",
    ({ foreign }) => ({ IpcMode: `container:${foreign.name}` }),
  ],
  ["shared memory that others may join", "a way between two sandboxes", () => ({ IpcMode: "shareable" })],
  ["the host's host name", "with a capability it changes it", () => ({ UTSMode: "host" })],
  ["the host's users", "undoes the engine's user namespaces", () => ({ UsernsMode: "host" })],
  [
    "the host's cgroups",
    "sees and, with rights, moves the host's processes",
    () => ({ CgroupnsMode: "host" }),
    { none: "on cgroup version 1 it is the engine's default" },
  ],
  [
    "a private cgroup namespace",
    "not a danger, but not a client's choice",
    () => ({ CgroupnsMode: "private" }),
    "effect",
    contained(),
  ],
  [
    "the cgroup of somebody's container",
    "its limits and devices",
    ({ foreign }) => ({ Cgroup: `container:${foreign.id}` }),
  ],
  ["the root of all cgroups", "no limit of the engine's own group counts", () => ({ CgroupParent: "/" })],
  [
    "a cgroup outside of the engine's",
    "no limit of the engine's own group counts",
    () => ({ CgroupParent: "../../system.slice" }),
  ],
  ["a cgroup of its own", "one that nobody limits", () => ({ CgroupParent: "/free" })],
];

/** Fields that put a container into a namespace of the host or of another container. */
export const namespaceEscapes: Table = (world) =>
  fields.map(
    ([tries, why, host, unguarded = "effect", expect = refused("host-config.")]): Escape => ({
      class: "namespaces",
      tries: `to ask for ${tries}`,
      why,
      request: create(world, { host: host(world) }),
      expect,
      unguarded,
    }),
  );
