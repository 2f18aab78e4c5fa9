import { describe, expect, test } from "vitest";
import { grantableCapabilities, usualCapabilities } from "../../src/guard/model/capabilities.ts";
import { hostRules } from "../../src/guard/model/host-config.ts";
import type { Policy } from "../../src/guard/policy/policy.ts";
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

const mib = 1024 ** 2;

/** The fields of HostConfig in the Engine API's own documentation, 1.24 to 1.55, and those that only the code has had. */
const documented =
  "Annotations AutoRemove Binds BlkioDeviceReadBps BlkioDeviceReadIOps BlkioDeviceWriteBps BlkioDeviceWriteIOps " +
  "BlkioWeight BlkioWeightDevice CapAdd CapDrop Capabilities Cgroup CgroupParent CgroupnsMode ConsoleSize " +
  "ContainerIDFile CpuCount CpuPercent CpuPeriod CpuQuota CpuRealtimePeriod CpuRealtimeRuntime CpuShares CpusetCpus " +
  "CpusetMems DeviceCgroupRules DeviceRequests Devices DiskQuota Dns DnsOptions DnsSearch ExtraHosts GroupAdd " +
  "IOMaximumBandwidth IOMaximumIOps Init IpcMode Isolation KernelMemory KernelMemoryTCP Links LogConfig LxcConf " +
  "MaskedPaths Memory MemoryReservation MemorySwap MemorySwappiness Mounts NanoCPUs NanoCpus NetworkMode " +
  "OomKillDisable OomScoreAdj PidMode PidsLimit PortBindings Privileged PublishAllPorts ReadonlyPaths ReadonlyRootfs " +
  "RestartPolicy Runtime SecurityOpt ShmSize StorageOpt Sysctls Tmpfs UTSMode Ulimits UsernsMode VolumeDriver VolumesFrom";

function outcome(host: Readonly<Record<string, unknown>>, policy: Policy = roomy): string {
  return ruleOf(create(withHost(host), { policy }));
}

function rewrites(host: Readonly<Record<string, unknown>>, policy: Policy = roomy): readonly string[] {
  return rewritesOf(create(withHost(host), { policy }));
}

test("there is a rule for every field that HostConfig has had, and for no other", () => {
  expect([...hostRules.keys()].sort()).toEqual(documented.split(" ").sort());
});

describe("a field that no sandbox has a use for", () => {
  const refused = [...hostRules].flatMap(([name, rule]) => (rule.kind === "refused" ? [name] : []));

  test.each(refused)("%s is refused with any value", (name) => {
    for (const value of [true, 1, -1, "x", "host", ["x"], [{}], [null], { x: "y" }, { x: null }]) {
      const decision = create(withHost({ [name]: value }));
      expect(decision).toMatchObject({ kind: "deny", status: 403, notes: { field: `HostConfig.${name}` } });
    }
  });

  test.each(refused)("%s may be there without a value, and is not sent", (name) => {
    for (const nothing of [null, false, 0, "", [], {}]) expect(sentHost({ [name]: nothing })).not.toHaveProperty(name);
  });

  test.each([
    ["Privileged", true, "host-config.privileged"],
    ["Devices", [{ PathOnHost: "/dev/kmsg" }], "host-config.devices"],
    ["DeviceCgroupRules", ["a *:* rwm"], "host-config.device-cgroup-rules"],
    ["DeviceRequests", [{ Count: -1, Capabilities: [["gpu"]] }], "host-config.device-requests"],
    ["PidMode", "host", "host-config.pid-mode"],
    ["PidMode", "container:x", "host-config.pid-mode"],
    ["UTSMode", "host", "host-config.uts-mode"],
    ["UsernsMode", "host", "host-config.userns-mode"],
    ["MaskedPaths", ["/proc/x"], "host-config.masked-paths"],
    ["ReadonlyPaths", ["/proc/x"], "host-config.readonly-paths"],
    ["ContainerIDFile", "/etc/x", "host-config.container-id-file"],
    ["VolumesFrom", ["store"], "host-config.volumes-from"],
    ["IOMaximumIOps", 1, "host-config.io-maximum-iops"],
    ["OomKillDisable", true, "host-config.oom-kill-disable"],
  ])("%s %j: %s", (name, value, rule) => {
    expect(outcome({ [name]: value })).toBe(rule);
  });

  test("lists of hidden and write-protected paths are never sent, not even empty: an empty one uncovers everything", () => {
    for (const nothing of [null, []]) {
      const sent = sentHost({ MaskedPaths: nothing, ReadonlyPaths: nothing });
      expect(sent).not.toHaveProperty("MaskedPaths");
      expect(sent).not.toHaveProperty("ReadonlyPaths");
    }
  });
});

