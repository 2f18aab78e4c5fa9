import fc from "fast-check";
import { createRules } from "../../../src/guard/model/container-create.ts";
import { hostRules } from "../../../src/guard/model/host-config.ts";

type Values = fc.Arbitrary<unknown>;

/** Mostly what is allowed, and sometimes what is not. */
function mostly(good: readonly unknown[], bad: readonly unknown[]): Values {
  return fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(...good) },
    { weight: 1, arbitrary: fc.constantFrom(...bad) },
  );
}

const size = fc.constantFrom(0, -1, 1, 4096, 64 * 1024 ** 2, 256 * 1024 ** 2, 2 ** 40);
const path = mostly(
  ["/srv/data/x", "/srv/data/y/", "/srv/data/shared/z", "cache-1", "frozen-1"],
  ["/srv/data", "/srv/data/../x", "/etc", "/", "x", "store"],
);
const target = mostly(["/a", "/b", "/c/", "/d", "/e", "/f"], ["/a/b", "/", "/proc/x", "e"]);
const capability = mostly(["CHOWN", "cap_setuid", "SETGID"], ["ALL", "SYS_ADMIN", "NET_RAW"]);
const binding = fc.record({
  HostIp: fc.constantFrom("", "0.0.0.0", "127.0.0.1"),
  HostPort: mostly(["", "0", "8085", "8080-8090"], ["80", "9999"]),
});

const bindMount = fc.record(
  {
    Type: fc.constant("bind"),
    Source: mostly(["/srv/data/x", "/srv/data/y/", "/srv/data/shared/z"], ["/", "/etc", "/srv/data", "cache-1"]),
    Target: target,
    ReadOnly: fc.boolean(),
    BindOptions: mostly([null, {}, { Propagation: "rprivate" }], [{ Propagation: "rshared" }, { NonRecursive: true }]),
  },
  { requiredKeys: ["Type", "Source", "Target"] },
);
const volumeMount = fc.record(
  {
    Type: fc.constant("volume"),
    Source: mostly(["cache-1", "frozen-1"], ["store", "", "/etc"]),
    Target: target,
    ReadOnly: fc.boolean(),
    VolumeOptions: mostly([null, {}, { NoCopy: true }], [{ DriverConfig: { Name: "local" } }, { Subpath: "x" }]),
  },
  { requiredKeys: ["Type", "Source", "Target"] },
);
const tmpfsMount = fc.record(
  {
    Type: mostly(["tmpfs"], ["image", "npipe", ""]),
    Target: target,
    TmpfsOptions: mostly([null, {}, { SizeBytes: 2 ** 40 }, { Mode: 448 }], [{ Options: [["exec"]] }]),
  },
  { requiredKeys: ["Type", "Target"] },
);
const bind = fc.tuple(path, target, mostly(["", ":ro", ":rw"], [":rshared", ":z"]));

/** Values that a client could mean, some of them dangerous, for the fields that are read. */
const meantHost: Readonly<Record<string, Values>> = {
  AutoRemove: fc.boolean(),
  Binds: fc.array(
    bind.map((parts) => `${parts[0]}:${parts[1]}${parts[2]}`),
    { maxLength: 2 },
  ),
  CapAdd: fc.array(capability, { maxLength: 3 }),
  CapDrop: fc.array(fc.constantFrom("ALL", "CHOWN", "CAP_KILL"), { maxLength: 3 }),
  CgroupnsMode: mostly(["", "private"], ["host"]),
  ConsoleSize: mostly(
    [
      [0, 0],
      [24, 80],
    ],
    [[1]],
  ),
  CpuPeriod: size,
  CpuQuota: size,
  CpuShares: size,
  ExtraHosts: mostly([null, [], ["host.docker.internal:host-gateway"]], [["x:1.2.3.4"]]),
  Init: fc.constantFrom(null, true, false),
  IpcMode: mostly(["", "private", "none"], ["host", "container:x", "shareable"]),
  LogConfig: mostly(
    [null, { Type: "json-file", Config: { "max-size": "1k" } }, { Type: "none" }],
    [{ Type: "syslog" }],
  ),
  Memory: size,
  MemorySwap: size,
  MemorySwappiness: mostly([-1, 0], [60]),
  Mounts: fc.array(fc.oneof(bindMount, volumeMount, tmpfsMount), { maxLength: 2 }),
  NanoCpus: size,
  NetworkMode: mostly(["", "default", "bridge", "sandboxes", "none"], ["host", "container:x", "other"]),
  PidsLimit: size,
  PortBindings: fc.dictionary(
    fc.oneof({ weight: 9, arbitrary: fc.constantFrom("8080/tcp", "8082") }, fc.constantFrom("22/tcp", "8080/udp")),
    fc.array(binding, { maxLength: 1 }),
    { maxKeys: 2 },
  ),
  ReadonlyRootfs: fc.boolean(),
  RestartPolicy: mostly([null, { Name: "no" }], [{ Name: "always" }]),
  Runtime: mostly([""], ["runc", "runsc"]),
  SecurityOpt: fc.array(
    mostly(["no-new-privileges", "seccomp=unconfined", "no-new-privileges:false"], ["apparmor=unconfined"]),
    { maxLength: 2 },
  ),
  ShmSize: size,
  Tmpfs: fc.dictionary(fc.constantFrom("/g", "/h", "/i"), mostly(["", "size=1g", "exec,mode=1777"], ["suid"]), {
    maxKeys: 2,
  }),
};

