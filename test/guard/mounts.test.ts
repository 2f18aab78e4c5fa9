import { describe, expect, test } from "vitest";
import {
  create,
  policyOf,
  preset,
  rewritesOf,
  roomy,
  roomyText,
  ruleOf,
  sentHost,
  withHost,
} from "./support/create-world.ts";

type World = Parameters<typeof create>[1];

const bind = (Source: unknown, Target: unknown = "/a", more: Record<string, unknown> = {}) => ({
  Mounts: [{ Type: "bind", Source, Target, ...more }],
});

function outcome(host: Readonly<Record<string, unknown>>, world: World = {}): string {
  return ruleOf(create(withHost(host), world));
}

const sentBind = (path: string, target: string, readOnly = false) => ({
  Type: "bind",
  Source: path,
  BindOptions: { Propagation: "rprivate" },
  Target: target,
  ...(readOnly ? { ReadOnly: true } : {}),
});

describe("a directory of the host", () => {
  test.each([
    [{ Binds: ["/srv/data/x:/a"] }, sentBind("/srv/data/x", "/a")],
    [{ Binds: ["/srv/data/x:/a:rw"] }, sentBind("/srv/data/x", "/a")],
    [{ Binds: ["/srv/data/x/:/a/:ro,rprivate"] }, sentBind("/srv/data/x", "/a", true)],
    [{ Binds: ["/srv/data/shared/deep/x:/a"] }, sentBind("/srv/data/shared/deep/x", "/a", true)],
    [bind("/srv/data/x"), sentBind("/srv/data/x", "/a")],
    [bind("/srv/data/x", "/a", { ReadOnly: true, Consistency: "cached" }), sentBind("/srv/data/x", "/a", true)],
    [bind("/srv/data/x", "/a", { BindOptions: { Propagation: "private" } }), sentBind("/srv/data/x", "/a")],
    [bind("/srv/data/x", "/a", { VolumeOptions: null, TmpfsOptions: {} }), sentBind("/srv/data/x", "/a")],
  ])("%j is sent as a mount, which the engine does not make where it is missing", (host, sent) => {
    const { Binds, Mounts } = sentHost(host);
    expect({ Binds, Mounts }).toEqual({ Binds: undefined, Mounts: [sent] });
  });

  test("that the policy makes it read-only is noted", () => {
    expect(rewritesOf(create(withHost(bind("/srv/data/shared/x"))))).toContain(
      "HostConfig.Mounts[0].ReadOnly: false -> true",
    );
  });

  test.each([
    ["/", "bind.path"],
    ["/srv/data", "bind.outside-root"],
    ["/srv/data/", "bind.outside-root"],
    ["/srv/database/x", "bind.outside-root"],
    ["/etc", "bind.outside-root"],
    ["/var/run/docker.sock", "bind.outside-root"],
    ["/srv/data/../../etc", "bind.path"],
    ["/srv/data/x/..", "bind.path"],
    ["/srv/data/./x", "bind.path"],
    ["/srv/data//x", "bind.path"],
    ["//srv/data/x", "bind.path"],
    ["/srv/data/x/\n", "bind.path"],
    ["/srv/data/X", "bind.not-allowed"],
    ["/srv/data/x/y", "bind.not-allowed"],
    ["/srv/data/x\u0001", "bind.path"],
    ["srv/data/x", "bind.path"],
    ["./x", "bind.path"],
    ["", "bind.path"],
  ])("%j is refused: %s", (source, rule) => {
    expect(outcome(bind(source))).toBe(rule);
  });

  test("only what the policy allows there is mounted at a path", () => {
    const allowed = { source: /^x$/, target: /^\/a$/, readOnly: false };
    const policy = { ...roomy, binds: { root: "/srv/data", allowed: [allowed], volume: undefined } };
    expect(["/a", "/b"].map((target) => outcome(bind("/srv/data/x", target), { policy }))).toEqual([
      "send",
      "bind.not-allowed",
    ]);
  });

  test.each([
    "/",
    "",
    "a",
    "/a/../b",
    "/a//b",
    "/proc",
    "/proc/sys",
    "/sys/fs/cgroup",
    "/dev/shm",
    "/dev",
    "/a\n",
    "/a/.",
  ])("nothing is mounted at %j", (target) => {
    expect(outcome(bind("/srv/data/shared/x", target))).toBe("mount.target");
    expect(outcome({ Tmpfs: { [target]: "" } })).toBe("mount.target");
    expect(outcome({ Mounts: [{ Type: "volume", Source: "cache-1", Target: target }] })).toBe("mount.target");
  });

  test("without directories in the policy there are none", () => {
    const policy = policyOf(roomyText.replace(/^binds:\n(?: {2}.*\n)+/m, ""));
    expect(outcome(bind("/srv/data/x"), { policy })).toBe("bind.off");
    expect(outcome({ Binds: ["/:/a"] }, { policy })).toBe("bind.off");
  });

  test("one that is not there is refused; the older way to ask would make it, as root", () => {
    const decision = create(withHost({ Binds: ["/srv/data/x:/a"] }), { links: { "/srv/data/x": undefined } });
    expect(decision).toMatchObject({ kind: "deny", rule: "bind.missing", status: 400 });
  });

  test("a root that is not there is the operator's mistake, and says so", () => {
    expect(outcome(bind("/srv/data/x"), { links: { "/srv/data": undefined } })).toBe("bind.root-missing");
  });
});