test.each([
  "privileged",
  "PRIVILEGED",
  "Privileged ",
  "binds",
  "mounts",
  "Binds2",
  "capAdd",
  "__proto__",
  "toString",
  "HostConfig",
  "Image",
])("the name %j is refused in HostConfig, also without a value", (name) => {
  const host = JSON.parse(`{${JSON.stringify(name)}: null}`);
  expect(create(JSON.stringify(withHost(host)))).toMatchObject({
    kind: "deny",
    rule: "host-config.unknown-field",
    status: 400,
  });
});

describe("limits", () => {
  test.each([
    ["Memory", [0, -1, 64 * mib, 512 * mib], [256 * mib, 256 * mib, 64 * mib, 256 * mib]],
    ["PidsLimit", [null, 0, -1, 10, 1000], [64, 64, 64, 10, 64]],
    ["ShmSize", [null, 0, mib, 64 * mib], [32 * mib, 32 * mib, mib, 32 * mib]],
    ["NanoCpus", [null, 0, -1, 5e8, 4e9], [1.5e9, 1.5e9, 1.5e9, 5e8, 1.5e9]],
    ["CpuShares", [null, 0, 1, 512, 1024, 262_144], [undefined, undefined, 2, 512, 1024, 1024]],
  ])("%s is injected where nothing is asked for, and cut where too much is: %j -> %j", (name, asked, sent) => {
    expect(asked.map((value) => sentHost({ [name]: value })[name])).toEqual(sent);
  });

  test("there is never any swap", () => {
    for (const swap of [null, 0, -1, 64 * mib, 512 * mib, 9e15]) {
      expect(sentHost({ Memory: 64 * mib, MemorySwap: swap }).MemorySwap).toBe(64 * mib);
      expect(sentHost({ MemorySwap: swap }).MemorySwap).toBe(256 * mib);
    }
  });

  test.each([
    [{ CpuQuota: 50_000, CpuPeriod: 100_000 }, 5e8],
    [{ CpuQuota: 50_000 }, 5e8],
    [{ CpuQuota: 400_000, CpuPeriod: 100_000 }, 1.5e9],
    [{ CpuQuota: -1 }, 1.5e9],
    [{ CpuPeriod: 1000 }, 1.5e9],
    [{ CpuQuota: 9e15, CpuPeriod: 1 }, 1.5e9],
    [{ NanoCpus: 1e9, CpuQuota: 20_000 }, 2e8],
  ])("the older pair of quota and period becomes NanoCpus: %j -> %i", (asked, sent) => {
    const host = sentHost(asked);
    expect(host.NanoCpus).toBe(sent);
    expect(host).not.toHaveProperty("CpuQuota");
    expect(host).not.toHaveProperty("CpuPeriod");
  });

  test("what is changed is noted with what was asked for", () => {
    expect(rewrites({ PidsLimit: 0, Memory: 512 * mib })).toEqual(
      expect.arrayContaining(["HostConfig.PidsLimit: 0 -> 64", `HostConfig.Memory: ${512 * mib} -> ${256 * mib}`]),
    );
    expect(rewrites({ CpuQuota: 50_000 })).toContain("HostConfig.NanoCpus: 50000/100000 -> 500000000");
  });

  test.each([
    ["Memory", "64m"],
    ["Memory", [1]],
    ["PidsLimit", true],
    ["NanoCpus", {}],
    ["CpuQuota", "1"],
    ["MemorySwappiness", "1"],
  ])("%s is an integer: %j is refused", (name, value) => {
    expect(outcome({ [name]: value })).toBe("body.type");
  });

  test("swappiness may be what the docker command sends for none, and nothing else", () => {
    expect([null, 0, -1, 60].map((value) => outcome({ MemorySwappiness: value }))).toEqual([
      "send",
      "send",
      "send",
      "host-config.memory-swappiness",
    ]);
  });
});

