import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ContainerFact } from "../../src/guard/decision/decision.ts";
import { judgeAgain } from "../../src/guard/decision/judge-again.ts";
import type { Policy } from "../../src/guard/policy/policy.ts";
import { likelyHosts } from "./support/bodies.ts";
import {
  bodyOf,
  create,
  factsOf,
  imageId,
  policyOf,
  recordedBody,
  roomy,
  roomyText,
  ruleOf,
  sentHost,
  withHost,
} from "./support/create-world.ts";

type World = Parameters<typeof factsOf>[0];

const masked = ["/proc/asound", "/proc/kcore", "/proc/keys", "/sys/firmware"];
const readonly = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

/** What the engine makes of a HostConfig that it was sent: 20.10 says all of this of every container. */
function filled(host: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return {
    Binds: null,
    ContainerIDFile: "",
    VolumeDriver: "",
    VolumesFrom: null,
    CapAdd: null,
    Dns: [],
    DnsOptions: null,
    ExtraHosts: null,
    Cgroup: "",
    Links: null,
    OomScoreAdj: 0,
    PidMode: "",
    Privileged: false,
    PublishAllPorts: false,
    ReadonlyRootfs: false,
    UTSMode: "",
    UsernsMode: "",
    Runtime: "runc",
    ConsoleSize: [0, 0],
    Isolation: "",
    CpuShares: 0,
    CpuPeriod: 0,
    CpuQuota: 0,
    CpusetCpus: "",
    Devices: null,
    DeviceCgroupRules: null,
    DeviceRequests: null,
    KernelMemory: 0,
    MemoryReservation: 0,
    MemorySwappiness: null,
    OomKillDisable: false,
    Ulimits: [{ Name: "nofile", Soft: 1024, Hard: 1024 }],
    CpuCount: 0,
    MaskedPaths: masked,
    ReadonlyPaths: readonly,
    AFieldOfALaterEngine: { On: true },
    ...host,
  };
}

interface Made {
  readonly host?: Readonly<Record<string, unknown>>;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly networks?: unknown;
  readonly owner?: string;
  readonly image?: string;
  readonly policy?: Policy;
}

/** A container as the engine would show it after the guard let it be created. */
function container(made: Made = {}): ContainerFact {
  const policy = made.policy ?? roomy;
  const inspected = {
    HostConfig: filled({ ...sentHost({}, { policy }), ...made.host }),
    Config: { Image: "team/sandbox:1", User: "", ...made.config },
    NetworkSettings: { Networks: made.networks === undefined ? { sandboxes: {} } : made.networks },
  };
  return {
    id: "a".repeat(64),
    name: "box-1",
    imageId: made.image ?? imageId,
    running: false,
    labels: { "sandbox-deploy.guard": made.owner ?? "tests" },
    inspected: bodyOf(inspected),
  };
}

function verdict(made: Made = {}, world: World = {}): string {
  return ruleOf(judgeAgain(container(made), world?.policy ?? roomy, factsOf(world)));
}

test("a container that the guard let be created passes as it is", () => {
  expect(verdict()).toBe("pass");
});

test("whatever the guard sends passes when the engine shows it again", () => {
  let sentCount = 0;
  const property = fc.property(likelyHosts, (host) => {
    const decision = create(withHost(host));
    if (decision.kind !== "send") return;
    sentCount += 1;
    const sent = JSON.parse(JSON.stringify(sentHost(host)));
    expect(judgeAgain(container({ host: { ...sentHost({}), ...sent } }), roomy, factsOf())).toMatchObject({
      kind: "pass",
    });
  });
  fc.assert(property, { numRuns: 300 });
  expect(sentCount).toBeGreaterThan(50);
});

test("what a real engine shows of a container that it was sent passes", () => {
  const text = recordedBody("inspected-engine-20.10");
  const { Id: id, Image: real } = JSON.parse(text);
  const labels = { "sandbox-deploy.guard": "tests" };
  const fact = { id, name: "box-1", imageId: real, running: true, labels, inspected: bodyOf(text) };
  expect(judgeAgain(fact, roomy, factsOf({ pinned: real }))).toMatchObject({ kind: "pass" });
});