describe("links", () => {
  const at = (real: string) => ({ links: { "/srv/data/x": real } });

  test.each([
    ["/etc", "bind.outside-root"],
    ["/", "bind.outside-root"],
    ["/srv/data", "bind.outside-root"],
    ["/srv/database/x", "bind.outside-root"],
    ["/srv/data/X", "bind.not-allowed"],
    ["/srv/data/y/z", "bind.not-allowed"],
    ["/srv/data/shared/x", "bind.not-allowed"],
  ])("below the root to %s are refused", (real, rule) => {
    expect(outcome(bind("/srv/data/x"), at(real))).toBe(rule);
  });

  test("to what the same line of the policy allows are followed here, and not left to the engine", () => {
    const decision = create(withHost(bind("/srv/data/x")), at("/srv/data/y"));
    expect(rewritesOf(decision)).toContain("HostConfig.Mounts[0].Source: x -> y");
    expect(sentHost(bind("/srv/data/x"), at("/srv/data/y")).Mounts).toEqual([sentBind("/srv/data/y", "/a")]);
  });

  test("a root that is one itself is followed too, for either of its names", () => {
    const links = { "/srv/data": "/mnt/disk", "/srv/data/x": "/mnt/disk/x", "/srv/data/y": "/srv/data/y" };
    for (const source of ["/srv/data/x", "/mnt/disk/x"]) {
      const decision = create(withHost(bind(source)), { links });
      expect(rewritesOf(decision).filter((line) => line.includes("Source"))).toEqual([]);
      expect(sentHost(bind(source), { links }).Mounts).toEqual([sentBind("/mnt/disk/x", "/a")]);
    }
    expect(outcome(bind("/srv/data/y"), { links })).toBe("bind.outside-root");
  });
});

describe("parts of a volume in place of paths", () => {
  const policy = policyOf(roomyText.replace("root: /srv/data", "root: /srv/data\n  volume: agents-data"));
  const part = (Subpath: string, more: Record<string, unknown> = {}) => ({
    Mounts: [{ Type: "volume", Source: "agents-data", Target: "/a", VolumeOptions: { Subpath, ...more } }],
  });
  const sent = { Type: "volume", Source: "agents-data", VolumeOptions: { NoCopy: true, Subpath: "x" }, Target: "/a" };

  test("a path is sent as the part of the volume that it is", () => {
    expect(sentHost(bind("/srv/data/x"), { policy, api: "1.45" }).Mounts).toEqual([sent]);
    expect(sentHost({ Binds: ["/srv/data/x:/a"] }, { policy, api: "1.52" }).Mounts).toEqual([sent]);
  });

  test("what is sent means the same when it is read", () => {
    expect(sentHost(part("x", { NoCopy: true }), { policy, api: "1.45" }).Mounts).toEqual([sent]);
  });

  test.each(["1.44", "1.41", "1.9", "2.0", ""])(
    "an engine with API %j cannot do it, and paths are not the way out",
    (api) => {
      expect(outcome(bind("/srv/data/x"), { policy, api })).toBe("bind.engine-too-old");
    },
  );

  test.each([
    ["../x", "bind.path"],
    ["x/../../etc", "bind.path"],
    ["/x", "bind.path"],
    ["X", "bind.not-allowed"],
  ])("the part %j is judged like the path: %s", (subpath, rule) => {
    expect(outcome(part(subpath), { policy, api: "1.45" })).toBe(rule);
  });

  test("the whole volume is not to be had", () => {
    expect(outcome({ Binds: ["agents-data:/a"] }, { policy, api: "1.45" })).toBe("mount.volume");
    expect(outcome(part(""), { policy, api: "1.45" })).toBe("mount.volume");
  });
});