describe("the log", () => {
  const log = (config: unknown) => sentHost({ LogConfig: config }).LogConfig;

  test.each([
    [null, { Type: "json-file", Config: { "max-size": "5000000", "max-file": "3" } }],
    [
      { Type: "", Config: {} },
      { Type: "json-file", Config: { "max-size": "5000000", "max-file": "3" } },
    ],
    [
      { Type: "local", Config: { "max-size": "1k" } },
      { Type: "local", Config: { "max-size": "1000", "max-file": "3" } },
    ],
    [
      { Type: "json-file", Config: { "max-size": "1g", "max-file": "99" } },
      { Type: "json-file", Config: { "max-size": "5000000", "max-file": "3" } },
    ],
    [
      { Type: "json-file", Config: { "max-size": "0", "max-file": "0" } },
      { Type: "json-file", Config: { "max-size": "5000000", "max-file": "3" } },
    ],
    [{ Type: "none" }, { Type: "none", Config: {} }],
  ])("%j becomes %j", (asked, sent) => {
    expect(log(asked)).toEqual(sent);
  });

  test.each([
    [{ Type: "syslog", Config: { "syslog-address": "udp://evil:514" } }],
    [{ Type: "fluentd" }],
    [{ Type: "gelf" }],
    [{ Type: "journald" }],
    [{ Type: "some/plugin:latest" }],
    [{ Type: "json-file", Config: { tag: "x" } }],
    [{ Type: "json-file", Config: { "max-size": "-1" } }],
    [{ Type: "json-file", Config: { "max-size": "lots" } }],
    [{ Type: "json-file", Config: { "max-file": "-1" } }],
    [{ Type: "none", Config: { env: "x" } }],
    [{ type: "json-file" }],
  ])("%j is refused", (config) => {
    expect(outcome({ LogConfig: config })).toBe("host-config.log-config");
  });
});

describe("capabilities", () => {
  const caps = (host: Readonly<Record<string, unknown>>, policy: Policy = roomy) => {
    const { CapAdd, CapDrop } = sentHost(host, { policy });
    return { CapAdd, CapDrop };
  };

  test.each([
    [{}, ["CHOWN", "SETGID", "SETUID"]],
    [{ CapDrop: ["ALL"] }, undefined],
    [{ CapDrop: ["all"] }, undefined],
    [{ CapDrop: ["CAP_CHOWN"] }, ["SETGID", "SETUID"]],
    [{ CapDrop: ["ALL"], CapAdd: ["CAP_CHOWN", "setuid"] }, ["CHOWN", "SETUID"]],
    [{ CapAdd: ["CHOWN", "CHOWN"] }, ["CHOWN", "SETGID", "SETUID"]],
    [{ CapDrop: ["CHOWN"], CapAdd: ["CHOWN"] }, ["CHOWN", "SETGID", "SETUID"]],
    [{ CapDrop: ["NONSENSE"] }, ["CHOWN", "SETGID", "SETUID"]],
  ])("all are dropped, and what the policy allows of the rest is added again: %j -> %j", (asked, add) => {
    expect(caps(asked)).toEqual({ CapAdd: add, CapDrop: ["ALL"] });
  });

  test("a policy that allows none leaves none, whatever is usual", () => {
    const none = policyOf(roomyText.replace("[CHOWN, SETUID, SETGID]", "[]"));
    expect(caps({}, none)).toEqual({ CapAdd: undefined, CapDrop: ["ALL"] });
  });

  test.each([
    ["ALL"],
    ["SYS_ADMIN"],
    ["CAP_SYS_ADMIN"],
    ["sys_admin"],
    ["NET_RAW"],
    ["CAP_CAP_CHOWN"],
    [" CHOWN"],
    [""],
  ])("%j cannot be added", (name) => {
    expect(outcome({ CapAdd: [name] })).toBe("host-config.cap-add");
    expect(outcome({ CapDrop: ["ALL"], CapAdd: ["CHOWN", name] })).toBe("host-config.cap-add");
  });

  test("no policy can grant one that is a way to the host", () => {
    const ways =
      "SYS_ADMIN SYS_MODULE SYS_RAWIO SYS_BOOT SYS_TIME SYSLOG BPF PERFMON DAC_READ_SEARCH MAC_ADMIN NET_ADMIN";
    for (const name of ways.split(" ")) expect(grantableCapabilities).not.toContain(name);
    expect(usualCapabilities.filter((name) => !grantableCapabilities.includes(name))).toEqual([]);
  });
});

