import { contained, create, type Escape, type Expectation, refused, type Table, type Unguarded } from "./escape.ts";
import type { World } from "./world.ts";

type Mount = readonly [
  tries: string,
  why: string,
  mount: (world: World) => Readonly<Record<string, unknown>>,
  unguarded?: Unguarded,
  expect?: Expectation,
];

const newer: Unguarded = { none: "engine 20.10 knows no such field or type" };
const refusedByEngine: Unguarded = { none: "engine 20.10 refuses it" };
const bind = (Source: string, more: Readonly<Record<string, unknown>> = {}) => ({
  Type: "bind",
  Source,
  Target: "/mnt/t1",
  ...more,
});
const local = (run: string, options: Readonly<Record<string, string>>) => ({
  Type: "volume",
  Source: `escape-${run}-new`,
  Target: "/mnt/t1",
  VolumeOptions: { DriverConfig: { Name: "local", Options: options } },
});

const mounts: readonly Mount[] = [
  ["the host's root directory", "every file of the host", () => bind("/")],
  ["the engine's socket", "the engine itself, without any guard", () => bind("/var/run/docker.sock")],
  ["a directory beside the allowed root", "files that nobody allowed", ({ outside }) => bind(outside)],
  [
    "the way up from an allowed directory",
    "the engine cleans the path",
    ({ root }) => bind(`${root}/threads/t1/../../../outside`),
  ],
  ["a link below the root that leads outside", "the engine follows it", ({ root }) => bind(`${root}/threads/link`)],
  ["a directory behind a link", "the engine follows it on the way", ({ root }) => bind(`${root}/threads/host/etc`)],
  [
    "an allowed directory, shared",
    "mounts made in the container appear on the host",
    ({ root }) => bind(`${root}/threads/t1`, { BindOptions: { Propagation: "rshared" } }),
  ],
  [
    "an allowed directory as a slave",
    "mounts made on the host appear in the container",
    ({ root }) => bind(`${root}/threads/t1`, { BindOptions: { Propagation: "rslave" } }),
  ],
  [
    "an allowed directory, not recursive",
    "an option that the policy does not know",
    ({ root }) => bind(`${root}/threads/t1`, { BindOptions: { NonRecursive: true } }),
  ],
  [
    "an allowed directory, read-only only on top",
    "mounts below it stay writable",
    ({ root }) => bind(`${root}/threads/t1`, { ReadOnly: true, BindOptions: { ReadOnlyNonRecursive: true } }),
  ],
  [
    "a directory to be made on the host",
    "the engine makes it, as root",
    ({ outside }) => bind(`${outside}/new`, { BindOptions: { CreateMountpoint: true } }),
    newer,
  ],
  [
    "the type in another case",
    "BIND is unknown to one reader and a bind to another",
    () => ({ Type: "BIND", Source: "/", Target: "/mnt/t1" }),
    refusedByEngine,
  ],
  ["no type at all", "readers differ in what that is", () => ({ Source: "/", Target: "/mnt/t1" }), refusedByEngine],
  [
    "a host directory over /etc",
    "an /etc of its own",
    ({ root }) => ({ Type: "bind", Source: `${root}/threads/t1`, Target: "/etc" }),
  ],
  [
    "a consistency, which only Macs know",
    "a field that the policy does not know",
    ({ root }) => bind(`${root}/threads/t1`, { Consistency: "future" }),
  ],
  [
    "a volume that is a host directory",
    "type=none and o=bind make any directory a volume",
    ({ run, outside }) => local(run, { type: "none", o: "bind", device: outside }),
  ],
  [
    "a volume that is a host directory, without a type",
    "o=bind alone is enough",
    ({ run, outside }) => local(run, { o: "rbind", device: outside }),
    { none: "engine 20.10 wants a type" },
  ],
  [
    "a volume that is a host directory, typed bind",
    "the kernel ignores the type of a bind",
    ({ run, outside }) => local(run, { type: "bind", o: "bind,rw", device: outside }),
  ],
  [
    "a volume that is the host's disk",
    "type=ext4 mounts any block device",
    ({ run }) => local(run, { type: "ext4", device: "/dev/vda" }),
  ],
  [
    "a volume that is an overlay of the host",
    "type=overlay stacks any directories",
    ({ run, outside }) => local(run, { type: "overlay", o: `lowerdir=${outside}:/etc`, device: "overlay" }),
  ],
  [
    "a volume that is /proc",
    "type=proc is the host's processes when mounted by the engine",
    ({ run }) => local(run, { type: "proc", device: "proc" }),
  ],
  ["a volume that is /sys", "type=sysfs is the host's", ({ run }) => local(run, { type: "sysfs", device: "sysfs" })],
  [
    "a volume that is a cgroup",
    "release_agent runs as root on the host",
    ({ run }) => local(run, { type: "cgroup", o: "memory", device: "cgroup" }),
  ],
  [
    "a volume that is all devices",
    "type=devtmpfs holds every disk",
    ({ run }) => local(run, { type: "devtmpfs", device: "devtmpfs" }),
  ],
  [
    "a volume that is debugfs",
    "the kernel's own files",
    ({ run }) => local(run, { type: "debugfs", device: "debugfs" }),
  ],
  [
    "a volume from a server by nfs",
    "requests from the host's own network",
    ({ run }) => local(run, { type: "nfs", o: "addr=10.0.0.1,rw", device: ":/" }),
  ],
  [
    "a volume from a server by cifs",
    "requests from the host's own network",
    ({ run }) => local(run, { type: "cifs", o: "username=x,password=y", device: "//10.0.0.1/share" }),
  ],
  [
    "a volume that is a tmpfs without limits",
    "the machine's memory",
    ({ run }) => local(run, { type: "tmpfs", device: "tmpfs" }),
  ],
  [
    "a volume of a plugin",
    "a plugin is root on the host",
    ({ run }) => ({
      Type: "volume",
      Source: `escape-${run}-new`,
      Target: "/mnt/t1",
      VolumeOptions: { DriverConfig: { Name: "vieux/sshfs" } },
    }),
    { unsafe: "the engine looks for the plugin for a long time" },
  ],
  [
    "a volume of somebody else",
    "its data",
    ({ foreignVolume }) => ({ Type: "volume", Source: foreignVolume, Target: "/mnt/t1" }),
  ],
  [
    "a volume of somebody else that is a host directory",
    "a bind that was made before",
    ({ foreignBindVolume }) => ({ Type: "volume", Source: foreignBindVolume, Target: "/mnt/t1" }),
  ],
  [
    "a volume of somebody else with driver options that say otherwise",
    "the engine keeps the options of the first",
    ({ foreignBindVolume }) => ({
      Type: "volume",
      Source: foreignBindVolume,
      Target: "/mnt/t1",
      VolumeOptions: { DriverConfig: { Name: "local" } },
    }),
  ],
  [
    "a volume without a name",
    "fills the host's disk and outlives its container",
    () => ({ Type: "volume", Target: "/mnt/t1" }),
  ],
  [
    "a volume with labels",
    "labels that other tools act on",
    ({ run }) => ({
      Type: "volume",
      Source: `escape-${run}-new`,
      Target: "/mnt/t1",
      VolumeOptions: { Labels: { owner: "somebody" } },
    }),
  ],
  [
    "a volume named by a path",
    "a name to one reader, a bind to another",
    ({ outside }) => ({ Type: "volume", Source: outside, Target: "/mnt/t1" }),
    refusedByEngine,
  ],
  [
    "a directory of a volume that goes up",
    "beyond the directory of the volume",
    ({ foreignVolume }) => ({
      Type: "volume",
      Source: foreignVolume,
      Target: "/mnt/t1",
      VolumeOptions: { Subpath: "../../../etc" },
    }),
  ],
  [
    "a directory of a volume by an absolute path",
    "beyond the directory of the volume",
    ({ foreignVolume }) => ({
      Type: "volume",
      Source: foreignVolume,
      Target: "/mnt/t1",
      VolumeOptions: { Subpath: "/etc" },
    }),
  ],
  [
    "the files of another image",
    "its secrets",
    ({ foreignImage }) => ({ Type: "image", Source: foreignImage.reference, Target: "/mnt/t1" }),
    newer,
  ],
  ["a cluster volume", "another machine's data", () => ({ Type: "cluster", Source: "x", Target: "/mnt/t1" }), newer],
  [
    "a named pipe",
    "a pipe of the host on Windows",
    () => ({ Type: "npipe", Source: "\\\\.\\pipe\\docker_engine", Target: "/mnt/t1" }),
    refusedByEngine,
  ],
  [
    "a tmpfs without a limit over /etc",
    "an /etc of its own",
    () => ({ Type: "tmpfs", Target: "/etc" }),
    "effect",
    contained({ "HostConfig.Tmpfs": { "/etc": "rw,noexec,nosuid,nodev,size=16777216" } }),
  ],
  [
    "a tmpfs of any size",
    "the machine's memory",
    () => ({ Type: "tmpfs", Target: "/mnt/t1", TmpfsOptions: { SizeBytes: 900_000_000_000 } }),
    "effect",
    contained({ "HostConfig.Tmpfs": { "/mnt/t1": "rw,noexec,nosuid,nodev,size=16777216" } }),
  ],
  [
    "a tmpfs with options of its own",
    "undoes nosuid and nodev",
    () => ({ Type: "tmpfs", Target: "/mnt/t1", TmpfsOptions: { Options: [["exec"], ["suid"], ["dev"]] } }),
  ],
  [
    "a tmpfs with a source",
    "a tmpfs to one reader, a bind to another",
    () => ({ Type: "tmpfs", Source: "/", Target: "/mnt/t1" }),
    refusedByEngine,
  ],
  [
    "two kinds of options at once",
    "the kind decides for one reader, the options for another",
    ({ outside }) => ({
      Type: "tmpfs",
      Target: "/mnt/t1",
      BindOptions: { Propagation: "rshared" },
      VolumeOptions: { DriverConfig: { Options: { o: "bind", device: outside } } },
    }),
    refusedByEngine,
  ],
];

/** `Mounts`, `VolumesFrom`, `Volumes` and volumes that are made first: every other way to a directory or a device. */
export const mountEscapes: Table = (world) => [
  ...mounts.map(
    ([tries, why, mount, unguarded = "effect", expect = refused("")]): Escape => ({
      class: "mounts",
      tries: `to mount ${tries}`,
      why,
      request: create(world, { host: { Mounts: [mount(world)] } }),
      expect,
      unguarded,
    }),
  ),
];
