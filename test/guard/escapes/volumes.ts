import { create, type Escape, refused, type Table, type Unguarded, withJson } from "./escape.ts";
import type { World } from "./world.ts";

type Host = readonly [
  tries: string,
  why: string,
  parts: (world: World) => Parameters<typeof create>[1],
  unguarded?: Unguarded,
];

const refusedByEngine: Unguarded = { none: "engine 20.10 refuses it" };
const others: readonly Host[] = [
  ["the volumes of somebody's container", "its data", ({ foreign }) => ({ host: { VolumesFrom: [foreign.name] } })],
  [
    "the volumes of somebody's container by its id",
    "its data",
    ({ foreign }) => ({ host: { VolumesFrom: [foreign.id] } }),
  ],
  [
    "the volumes of somebody's container, read-only",
    "its data",
    ({ foreign }) => ({ host: { VolumesFrom: [`${foreign.name}:ro`] } }),
  ],
  [
    "the volumes of another sandbox",
    "one sandbox writes into another",
    ({ mine }) => ({ host: { VolumesFrom: [mine.name] } }),
  ],
  [
    "an anonymous volume",
    "fills the host's disk and outlives its container",
    () => ({ config: { Volumes: { "/mnt/t1": {} } } }),
  ],
  [
    "an anonymous volume spelled as a bind",
    "old engines took it for one",
    () => ({ config: { Volumes: { "/:/mnt/t1": {} } } }),
  ],
  [
    "a volume driver",
    "a plugin is root on the host",
    ({ run }) => ({ host: { VolumeDriver: "local", Binds: [`escape-${run}-new:/mnt/t1`] } }),
  ],
  [
    "a mount beside an allowed bind at the same target",
    "readers differ in which one is seen",
    ({ root, outside }) => ({
      host: { Binds: [`${root}/threads/t1:/mnt/t1`], Mounts: [{ Type: "bind", Source: outside, Target: "/mnt/t1" }] },
    }),
    refusedByEngine,
  ],
];

const volumes: readonly (readonly [tries: string, why: string, body: (world: World) => unknown])[] = [
  [
    "a volume that is a host directory, made before",
    "a later container mounts it by its name",
    ({ run, outside }) => ({ Name: `escape-${run}-new`, DriverOpts: { type: "none", o: "bind", device: outside } }),
  ],
  [
    "a volume that is the host's disk, made before",
    "a later container mounts it by its name",
    ({ run }) => ({ Name: `escape-${run}-new`, DriverOpts: { type: "ext4", device: "/dev/vda" } }),
  ],
  ["a volume without options", "fills the host's disk", ({ run }) => ({ Name: `escape-${run}-new` })],
];

/** `VolumesFrom`, `Volumes`, drivers, and volumes that are made first. */
export const volumeEscapes: Table = (world) => [
  ...others.map(
    ([tries, why, parts, unguarded = "effect"]): Escape => ({
      class: "mounts",
      tries: `to take ${tries}`,
      why,
      request: create(world, parts(world)),
      expect: refused(""),
      unguarded,
    }),
  ),
  ...volumes.map(
    ([tries, why, body]): Escape => ({
      class: "mounts",
      tries: `to make ${tries}`,
      why,
      request: withJson("POST", "/v1.41/volumes/create", body(world)),
      expect: refused("route."),
      unguarded: "effect",
    }),
  ),
];