describe("security options", () => {
  const options = (asked: unknown, policy: Policy = roomy) => sentHost({ SecurityOpt: asked }, { policy }).SecurityOpt;
  const profile = '{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[]}';
  const profiled = policyOf(`${roomyText}seccomp: ${profile}\n`);

  test.each([
    [null],
    [[]],
    [["no-new-privileges"]],
    [["no-new-privileges:true"]],
    [["no-new-privileges=true", "seccomp=builtin"]],
    [["no-new-privileges:false"]],
    [["seccomp=unconfined"]],
    [["seccomp:unconfined"]],
    [[`seccomp={"defaultAction":"SCMP_ACT_ALLOW"}`]],
    [["seccomp=unconfined", "seccomp=unconfined"]],
  ])("%j becomes the policy's own", (asked) => {
    expect(options(asked)).toEqual(["no-new-privileges"]);
    expect(options(asked, profiled)).toEqual(["no-new-privileges", `seccomp=${profile}`]);
  });

  test("that a profile was replaced is noted", () => {
    expect(rewrites({ SecurityOpt: ["seccomp=unconfined"] })).toContain(
      "HostConfig.SecurityOpt.seccomp: unconfined -> the engine's default",
    );
    expect(rewrites({ SecurityOpt: ["seccomp=unconfined"] }, profiled)).toContain(
      "HostConfig.SecurityOpt.seccomp: unconfined -> the policy's",
    );
  });

  test.each([
    "apparmor=unconfined",
    "apparmor:unconfined",
    "label=disable",
    "label:type:container_t",
    "systempaths=unconfined",
    "credentialspec=file://x",
    "writable-cgroups=true",
    "SECCOMP=unconfined",
    "seccomp",
    "seccomp=",
    "no-new-privileges:0",
    "no-new-privileges ",
    "unmask=ALL",
    "",
  ])("%j is refused", (option) => {
    expect(outcome({ SecurityOpt: [option] })).toBe("host-config.security-opt");
  });

  test("the preset for DeerFlow sends a profile that blocks what it does not name", () => {
    const { seccomp } = preset("deer-flow");
    expect(JSON.parse(seccomp ?? "{}")).toMatchObject({ defaultAction: "SCMP_ACT_ERRNO" });
  });
});