test("a kernel that cannot limit swap does not keep containers from starting", () => {
  expect(verdict({ host: { MemorySwap: -1 } })).toBe("pass");
  expect(verdict({ host: { Memory: 2 ** 40, MemorySwap: -1 } })).toBe("container.beyond-policy");
});

describe("a container that has more than the guard would give it does not pass", () => {
  test.each<[string, unknown, string]>([
    ["Privileged", true, "host-config.privileged"],
    ["Devices", [{ PathOnHost: "/dev/sda" }], "host-config.devices"],
    ["DeviceRequests", [{ Count: -1 }], "host-config.device-requests"],
    ["DeviceCgroupRules", ["a *:* rwm"], "host-config.device-cgroup-rules"],
    ["PidMode", "host", "host-config.pid-mode"],
    ["IpcMode", "host", "host-config.ipc-mode"],
    ["UTSMode", "host", "host-config.uts-mode"],
    ["UsernsMode", "host", "host-config.userns-mode"],
    ["CgroupnsMode", "host", "host-config.cgroupns-mode"],
    ["NetworkMode", "host", "host-config.network-mode"],
    ["NetworkMode", "container:x", "host-config.network-mode"],
    ["NetworkMode", "bridge", "container.beyond-policy"],
    ["CapAdd", ["CAP_SYS_ADMIN"], "host-config.cap-add"],
    ["CapDrop", null, "container.beyond-policy"],
    ["CapDrop", ["CHOWN"], "container.beyond-policy"],
    ["SecurityOpt", null, "container.beyond-policy"],
    ["SecurityOpt", ["seccomp=unconfined"], "container.beyond-policy"],
    ["SecurityOpt", ["no-new-privileges", "seccomp=unconfined"], "container.beyond-policy"],
    ["SecurityOpt", ["no-new-privileges", "apparmor=unconfined"], "host-config.security-opt"],
    ["MaskedPaths", [], "container.unmasked"],
    ["MaskedPaths", null, "container.unmasked"],
    ["ReadonlyPaths", ["/proc/bus"], "container.unmasked"],
    ["Memory", 2 ** 40, "container.beyond-policy"],
    ["Memory", 0, "container.beyond-policy"],
    ["MemorySwap", 2 ** 40, "container.beyond-policy"],
    ["MemorySwap", 0, "container.beyond-policy"],
    ["PidsLimit", null, "container.beyond-policy"],
    ["NanoCpus", 64e9, "container.beyond-policy"],
    ["CpuQuota", 100_000, "container.beyond-policy"],
    ["RestartPolicy", { Name: "always" }, "host-config.restart-policy"],
    ["LogConfig", { Type: "syslog", Config: {} }, "host-config.log-config"],
    ["LogConfig", { Type: "json-file", Config: {} }, "container.beyond-policy"],
    ["Mounts", [{ Type: "bind", Source: "/etc", Target: "/a" }], "bind.outside-root"],
    ["Mounts", [{ Type: "bind", Source: "/srv/data/shared/x", Target: "/a" }], "container.beyond-policy"],
    ["Binds", ["/:/host"], "bind.path"],
    ["Binds", ["/var/run/docker.sock:/var/run/docker.sock"], "bind.outside-root"],
    ["VolumesFrom", ["store"], "host-config.volumes-from"],
    ["PortBindings", { "8080/tcp": [{ HostIp: "0.0.0.0", HostPort: "8081" }] }, "container.beyond-policy"],
    ["PortBindings", { "22/tcp": [{ HostIp: "172.17.0.1", HostPort: "8081" }] }, "port.not-allowed"],
    ["Sysctls", { "kernel.x": "1" }, "host-config.sysctls"],
    ["CgroupParent", "/", "host-config.cgroup-parent"],
    ["ExtraHosts", ["x:1.2.3.4"], "host-config.extra-hosts"],
    ["Annotations", { x: "y" }, "host-config.annotations"],
  ])("%s %j: %s", (name, value, rule) => {
    expect(verdict({ host: { [name]: value } })).toBe(rule);
  });

  test.each<[string, Made, string]>([
    ["of another owner", { owner: "somebody" }, "container.foreign"],
    ["of an image that the policy does not name", { config: { Image: "evil" } }, "image.not-allowed"],
    ["of no image", { config: { Image: null } }, "image.not-allowed"],
    ["of another image under an allowed name", { image: `sha256:${"2".repeat(64)}` }, "image.retagged"],
    ["on another network as well", { networks: { sandboxes: {}, data: {} } }, "container.network"],
    ["on the host's network", { networks: { host: {} } }, "container.network"],
    ["of which the engine does not say what networks it is on", { networks: null }, "container.unreadable"],
  ])("%s", (_what, made, rule) => {
    expect(verdict(made)).toBe(rule);
  });

  test("without a HostConfig nothing is assumed", () => {
    const made = container();
    const inspected = new Map([...made.inspected].filter(([name]) => name !== "HostConfig"));
    expect(judgeAgain({ ...made, inspected }, roomy, factsOf()).kind).toBe("deny");
  });
});

