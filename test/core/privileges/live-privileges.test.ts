import { describe, expect, test } from "vitest";
import { privilegesOfContainers } from "../../../src/core/privileges/live-privileges.ts";
import type { PrivilegeContext } from "../../../src/core/privileges/privilege.ts";
import { host } from "../../support/granted.ts";
import { containersOf, type InspectedParts, inspected } from "../../support/inspected.ts";

function held(parts: InspectedParts, context: PrivilegeContext = host, ...others: unknown[]): string[] {
  return privilegesOfContainers(containersOf(inspected(parts), ...others), context)
    .filter(({ service }) => service === "app")
    .map(({ kind, detail, consent }) => [kind, detail, ...(consent === undefined ? [] : [consent])].join(" | "));
}

const bound = (Source: string, RW = true, Destination = "/mnt") => [
  { Type: "bind", Source, Destination, Mode: "", RW, Propagation: "rprivate" },
];
const database = { Id: "b".repeat(64), Name: "/demo-db-1", labels: { "com.docker.compose.service": "db" } };

describe("a container with", () => {
  test.each<[what: string, parts: InspectedParts, expected: string[]]>([
    ["nothing asked for", {}, []],
    [
      "the socket, read-only",
      { mounts: bound("/var/run/docker.sock", false) },
      ["runtime-socket | /var/run/docker.sock (ro) | host-root"],
    ],
    [
      "a folder of sockets",
      { mounts: bound("/run") },
      ["runtime-socket | /run (rw), holds runtime sockets | host-root"],
    ],
    ["a folder of the project", { mounts: bound("/srv/demo/data") }, ["host-bind | ./data (rw)"]],
    ["a file secret of the project", { mounts: bound("/srv/demo/.deploy/secrets/a", false, "/run/secrets/a") }, []],
    [
      "a plain volume",
      {
        mounts: [
          {
            Type: "volume",
            Name: "v",
            Source: "/var/lib/docker/volumes/v/_data",
            Destination: "/v",
            Driver: "local",
            RW: true,
          },
        ],
      },
      [],
    ],
    ["a tmpfs", { mounts: [{ Type: "tmpfs", Source: "", Destination: "/t", RW: true }] }, []],
    [
      "privileged, which drops its label",
      { hostConfig: { Privileged: true, SecurityOpt: ["label=disable"], MaskedPaths: null, ReadonlyPaths: null } },
      ["privileged | all capabilities and devices of the host | host-root"],
    ],
    [
      "the host's processes, which drop its label",
      { hostConfig: { PidMode: "host", SecurityOpt: ["label=disable"] } },
      ["host-namespace | pid: host | host-root"],
    ],
    [
      "the host's network",
      { hostConfig: { NetworkMode: "host" }, network: { Networks: { host: {} } } },
      ["host-namespace | network: host | host-network"],
    ],
    [
      "other namespaces of the host",
      { hostConfig: { IpcMode: "host", UTSMode: "host", UsernsMode: "host" } },
      [
        "host-namespace | ipc: host | host-root",
        "host-namespace | user: host | host-root",
        "host-namespace | uts: host | host-root",
      ],
    ],
    [
      "capabilities as the engine writes them",
      { hostConfig: { CapAdd: ["CAP_NET_BIND_SERVICE", "CAP_SYS_ADMIN"], CapDrop: ["ALL"] } },
      ["capability | SYS_ADMIN | host-root"],
    ],
    [
      "capabilities as a client wrote them",
      { hostConfig: { CapAdd: ["sys_admin"] } },
      ["capability | SYS_ADMIN | host-root"],
    ],
    [
      "a disk",
      { hostConfig: { Devices: [{ PathOnHost: "/dev/sda", PathInContainer: "/dev/x", CgroupPermissions: "r" }] } },
      ["device | /dev/sda (r) | host-root"],
    ],
    [
      "a rule for devices",
      { hostConfig: { DeviceCgroupRules: ["b 8:* rwm"] } },
      ["device | cgroup rule b 8:* rwm | host-root"],
    ],
    [
      "requested devices",
      {
        hostConfig: {
          DeviceRequests: [
            { Driver: "cdi", Count: 0, DeviceIDs: ["nvidia.com/gpu=all"], Capabilities: null },
            { Driver: "", Count: -1, DeviceIDs: null, Capabilities: [["gpu"]] },
          ],
        },
      },
      ["device | gpu (all)", "device | nvidia.com/gpu=all (cdi)"],
    ],
    ["the NVIDIA runtime", { hostConfig: { Runtime: "nvidia" } }, ["device | runtime nvidia"]],
    [
      "open system paths",
      { hostConfig: { MaskedPaths: [], ReadonlyPaths: [] } },
      ["security-option | systempaths=unconfined | host-root"],
    ],
    [
      "a profile given as text",
      { hostConfig: { SecurityOpt: ['seccomp={"defaultAction":"SCMP_ACT_ALLOW"}', "no-new-privileges:true"] } },
      ["security-option | seccomp=custom"],
    ],
    ["groups", { hostConfig: { GroupAdd: ["998"] } }, ["security-option | group 998"]],
    [
      "a port on every address",
      {
        hostConfig: { PortBindings: { "80/tcp": [{ HostIp: "", HostPort: "8080" }] } },
        network: {
          Ports: {
            "80/tcp": [
              { HostIp: "0.0.0.0", HostPort: "8080" },
              { HostIp: "::", HostPort: "8080" },
            ],
          },
        },
      },
      ["published-port | 0.0.0.0:8080 -> 80/tcp"],
    ],
    [
      "a random port",
      {
        hostConfig: { PortBindings: { "80/tcp": [{ HostIp: "", HostPort: "" }] } },
        network: { Ports: { "80/tcp": [{ HostIp: "0.0.0.0", HostPort: "32768" }] } },
      },
      ["published-port | 0.0.0.0:random -> 80/tcp"],
    ],
    [
      "all its ports published",
      { network: { Ports: { "80/tcp": [{ HostIp: "0.0.0.0", HostPort: "32768" }], "81/tcp": null } } },
      ["published-port | 0.0.0.0:random -> 80/tcp"],
    ],
    [
      "a port, though it is stopped",
      {
        state: { Status: "exited", Running: false },
        hostConfig: { PortBindings: { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "80" }] } },
      },
      ["published-port | 127.0.0.1:80 -> 80/tcp"],
    ],
    [
      "a Docker daemon on the host",
      { env: ["A=b", "DOCKER_HOST=tcp://box:2375"], hostConfig: { ExtraHosts: ["box:host-gateway"] } },
      ["runtime-socket | DOCKER_HOST tcp://box:2375 | host-root"],
    ],
    [
      "a kubeconfig by its variable",
      { env: ["KUBECONFIG=/k"], mounts: bound("/srv/demo/c", false, "/k") },
      ["kubeconfig | ./c (ro)"],
    ],
    [
      "a foreign container's volumes",
      { hostConfig: { VolumesFrom: ["other:ro"] } },
      ["host-bind | volumes of container other | host-files"],
    ],
  ])("%s holds exactly that", (_what, parts, expected) => {
    expect(held(parts)).toEqual(expected);
  });

  test("a volume that hides a host path holds the path, once the volume is known", () => {
    const mounts = [
      {
        Type: "volume",
        Name: "demo_v",
        Source: "/var/lib/docker/volumes/demo_v/_data",
        Destination: "/v",
        Driver: "local",
        RW: false,
      },
    ];
    const volumes = [
      { name: "demo_v", driver: "local", options: { type: "none", o: "bind", device: "/var/run/docker.sock" } },
    ];
    expect(held({ mounts }, { ...host, volumes })).toEqual(["runtime-socket | /var/run/docker.sock (ro) | host-root"]);
    expect(held({ mounts })).toEqual([]);
  });

  test("another's namespaces names the service, or the container, by id", () => {
    const hostConfig = { PidMode: `container:${database.Id}`, NetworkMode: `container:${"c".repeat(64)}` };
    const others = [{ id: "c".repeat(64), name: "theirs", mounts: [] }];
    expect(held({ hostConfig }, { ...host, others }, inspected(database))).toEqual([
      "host-namespace | network: container theirs | host-network",
      "host-namespace | pid: service db",
    ]);
    expect(held({ hostConfig }, host, inspected(database))[0]).toBe(
      `host-namespace | network: container ${"c".repeat(64)} | host-network`,
    );
  });

  test("volumes of another service holds only what is mounted", () => {
    expect(held({ hostConfig: { VolumesFrom: [database.Id] } }, host, inspected(database))).toEqual([]);
  });

  test("the host's cgroups holds them where that is not what every container has", () => {
    expect(held({ hostConfig: { CgroupnsMode: "host" } }, { ...host, cgroupVersion: 2 })).toEqual([
      "host-namespace | cgroup: host | host-root",
    ]);
    expect(held({ hostConfig: { CgroupnsMode: "host" } }, { ...host, cgroupVersion: 1 })).toEqual([]);
  });

  test("an address on the host's own network has every port there", () => {
    const known = new Map([["lan", { driver: "macvlan", project: undefined }]]);
    expect(held({ network: { Networks: { lan: {} } } }, { ...host, networks: known })).toEqual([
      "published-port | every port, on macvlan network lan",
    ]);
  });
});

describe("the privileges of containers", () => {
  test("count replicas once and call what Compose did not make a sandbox", () => {
    const hostConfig = { PidMode: "host" };
    const containers = containersOf(
      inspected({ hostConfig, Name: "/demo-app-1" }),
      inspected({ hostConfig, Name: "/demo-app-2", Id: "d".repeat(64) }),
      inspected({ hostConfig, labels: { "sandbox-deploy.role": "sandbox" }, Id: "e".repeat(64) }),
    );
    expect(privilegesOfContainers(containers, host).map(({ service }) => service)).toEqual(["app", "sandbox"]);
  });
});