describe("namespaces", () => {
  test.each([
    ["IpcMode", "private"],
    ["CgroupnsMode", "private"],
  ])("%s is the container's own, and says so", (name, own) => {
    expect(["", null, "private"].map((value) => sentHost({ [name]: value })[name])).toEqual([own, own, own]);
  });

  test("no shared memory at all is less, and stays", () => {
    expect(sentHost({ IpcMode: "none" }).IpcMode).toBe("none");
  });

  test.each([
    ["IpcMode", "host", "host-config.ipc-mode"],
    ["IpcMode", "shareable", "host-config.ipc-mode"],
    ["IpcMode", "container:x", "host-config.ipc-mode"],
    ["IpcMode", "Private", "host-config.ipc-mode"],
    ["CgroupnsMode", "host", "host-config.cgroupns-mode"],
    ["CgroupnsMode", "none", "host-config.cgroupns-mode"],
  ])("%s %j: %s", (name, value, rule) => {
    expect(outcome({ [name]: value })).toBe(rule);
  });
});

describe("the network", () => {
  test.each([null, "", "default", "bridge", "sandboxes"])("%j becomes the policy's", (mode) => {
    expect(sentHost({ NetworkMode: mode }).NetworkMode).toBe("sandboxes");
  });

  test("none is less, and stays", () => {
    expect(sentHost({ NetworkMode: "none" }).NetworkMode).toBe("none");
  });

  test.each(["host", "HOST", "container:gateway", "ns:/proc/1/ns/net", "other", "Sandboxes", "sandboxes ", "none "])(
    "%j is refused",
    (mode) => {
      expect(outcome({ NetworkMode: mode })).toBe("host-config.network-mode");
    },
  );

  test("entries of the hosts file are those of the policy, to the letter", () => {
    expect(sentHost({ ExtraHosts: ["host.docker.internal:host-gateway"] }).ExtraHosts).toEqual([
      "host.docker.internal:host-gateway",
    ]);
    expect(sentHost({ ExtraHosts: [] })).not.toHaveProperty("ExtraHosts");
    for (const entry of [
      "host.docker.internal=host-gateway",
      "api.example.com:10.0.0.1",
      "host.docker.internal:10.0.0.1",
    ]) {
      expect(outcome({ ExtraHosts: [entry] })).toBe("host-config.extra-hosts");
    }
  });
});

describe("ports", () => {
  const bound = (bindings: unknown) => sentHost({ PortBindings: bindings }).PortBindings;
  const one = (HostPort: unknown, HostIp: unknown = "") => ({ "8080/tcp": [{ HostIp, HostPort }] });

  test.each([["", "0.0.0.0", "127.0.0.1", "::", "192.168.1.1", "nonsense"]])(
    "%s as an address becomes the policy's",
    (address) => {
      expect(bound(one("8081", address))).toEqual({ "8080/tcp": [{ HostIp: "172.17.0.1", HostPort: "8081" }] });
    },
  );

  test("a port that is left to the engine is taken from the policy's range", () => {
    for (const port of ["", "0", null]) {
      expect(bound(one(port))).toEqual({ "8080/tcp": [{ HostIp: "172.17.0.1", HostPort: "8080-8099" }] });
    }
    expect(bound(one("8085-8086"))).toEqual({ "8080/tcp": [{ HostIp: "172.17.0.1", HostPort: "8085-8086" }] });
  });

  test("a port without a protocol is of TCP", () => {
    expect(bound({ 8082: [{ HostPort: "8082" }] })).toEqual({
      "8082/tcp": [{ HostIp: "172.17.0.1", HostPort: "8082" }],
    });
  });

  test("without bindings nothing is published", () => {
    for (const nothing of [null, {}, { "8080/tcp": null }, { "22/tcp": [] }]) expect(bound(nothing)).toBeUndefined();
  });

  test.each([
    [one("80"), "port.host-range"],
    [one("8100"), "port.host-range"],
    [one("8090-8100"), "port.host-range"],
    [one("8090-8085"), "port.host-range"],
    [one("08081"), "port.host-range"],
    [one("8081 "), "port.host-range"],
    [one("+8081"), "port.host-range"],
    [one("8081,80"), "port.host-range"],
    [one(8081), "body.type"],
    [one("8081", 1), "body.type"],
    [{ "22/tcp": [{ HostPort: "8081" }] }, "port.not-allowed"],
    [{ "8080/udp": [{ HostPort: "8081" }] }, "port.not-allowed"],
    [{ "8080/TCP": [{ HostPort: "8081" }] }, "port.not-allowed"],
    [{ "8080-8082/tcp": [{ HostPort: "8081" }] }, "port.not-allowed"],
    [{ "08080/tcp": [{ HostPort: "8081" }] }, "send"],
    [{ "8080/tcp": [{ HostPort: "8081" }, { HostPort: "8082" }] }, "port.several"],
    [{ "8080/tcp": [{ HostPort: "8081" }], 8080: [{ HostPort: "8082" }] }, "port.twice"],
    [{ "8080/tcp": [{ HostPort: "8081", hostip: "0.0.0.0" }] }, "port.unknown-field"],
    [{ "8080/tcp": ["8081"] }, "body.type"],
    [{ "8080/tcp": "8081" }, "body.type"],
  ])("%j: %s", (bindings, rule) => {
    expect(outcome({ PortBindings: bindings })).toBe(rule);
  });

  test("a policy without ports publishes none", () => {
    expect(outcome({ PortBindings: one("8081") }, policyOf(roomyText.replace(/^ports.*$/m, "")))).toBe(
      "port.not-allowed",
    );
  });
});

