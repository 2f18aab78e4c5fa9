import {
  contained,
  create,
  type Escape,
  type Expectation,
  hidden,
  plain,
  refused,
  type Table,
  type Unguarded,
} from "./escape.ts";
import type { World } from "./world.ts";

type Bind = readonly [
  tries: string,
  why: string,
  bind: (world: World) => string,
  unguarded?: Unguarded,
  expect?: (world: World) => Expectation,
];

const refusedByEngine: Unguarded = { none: "engine 20.10 refuses it" };

const binds: readonly Bind[] = [
  ["the host's root directory", "every file of the host", () => "/:/mnt/t1"],
  ["the host's root directory, read-only", "every secret of the host", () => "/:/mnt/t1:ro"],
  ["the host's /etc", "users, keys and timers", () => "/etc:/mnt/t1"],
  ["the engine's socket", "the engine itself, without any guard", () => "/var/run/docker.sock:/mnt/t1"],
  ["the engine's socket by its other name", "/var/run is a link to /run", () => "/run/docker.sock:/mnt/t1"],
  ["the directory of the engine's socket", "the engine itself, without any guard", () => "/run:/mnt/t1"],
  ["the engine's own files", "the files of every container and volume", () => "/var/lib/docker:/mnt/t1"],
  ["the host's /proc", "/proc/sysrq-trigger and core_pattern", () => "/proc:/mnt/t1"],
  ["the host's /sys", "cgroups with release_agent", () => "/sys:/mnt/t1"],
  ["the host's /dev", "every disk", () => "/dev:/mnt/t1"],
  ["a directory beside the allowed root", "files that nobody allowed", ({ outside }) => `${outside}:/mnt/t1`],
  ["the allowed root itself", "the directories of all other sandboxes", ({ root }) => `${root}:/mnt/t1`],
  [
    "the allowed root with a slash behind it",
    "the directories of all other sandboxes",
    ({ root }) => `${root}/:/mnt/t1`,
  ],
  [
    "a directory whose name begins like the root",
    "a comparison of beginnings takes it for the root",
    ({ root }) => `${root}-other/threads/t1:/mnt/t1`,
  ],
  [
    "the parent of the allowed directories",
    "the directories of all other sandboxes",
    ({ root }) => `${root}/threads:/mnt/t1`,
  ],
  [
    "the way up from an allowed directory",
    "the engine cleans the path",
    ({ root }) => `${root}/threads/t1/../../../outside:/mnt/t1`,
  ],
  [
    "the way up within the root",
    "the directories of all other sandboxes",
    ({ root }) => `${root}/threads/t1/..:/mnt/t1`,
  ],
  ["a dot in the path", "a path that has two spellings", ({ root }) => `${root}/./threads/t1/../../../outside:/mnt/t1`],
  ["two slashes in the path", "a path that has two spellings", ({ root }) => `${root}//threads/../../outside:/mnt/t1`],
  ["a link below the root that leads outside", "the engine follows it", ({ root }) => `${root}/threads/link:/mnt/link`],
  ["a link below the root that leads to /", "the engine follows it", ({ root }) => `${root}/threads/host:/mnt/host`],
  [
    "a directory behind a link below the root",
    "the engine follows it on the way",
    ({ root }) => `${root}/threads/host/etc:/mnt/t1`,
  ],
  [
    "a relative link inside of an allowed directory",
    "the engine follows it",
    ({ root }) => `${root}/threads/t1/inner:/mnt/t1`,
  ],
  [
    "a directory that is not there",
    "the engine makes it, as root, wherever it is",
    ({ outside }) => `${outside}/new:/mnt/t1`,
  ],
  [
    "an allowed directory shared in both directions",
    "mounts made in the container appear on the host",
    ({ root }) => `${root}/threads/t1:/mnt/t1:rshared`,
    refusedByEngineAtStart(),
  ],
  [
    "an allowed directory as a slave",
    "mounts made on the host appear in the container",
    ({ root }) => `${root}/threads/t1:/mnt/t1:rslave`,
  ],
  [
    "an allowed directory relabelled for all",
    "takes the SELinux label from the host's files",
    ({ root }) => `${root}/threads/t1:/mnt/t1:z`,
  ],
  [
    "an allowed directory relabelled for itself",
    "takes the SELinux label from the host's files",
    ({ root }) => `${root}/threads/t1:/mnt/t1:Z`,
  ],
  [
    "an allowed directory without its own mounts",
    "an option that the policy does not know",
    ({ root }) => `${root}/threads/t1:/mnt/t1:nocopy`,
    refusedByEngine,
    ({ root }) =>
      contained({
        "HostConfig.Mounts": [
          { Type: "bind", Source: `${root}/threads/t1`, BindOptions: { Propagation: "rprivate" }, Target: "/mnt/t1" },
        ],
      }),
  ],
  [
    "an option that nobody knows",
    "a newer engine may",
    ({ root }) => `${root}/threads/t1:/mnt/t1:future`,
    refusedByEngine,
  ],
  [
    "two modes at once",
    "one reader takes the first, another the last",
    ({ root }) => `${root}/threads/t1:/mnt/t1:ro,rw`,
    refusedByEngine,
    ({ root }) =>
      contained({
        "HostConfig.Mounts": [
          {
            Type: "bind",
            Source: `${root}/threads/t1`,
            BindOptions: { Propagation: "rprivate" },
            Target: "/mnt/t1",
            ReadOnly: true,
          },
        ],
      }),
  ],
  [
    "an allowed directory over /etc",
    "an /etc of its own: users and groups that it likes",
    ({ root }) => `${root}/threads/t1:/etc`,
  ],
  [
    "an allowed directory over /",
    "a whole file system of its own",
    ({ root }) => `${root}/threads/t1:/`,
    refusedByEngine,
  ],
  [
    "an allowed directory at a path that goes up",
    "the engine cleans the target",
    ({ root }) => `${root}/threads/t1:/mnt/../etc`,
  ],
  [
    "an allowed directory at a relative path",
    "a target that the engine refuses or completes",
    ({ root }) => `${root}/threads/t1:mnt/t1`,
    refusedByEngine,
  ],
  ["a relative source that goes up", "older engines completed it", () => "../../etc:/mnt/t1", refusedByEngine],
  ["a volume of somebody else by its name", "its data", ({ foreignVolume }) => `${foreignVolume}:/mnt/t1`],
  [
    "a volume of somebody else that is a host directory",
    "a bind that was made before",
    ({ foreignBindVolume }) => `${foreignBindVolume}:/mnt/t1`,
  ],
  [
    "a new volume by its name",
    "fills the host's disk and outlives its container",
    ({ run }) => `escape-${run}-new:/mnt/t1`,
  ],
  ["a Windows path", "a colon that other readers split elsewhere", () => "C:\\:/mnt/t1", refusedByEngine],
  ["only a target", "an anonymous volume", () => "/mnt/t1"],
  [
    "five parts",
    "readers differ in which part is the source",
    ({ root }) => `${root}/threads/t1:/mnt/t1:ro:/etc:/x`,
    refusedByEngine,
  ],
  ["an empty source", "readers differ in what that is", () => ":/mnt/t1", refusedByEngine],
  ["a line end in the source", "a second line in whatever writes it down", ({ outside }) => `${outside}\n:/mnt/t1`],
];