describe("what changed since it was created", () => {
  const bound = { host: { Mounts: [{ Type: "bind", Source: "/srv/data/x", Target: "/a" }] } };

  test("a directory that became a link is noticed, also when the link leads to something allowed", () => {
    expect(verdict(bound)).toBe("pass");
    expect(verdict(bound, { links: { "/srv/data/x": "/etc" } })).toBe("bind.outside-root");
    expect(verdict(bound, { links: { "/srv/data/x": "/srv/data/y" } })).toBe("container.beyond-policy");
    expect(verdict(bound, { links: { "/srv/data/x": undefined } })).toBe("bind.missing");
    expect(verdict(bound, { links: { "/srv/data": "/mnt", "/srv/data/x": "/mnt/x" } })).toBe("pass");
  });

  test("paths are asked about again, each time", () => {
    const facts = {
      ...factsOf(),
      path: (path: string) => ({ known: false, question: { kind: "path", path } }) as const,
    };
    expect(judgeAgain(container(bound), roomy, facts)).toMatchObject({
      kind: "ask",
      questions: [{ path: "/srv/data" }, { path: "/srv/data/x" }],
    });
  });

  test.each([
    ["memory: 256m", "memory: 128m"],
    ["pids: 64", "pids: 32"],
    ["cpus: 1.5", "cpus: 1"],
    ["shm: 32m", "shm: 16m"],
    ["logSize: 5m", "logSize: 1m"],
    ["writableRoot: true", "writableRoot: false"],
    ["network: sandboxes", "network: others"],
    ["images: [", 'images: ["x", "y"] #'],
    ["[CHOWN, SETUID, SETGID]", "[CHOWN]"],
    ["owner: tests", "owner: others"],
    ["labels:", "runtime: runsc\nlabels:"],
    ["labels:", "users: '65534'\nlabels:"],
    ["labels:", `seccomp: { defaultAction: SCMP_ACT_ERRNO, syscalls: [] }\nlabels:`],
  ])("a stricter policy holds for containers that are there already: %j -> %j", (from, to) => {
    const policy = policyOf(roomyText.replace(from, to));
    expect(["pass", "ask"]).not.toContain(ruleOf(judgeAgain(container(), policy, factsOf({ policy }))));
  });

  test("a wider policy does not hold a container back", () => {
    const policy = policyOf(roomyText.replace("memory: 256m", "memory: 1g").replace("pids: 64", "pids: 100"));
    const decided = judgeAgain(container(), policy, factsOf({ policy }));
    expect(decided).toMatchObject({ kind: "pass" });
  });
});

test("parts of a volume are read back as the paths that they were", () => {
  const policy = policyOf(roomyText.replace("root: /srv/data", "root: /srv/data\n  volume: agents-data"));
  const world = { policy, api: "1.45" };
  const { Mounts } = sentHost({ Binds: ["/srv/data/x:/a"] }, world);
  expect(verdict({ policy, host: { Mounts } }, world)).toBe("pass");
  expect(verdict({ policy, host: { Mounts } }, { ...world, links: { "/srv/data/x": "/srv/data/y" } })).toBe(
    "container.beyond-policy",
  );
});