describe("volumes by name", () => {
  const volume = (more: Record<string, unknown> = {}) => ({
    Mounts: [{ Type: "volume", Source: "cache-1", Target: "/c", ...more }],
  });

  test.each([
    [{ Binds: ["cache-1:/c"] }, { Type: "volume", Source: "cache-1", Target: "/c" }],
    [
      { Binds: ["cache-1:/c:ro,nocopy"] },
      { Type: "volume", Source: "cache-1", VolumeOptions: { NoCopy: true }, Target: "/c", ReadOnly: true },
    ],
    [{ Binds: ["frozen-x:/c"] }, { Type: "volume", Source: "frozen-x", Target: "/c", ReadOnly: true }],
    [
      volume({ VolumeOptions: { NoCopy: false, Labels: {}, DriverConfig: {} } }),
      { Type: "volume", Source: "cache-1", Target: "/c" },
    ],
  ])("%j is sent as %j", (host, sent) => {
    expect(sentHost(host).Mounts).toEqual([sent]);
  });

  test.each([
    [{ Binds: ["store_data:/c"] }, "mount.volume"],
    [{ Binds: ["cache-1:/C"] }, "mount.volume"],
    [{ Binds: ["cache-1/x:/c"] }, "mount.volume"],
    [{ Binds: ["-cache-1:/c"] }, "mount.volume"],
    [{ Binds: ["cache-1:/c:z"] }, "mount.option"],
    [{ Binds: ["cache-1"] }, "mount.anonymous"],
    [{ Binds: ["/c"] }, "mount.anonymous"],
    [volume({ Source: "" }), "mount.anonymous"],
    [volume({ Source: undefined }), "mount.anonymous"],
    [
      volume({ VolumeOptions: { DriverConfig: { Name: "local", Options: { type: "none", o: "bind", device: "/" } } } }),
      "mount.driver-config",
    ],
    [volume({ VolumeOptions: { DriverConfig: { Name: "local" } } }), "mount.driver-config"],
    [volume({ VolumeOptions: { driverConfig: { Name: "local" } } }), "mount.unknown-field"],
    [volume({ VolumeOptions: { Labels: { x: "y" } } }), "mount.volume-labels"],
    [volume({ VolumeOptions: { Subpath: "x" } }), "mount.subpath"],
    [volume({ BindOptions: { Propagation: "rshared" } }), "mount.option"],
    [volume({ TmpfsOptions: { SizeBytes: 1 } }), "mount.option"],
  ])("%j: %s", (host, rule) => {
    expect(outcome(host)).toBe(rule);
  });
});