function refusedByEngineAtStart(): Unguarded {
  return "effect";
}

/** `Binds`: host directories outside of what the policy allows, in every spelling and through symlinks. */
export const bindEscapes: Table = (world) => [
  ...binds.map(
    ([tries, why, bind, unguarded = "effect", expect = () => refused("")]): Escape => ({
      class: "binds",
      tries: `to bind ${tries}`,
      why,
      request: create(world, { host: { Binds: [bind(world)] } }),
      expect: expect(world),
      unguarded,
    }),
  ),
  {
    class: "binds",
    tries: "to hide a bind of the host behind an allowed one",
    why: "a check of the first element only",
    request: create(world, { host: { Binds: [`${world.root}/threads/t1:/mnt/t1`, "/:/mnt/t2"] } }),
    expect: refused(""),
    unguarded: "effect",
  },
  {
    class: "binds",
    tries: "to bind two directories at one target",
    why: "readers differ in which one is seen",
    request: create(world, { host: { Binds: [`${world.root}/threads/t1:/mnt/t1`, `${world.outside}:/mnt/t1`] } }),
    expect: refused(""),
    unguarded: refusedByEngine,
  },
  {
    class: "binds",
    tries: "to read the host through the archive of a container that is not its own",
    why: "an archive follows the binds of that container",
    request: plain("GET", `/v1.41/containers/${world.foreign.id}/archive?path=/data`),
    expect: hidden(`No such container: ${world.foreign.id}`),
    unguarded: "effect",
  },
];
