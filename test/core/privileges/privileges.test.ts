import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { privilegesOfModel } from "../../../src/core/privileges/privileges.ts";
import { bind, granted, host, modelOf } from "../../support/granted.ts";

describe("a service with", () => {
  test.each<[what: string, service: Record<string, unknown>, expected: string[]]>([
    [
      "privileged",
      { privileged: true, security_opt: ["label:disable"] },
      ["privileged | all capabilities and devices of the host | host-root"],
    ],
    ["the host's network", { network_mode: "host" }, ["host-namespace | network: host | host-network"]],
    [
      "the host's processes",
      { pid: "host", security_opt: ["label=disable"] },
      ["host-namespace | pid: host | host-root"],
    ],
    ["the host's shared memory", { ipc: "host" }, ["host-namespace | ipc: host | host-root"]],
    ["the host's name", { uts: "host" }, ["host-namespace | uts: host | host-root"]],
    ["the host's users", { userns_mode: "host" }, ["host-namespace | user: host | host-root"]],
    ["the host's cgroups", { cgroup: "host" }, ["host-namespace | cgroup: host | host-root"]],
    ["namespaces of its own", { network_mode: "none", ipc: "private", cgroup: "private" }, []],
    [
      "another's namespaces",
      { pid: "service:db", network_mode: "container:x" },
      ["host-namespace | network: container x | host-network", "host-namespace | pid: service db"],
    ],
    [
      "capabilities, however they are written",
      { cap_add: ["CAP_SYS_ADMIN", "net_admin"] },
      ["capability | NET_ADMIN", "capability | SYS_ADMIN | host-root"],
    ],
    ["every capability but one", { cap_add: ["ALL"], cap_drop: ["SYS_ADMIN"] }, ["capability | ALL | host-root"]],
    ["capabilities that every container has", { cap_drop: ["ALL"], cap_add: ["NET_BIND_SERVICE", "CHOWN"] }, []],
    [
      "a capability that it also drops, which the engine adds",
      { cap_add: ["SYS_PTRACE"], cap_drop: ["SYS_PTRACE"] },
      ["capability | SYS_PTRACE | host-root"],
    ],
    ["a disk", { devices: [{ source: "/dev//nvme0n1", permissions: "r" }] }, ["device | /dev/nvme0n1 (r) | host-root"]],
    ["memory", { devices: [{ source: "/dev/mem" }] }, ["device | /dev/mem (rwm) | host-root"]],
    ["all devices", { devices: [{ source: "/dev" }] }, ["device | /dev (rwm) | host-root"]],
    [
      "harmless devices",
      { devices: [{ source: "/dev/kvm" }, { source: "/dev/fuse" }, { source: "/dev/memory_bandwidth" }] },
      ["device | /dev/fuse (rwm)", "device | /dev/kvm (rwm)", "device | /dev/memory_bandwidth (rwm)"],
    ],
    [
      "a rule for block devices",
      { device_cgroup_rules: ["b 8:* rwm"] },
      ["device | cgroup rule b 8:* rwm | host-root"],
    ],
    ["a rule for all devices", { device_cgroup_rules: ["a *:* rwm"] }, ["device | cgroup rule a *:* rwm | host-root"]],
    ["a rule for memory", { device_cgroup_rules: ["c 1:1 r"] }, ["device | cgroup rule c 1:1 r | host-root"]],
    [
      "a rule in odd numbers",
      { device_cgroup_rules: ["c 01:01 rwm"] },
      ["device | cgroup rule c 01:01 rwm | host-root"],
    ],
    ["a rule for SCSI", { device_cgroup_rules: ["c 21:* rw"] }, ["device | cgroup rule c 21:* rw | host-root"]],
    ["a rule for terminals", { device_cgroup_rules: ["c 136:* rw"] }, ["device | cgroup rule c 136:* rw"]],
    ["a rule for /dev/null", { device_cgroup_rules: ["c 1:3 rwm"] }, ["device | cgroup rule c 1:3 rwm"]],
    ["all GPUs", { gpus: [{ count: -1 }] }, ["device | gpu (all)"]],
    [
      "two GPUs",
      { deploy: { resources: { reservations: { devices: [{ capabilities: ["gpu"], count: 2 }] } } } },
      ["device | gpu (2)"],
    ],
    ["a CDI device", { devices: ["nvidia.com/gpu=all"] }, ["device | nvidia.com/gpu=all (cdi)"]],
    ["the NVIDIA runtime", { runtime: "nvidia" }, ["device | runtime nvidia"]],
    [
      "one option in two spellings",
      { security_opt: ["seccomp:unconfined", "seccomp=unconfined"] },
      ["security-option | seccomp=unconfined"],
    ],
    [
      "no profiles and labels",
      { security_opt: ["apparmor:unconfined", "label:disable"] },
      ["security-option | apparmor=unconfined", "security-option | label=disable"],
    ],
    ["a profile of its own", { security_opt: ["seccomp=./profile.json"] }, ["security-option | seccomp=custom"]],
    [
      "open system paths",
      { security_opt: ["systempaths=unconfined"] },
      ["security-option | systempaths=unconfined | host-root"],
    ],
    ["new privileges", { security_opt: ["no-new-privileges:false"] }, ["security-option | no-new-privileges=false"]],
    ["harder options", { security_opt: ["no-new-privileges:true", "no-new-privileges", "seccomp=default"] }, []],
    ["groups", { group_add: ["docker", 999] }, ["security-option | group 999", "security-option | group docker"]],
    [
      "a port on one address",
      { ports: [{ host_ip: "127.0.0.1", published: "2026", target: 8080 }] },
      ["published-port | 127.0.0.1:2026 -> 8080/tcp"],
    ],
    [
      "a port on every address",
      { ports: [{ published: 2026, target: 53, protocol: "udp" }] },
      ["published-port | 0.0.0.0:2026 -> 53/udp"],
    ],
    ["a random port", { ports: [{ target: 8080 }] }, ["published-port | 0.0.0.0:random -> 8080/tcp"]],
    [
      "ports on IPv6",
      {
        ports: [
          { host_ip: "[::]", published: "1", target: 1 },
          { host_ip: "::1", published: "2", target: 2 },
        ],
      },
      ["published-port | [::1]:2 -> 2/tcp", "published-port | [::]:1 -> 1/tcp"],
    ],
    ["a provider", { provider: { type: "./run.sh" } }, ["host-program | provider ./run.sh | host-root"]],
    [
      "models, whose flags nobody sees",
      { models: { llm: { endpoint_var: "URL" }, other: null } },
      ["host-program | docker model, for llm | host-root", "host-program | docker model, for other | host-root"],
    ],
    [
      "a privileged hook",
      { pre_start: [{ privileged: true }], post_start: [{}, { privileged: true }], pre_stop: [{ user: "root" }] },
      ["privileged | post_start hook | host-root", "privileged | pre_start hook | host-root"],
    ],
    [
      "a privileged build",
      { build: { host: "/x", entitlements: ["security.insecure"], network: "host" } },
      [
        "host-namespace | network: host, during the image build | host-network",
        "host-program | privileged image build | host-root",
      ],
    ],
    [
      "another container's volumes",
      { volumes_from: ["container:x:ro"] },
      ["host-bind | volumes of container x | host-files"],
    ],
    [
      "another runtime, other limits and annotations",
      { runtime: "kata", cgroup_parent: "/other", oom_score_adj: -500, annotations: { "org.systemd.property.X": "1" } },
      [
        "security-option | annotation org.systemd.property.X",
        "security-option | cgroup parent /other",
        "security-option | oom score -500",
        "security-option | runtime kata",
      ],
    ],
    [
      "what reaches nothing past it",
      {
        sysctls: { "net.core.somaxconn": "1024" },
        storage_opt: { size: "1G" },
        oom_score_adj: 500,
        ipc: "shareable",
        extra_hosts: ["box=host-gateway"],
        credential_spec: { file: "x.json" },
        develop: { watch: [{ path: "/etc", action: "sync", target: "/x" }] },
        external_links: ["other:alias"],
        tmpfs: ["/x"],
        dns: ["1.1.1.1"],
      },
      [],
    ],
    ["nothing special", { image: "x", user: "0", networks: { default: null }, environment: { A: "b" } }, []],
  ])("%s holds exactly that", (_what, service, expected) => {
    expect(granted(service)).toEqual(expected);
  });

  test("the host's network under the name of an external one holds the host's network", () => {
    expect(
      granted({ networks: { outside: null } }, { networks: { outside: { name: "host", external: true } } }),
    ).toEqual(["host-namespace | network: host | host-network"]);
  });

  test("a macvlan network has every port on the host's own network", () => {
    expect(
      granted({ networks: { lan: null } }, { networks: { lan: { name: "demo_lan", driver: "macvlan" } } }),
    ).toEqual(["published-port | every port, on macvlan network demo_lan"]);
  });

  test("an external network that the engine knows as ipvlan has every port there as well", () => {
    const known = new Map([["lan", { driver: "ipvlan", project: undefined }]]);
    const networks = { outside: { name: "lan", external: true } };
    expect(granted({ networks: { outside: null } }, { networks }, { ...host, networks: known })).toEqual([
      "published-port | every port, on ipvlan network lan",
    ]);
  });

  test.each([
    [
      "an external volume holds what the engine says of it",
      { external: true, name: "demo_v" },
      ["host-bind | /var (rw) | host-root"],
    ],
    [
      "a volume that is there already holds both what it was made as and what is declared",
      { driver_opts: { o: "bind", device: "/opt/x" } },
      ["host-bind | /opt/x (rw) | host-files", "host-bind | /var (rw) | host-root"],
    ],
    [
      "a volume without options that is there already holds what it was made as",
      null,
      ["host-bind | /var (rw) | host-root"],
    ],
  ])("%s", (_what, declared, expected) => {
    const volumes = [{ name: "demo_v", driver: "local", options: { type: "none", o: "bind", device: "/var" } }];
    const service = { volumes: [{ type: "volume", source: "v", target: "/v" }] };
    expect(granted(service, { volumes: { v: declared } }, { ...host, volumes })).toEqual(expected);
  });

  test("a file secret that is a symlink holds what it leads to", () => {
    const realPaths = new Map([["/srv/demo/innocent", "/run/docker.sock"]]);
    const secrets = { s: { file: "/srv/demo/innocent" } };
    expect(granted({ secrets: [{ source: "s" }] }, { secrets }, { ...host, realPaths })).toEqual([
      "runtime-socket | /var/run/docker.sock (ro) | host-root",
    ]);
  });

  test("a device that is a symlink reaches the host where its end does", () => {
    const context = {
      ...host,
      realPaths: new Map([
        ["/dev/serial0", "/dev/ttyS0"],
        ["/srv/demo/x", "/dev/sda"],
      ]),
    };
    expect(granted({ devices: [{ source: "/srv/demo/x" }, { source: "/dev/serial0" }] }, {}, context)).toEqual([
      "device | /dev/serial0 (rwm)",
      "device | /srv/demo/x (rwm) | host-root",
    ]);
  });

  test("the host's cgroups gains nothing where every container has them", () => {
    expect(granted({ cgroup: "host" }, {}, { ...host, cgroupVersion: 1 })).toEqual([]);
  });

  test("the volumes of another service holds those, writable though `:ro` was asked for, unless it mounts over them", () => {
    const services = {
      app: { volumes_from: ["db:ro"], ...bind("/opt/mine", true, "/b") },
      db: {
        volumes_from: ["app"],
        volumes: [...bind("/opt/a", false, "/a").volumes, ...bind("/opt/b", false, "/b").volumes],
      },
    };
    const details = privilegesOfModel(modelOf({ services }), host, ["app"]).map(({ detail }) => detail);
    expect(details).toEqual(["/opt/a (rw)", "/opt/mine (ro)"]);
  });
});