describe("file systems in memory", () => {
  const tmpfs = (options: unknown) => sentHost({ Tmpfs: { "/t": options } }).Tmpfs;

  test.each([
    ["", "rw,noexec,nosuid,nodev,size=16777216"],
    [null, "rw,noexec,nosuid,nodev,size=16777216"],
    ["size=1m", "rw,noexec,nosuid,nodev,size=1048576"],
    ["size=1g", "rw,noexec,nosuid,nodev,size=16777216"],
    ["size=0", "rw,noexec,nosuid,nodev,size=16777216"],
    ["exec,ro,mode=1777,uid=5,gid=6", "ro,exec,nosuid,nodev,size=16777216,mode=1777,uid=5,gid=6"],
    ["exec,noexec,ro,rw", "rw,noexec,nosuid,nodev,size=16777216"],
    ["size=1m,size=2m", "rw,noexec,nosuid,nodev,size=2097152"],
    ["rw,nosuid,nodev,mode=1777,size=64m", "rw,noexec,nosuid,nodev,size=16777216,mode=1777"],
  ])("%j becomes %j", (asked, sent) => {
    expect(tmpfs(asked)).toEqual({ "/t": sent });
  });

  test.each([
    "suid",
    "dev",
    "shared",
    "rshared",
    "bind",
    "remount",
    "size=50%",
    "size=-1",
    "size=",
    "nr_inodes=0",
    "mpol=bind:0",
    "mode=99",
    "mode=+x",
    "uid=-1",
    "huge=always",
    "SIZE=1m",
    "size=1m ",
    "context=system_u:object_r:x",
    "rw,,ro",
  ])("the option %j is refused", (options) => {
    expect(outcome({ Tmpfs: { "/t": options } })).toBe("tmpfs.option");
  });

  test("those among the mounts become the same", () => {
    const sent = sentHost({
      Mounts: [{ Type: "tmpfs", Target: "/t", ReadOnly: true, TmpfsOptions: { SizeBytes: 2 ** 40, Mode: 0o700 } }],
    });
    expect(sent).toMatchObject({ Tmpfs: { "/t": "ro,noexec,nosuid,nodev,size=16777216,mode=700" } });
    expect(sent).not.toHaveProperty("Mounts");
  });

  test.each([
    [{ Source: "/etc" }, "mount.syntax"],
    [{ TmpfsOptions: { Options: [["exec"]] } }, "tmpfs.option"],
    [{ TmpfsOptions: { Mode: -1 } }, "tmpfs.option"],
    [{ TmpfsOptions: { Mode: 0o10000 } }, "tmpfs.option"],
    [{ TmpfsOptions: { sizeBytes: 1 } }, "tmpfs.option"],
    [{ TmpfsOptions: { SizeBytes: "1" } }, "body.type"],
  ])("a mount with %j: %s", (more, rule) => {
    expect(outcome({ Mounts: [{ Type: "tmpfs", Target: "/t", ...more }] })).toBe(rule);
  });
});