describe("what else a client may choose", () => {
  test.each([
    ["AutoRemove", true, true],
    ["AutoRemove", false, undefined],
    ["Init", true, true],
    ["Init", false, false],
    ["Init", null, undefined],
    ["ConsoleSize", [24, 80], [24, 80]],
    ["ConsoleSize", [0, 0], undefined],
    ["ReadonlyRootfs", true, true],
    ["ReadonlyRootfs", false, undefined],
    ["Runtime", "", undefined],
    ["RestartPolicy", null, { Name: "no" }],
    ["RestartPolicy", { Name: "", MaximumRetryCount: 0 }, { Name: "no" }],
  ])("%s %j is sent as %j", (name, asked, sent) => {
    expect(sentHost({ [name]: asked })[name]).toEqual(sent);
  });

  test.each([
    ["RestartPolicy", { Name: "always" }, "host-config.restart-policy"],
    ["RestartPolicy", { Name: "unless-stopped" }, "host-config.restart-policy"],
    ["RestartPolicy", { Name: "on-failure", MaximumRetryCount: 3 }, "host-config.restart-policy"],
    ["RestartPolicy", { name: "always" }, "host-config.restart-policy"],
    ["RestartPolicy", { Name: "no", MaximumRetryCount: 1 }, "host-config.restart-policy"],
    ["Runtime", "runc", "host-config.runtime"],
    ["Runtime", "sysbox-runc", "host-config.runtime"],
    ["ConsoleSize", [1], "console-size"],
    ["ConsoleSize", [1, 70_000], "console-size"],
    ["ConsoleSize", [1, "2"], "console-size"],
    ["AutoRemove", "true", "body.type"],
    ["Init", 1, "body.type"],
  ])("%s %j: %s", (name, value, rule) => {
    expect(outcome({ [name]: value })).toBe(rule);
  });

  test("a policy without a writable root makes it read-only", () => {
    const strict = policyOf(roomyText.replace("writableRoot: true", ""));
    for (const asked of [true, false, null])
      expect(sentHost({ ReadonlyRootfs: asked }, { policy: strict }).ReadonlyRootfs).toBe(true);
    expect(rewrites({ ReadonlyRootfs: false }, strict)).toContain("HostConfig.ReadonlyRootfs: false -> true");
  });

  test("a policy's runtime is forced, and another one refused", () => {
    const gvisor = policyOf(`${roomyText}runtime: runsc\n`);
    expect(sentHost({}, { policy: gvisor }).Runtime).toBe("runsc");
    expect(sentHost({ Runtime: "runsc" }, { policy: gvisor }).Runtime).toBe("runsc");
    expect(outcome({ Runtime: "runc" }, gvisor)).toBe("host-config.runtime");
  });
});