describe("the privileges of a model", () => {
  const services = {
    b: { privileged: true, ports: [{ target: 1 }, { target: 1 }] },
    a: { pid: "host" },
    off: { pid: "host", scale: 0 },
  };

  test("are sorted by service and weight, each once, without services scaled to zero", () => {
    const lines = privilegesOfModel(modelOf({ services }), host).map(({ service, kind }) => `${service} ${kind}`);
    expect(lines).toEqual(["a host-namespace", "b privileged", "b published-port"]);
  });

  test("are those of the services that start", () => {
    expect(privilegesOfModel(modelOf({ services }), host, ["a", "off", "gone"]).map(({ service }) => service)).toEqual([
      "a",
    ]);
  });

  test("do not depend on the order in which things are listed", () => {
    const items = ["/etc", "/opt/x", "/var/run/docker.sock", "/srv/demo/data"].map((source, index) => ({
      type: "bind",
      source,
      target: `/m${index}`,
    }));
    fc.assert(
      fc.property(fc.shuffledSubarray(items, { minLength: items.length }), (volumes) => {
        expect(granted({ volumes })).toEqual(granted({ volumes: items }));
      }),
    );
  });
});

describe("a build", () => {
  const privileged = { profiles: ["build"], build: { privileged: true } };
  const builtOf = (services: Record<string, unknown>, builtImages: Record<string, string> = {}) => {
    const model = modelOf({ services, "x-sandbox-deploy": { builtImages } });
    return privilegesOfModel(model, host, ["app"]).map(({ service, detail }) => `${service}: ${detail}`);
  };

  test("of an image that no service runs holds what it is granted", () => {
    const services = {
      app: {},
      sandbox: { profiles: ["build"], build: { network: "host", entitlements: ["security.insecure"] } },
    };
    expect(builtOf(services, { sandbox: "sandbox:1" })).toEqual([
      "sandbox: network: host, during the image build",
      "sandbox: privileged image build",
    ]);
  });

  test("holds what the builds are granted that it starts from, in a circle too", () => {
    const from = (name: string) => ({ additional_contexts: { base: `service:${name}`, docs: "./docs" } });
    const services = {
      app: { build: from("middle") },
      middle: { profiles: ["build"], build: from("base") },
      base: { profiles: ["build"], build: { privileged: true, ...from("app") } },
    };
    expect(builtOf(services)).toEqual(["base: privileged image build"]);
  });

  test("of a service that is neither run nor built for one holds nothing, nor does anything else of it", () => {
    expect(builtOf({ app: {}, unused: { ...privileged, privileged: true } })).toEqual([]);
  });
});