describe("spellings and options", () => {
  test.each([
    [bind("/srv/data/x", "/a", { BindOptions: { Propagation: "rshared" } }), "mount.propagation"],
    [bind("/srv/data/x", "/a", { BindOptions: { Propagation: "shared" } }), "mount.propagation"],
    [bind("/srv/data/x", "/a", { BindOptions: { Propagation: "rslave" } }), "mount.propagation"],
    [bind("/srv/data/x", "/a", { BindOptions: { NonRecursive: true } }), "mount.option"],
    [bind("/srv/data/x", "/a", { BindOptions: { CreateMountpoint: true } }), "mount.option"],
    [bind("/srv/data/x", "/a", { BindOptions: { ReadOnlyNonRecursive: true } }), "mount.option"],
    [bind("/srv/data/x", "/a", { BindOptions: { ReadOnlyForceRecursive: true } }), "mount.option"],
    [bind("/srv/data/x", "/a", { BindOptions: { propagation: "rshared" } }), "mount.unknown-field"],
    [bind("/srv/data/x", "/a", { BindOptions: { constructor: null } }), "mount.unknown-field"],
    [bind("/srv/data/x", "/a", { VolumeOptions: { NoCopy: true } }), "mount.option"],
    [bind("/srv/data/x", "/a", { ImageOptions: { Subpath: "x" } }), "mount.option"],
    [bind("/srv/data/x", "/a", { Consistency: "x" }), "mount.option"],
    [bind("/srv/data/x", "/a", { source: "/etc" }), "mount.unknown-field"],
    [bind("/srv/data/x", "/a", { Destination: "/etc" }), "mount.unknown-field"],
    [bind(["/srv/data/x"]), "body.type"],
    [bind("/srv/data/x", "/a", { ReadOnly: "true" }), "body.type"],
    [{ Mounts: [{ Type: "image", Source: "team/sandbox:1", Target: "/a" }] }, "mount.type"],
    [{ Mounts: [{ Type: "npipe", Source: "x", Target: "/a" }] }, "mount.type"],
    [{ Mounts: [{ Type: "cluster", Source: "x", Target: "/a" }] }, "mount.type"],
    [{ Mounts: [{ Type: "BIND", Source: "/srv/data/x", Target: "/a" }] }, "mount.type"],
    [{ Mounts: [{ Source: "/srv/data/x", Target: "/a" }] }, "mount.type"],
    [{ Mounts: ["/srv/data/x:/a"] }, "body.type"],
    [{ Mounts: { x: 1 } }, "body.type"],
    [{ Binds: ["/srv/data/x:/a:rshared"] }, "mount.option"],
    [{ Binds: ["/srv/data/x:/a:rslave"] }, "mount.option"],
    [{ Binds: ["/srv/data/x:/a:z"] }, "mount.option"],
    [{ Binds: ["/srv/data/x:/a:ro,Z"] }, "mount.option"],
    [{ Binds: ["/srv/data/x:/a:U"] }, "mount.option"],
    [{ Binds: ["/srv/data/x:/a:ro:rw"] }, "mount.syntax"],
    [{ Binds: [":/a"] }, "mount.syntax"],
    [{ Binds: ["/srv/data/x:"] }, "mount.target"],
    [{ Binds: "/srv/data/x:/a" }, "body.type"],
    [{ Binds: [{ x: 1 }] }, "body.type"],
  ])("%j: %s", (host, rule) => {
    expect(outcome(host)).toBe(rule);
  });

  test("no two mounts have one target, in whichever way each is written", () => {
    for (const other of [{ Tmpfs: { "/a": "" } }, { Mounts: [{ Type: "tmpfs", Target: "/a/" }] }]) {
      expect(outcome({ Binds: ["/srv/data/x:/a"], ...other })).toBe("mount.twice");
    }
    expect(outcome({ Binds: ["/srv/data/x:/a", "/srv/data/y:/a"] })).toBe("mount.twice");
  });

  test("nothing is mounted inside of a mount that a sandbox can write to", () => {
    expect(outcome({ Binds: ["/srv/data/x:/a", "/srv/data/y:/a/b"] })).toBe("mount.nested");
    expect(outcome({ Binds: ["/srv/data/x:/a"], Tmpfs: { "/a/b/c": "" } })).toBe("mount.nested");
    expect(outcome({ Binds: ["cache-1:/a", "/srv/data/y:/a/b"] })).toBe("mount.nested");
    expect(outcome({ Binds: ["/srv/data/x:/a:ro", "/srv/data/y:/a/b"] })).toBe("send");
    expect(outcome({ Binds: ["/srv/data/y:/a/b"], Tmpfs: { "/a": "" } })).toBe("send");
    expect(outcome({ Binds: ["/srv/data/x:/a", "/srv/data/y:/ab"] })).toBe("send");
  });

  test("a body asks for 64 mounts at most: each is a path to look up", () => {
    const many = (count: number) => ({
      Binds: Array.from({ length: count }, (_, index) => `/srv/data/x:/a/${index}x`),
    });
    expect([outcome(many(64)), outcome(many(65))]).toEqual(["send", "mount.too-many"]);
  });

  test("the audit gets every mount as what it became", () => {
    const decision = create(withHost({ Binds: ["/srv/data/x:/a:ro", "cache-1:/c"], Tmpfs: { "/t": "" } }));
    expect(decision.kind === "send" && decision.notes.mounts).toEqual([
      "/srv/data/x:/a:ro",
      "volume cache-1:/c",
      "tmpfs:/t",
    ]);
  });
});

test("the mounts of DeerFlow stay below the directories of one thread", () => {
  const policy = preset("deer-flow");
  const from = (source: string, target = "/mnt/user-data/workspace") =>
    ruleOf(
      create(
        { Image: policy.images[0], HostConfig: bind(`/srv/deer-flow/${source}`, target) },
        { policy },
        "deer-flow-sandbox-0123456789abcdef",
      ),
    );
  expect(from("users/u/threads/t/user-data/workspace")).toBe("send");
  for (const source of [
    "users/u/threads/t",
    "users/u",
    "users",
    "memory.json",
    "users/u/memory.json",
    "users/u/threads/t/user-data",
    "users/u/threads/t/user-data/workspace/x",
    "users/u/threads/../../user-data/workspace",
    "config.yaml",
  ]) {
    expect(from(source)).not.toBe("send");
  }
});