const meantTop: Readonly<Record<string, Values>> = {
  Image: mostly(["team/sandbox:1", "docker.io/team/sandbox:1"], ["evil", "team/sandbox"]),
  Cmd: fc.constantFrom(null, [], ["sh", "-c", "id"], "sh"),
  Entrypoint: fc.constantFrom(null, [], [""], ["sh"]),
  Env: mostly([null, [], ["A=b"]], [["NVIDIA_VISIBLE_DEVICES=all"]]),
  Labels: mostly([null, {}, { "app.x": "y" }], [{ "sandbox-deploy.guard": "x" }, { "traefik.enable": "true" }]),
  User: mostly(["", "0", "1:1"], ["a b"]),
  WorkingDir: mostly(["", "/w"], ["/proc/self/fd/7", "x"]),
  Hostname: mostly(["", "box-2"], ["gateway"]),
  Volumes: mostly([null, {}], [{ "/a": {} }, { "/zzz": {} }]),
  ExposedPorts: mostly([null, {}, { "80/tcp": {} }], [{ "1-9/tcp": {} }]),
  NetworkingConfig: mostly(
    [null, {}, { EndpointsConfig: { default: {} } }],
    [{ EndpointsConfig: { sandboxes: { Aliases: ["db"] } } }],
  ),
  Healthcheck: mostly([null, { Test: ["CMD", "true"], Interval: 1 }], [{ Test: ["x"] }]),
  StopTimeout: fc.constantFrom(null, -1, 0, 5, 1e6),
  StopSignal: mostly(["", "SIGTERM"], ["$(x)"]),
};

const nothing = fc.constantFrom<unknown>(null, false, 0, "", [], {});
const wild = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom<unknown>(true, 1, "host", ["x"], { x: "y" }, "unconfined"),
);

/** An object of a few of these fields, most with a value that could be meant, some with none, and a few with any. */
function fieldsOf(
  names: readonly string[],
  meant: Readonly<Record<string, Values>>,
  wildness: number,
): fc.Arbitrary<Record<string, unknown>> {
  const others = names.filter((name) => !Object.hasOwn(meant, name));
  const read = Object.entries(meant).map(([name, values]) =>
    fc
      .oneof({ weight: 30, arbitrary: values }, { weight: wildness, arbitrary: wild })
      .map((value): [string, unknown] => [name, value]),
  );
  const refused = others.map((name) =>
    fc
      .oneof({ weight: 40, arbitrary: nothing }, { weight: wildness, arbitrary: wild })
      .map((value): [string, unknown] => [name, value]),
  );
  return fc
    .tuple(fc.array(fc.oneof(...read), { maxLength: 6 }), fc.array(fc.oneof(...refused), { maxLength: 4 }))
    .map(([some, more]) => Object.fromEntries([...some, ...more]));
}

/** HostConfigs of which a good part can be sent. */
export const likelyHosts = fieldsOf([...hostRules.keys()], meantHost, 0);

const spelled = fc.constantFrom("hostConfig", "privileged", "Privileged", "binds", "HOSTCONFIG", "__proto__", "Foo");

function seldom<Value>(values: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> {
  return fc.oneof({ weight: 20, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: values });
}

/** Whole bodies with real names, wrong spellings and wild values. */
export const bodies: fc.Arbitrary<Record<string, unknown>> = fc
  .record({
    top: fieldsOf(
      [...createRules.keys()].filter((name) => name !== "HostConfig"),
      meantTop,
      1,
    ),
    host: fieldsOf([...hostRules.keys()], meantHost, 1),
    odd: seldom(fc.tuple(spelled, wild)),
    without: seldom(fc.constantFrom("HostConfig", "Image")),
  })
  .map(({ top, host, odd, without }) => {
    const body: [string, unknown][] = [["Image", "team/sandbox:1"], ...Object.entries(top), ["HostConfig", host]];
    const all = odd === undefined ? body : [...body, odd];
    return Object.fromEntries(all.filter(([name]) => name !== without));
  });
