import { describe, expect, test } from "vitest";
import { granted, host } from "../../support/granted.ts";

const socket = "runtime-socket | /var/run/docker.sock";

describe("the options of a volume", () => {
  test.each<[string, Record<string, string>, string[]]>([
    ["bind the socket", { type: "none", o: "bind", device: "/var/run/docker.sock" }, [`${socket} (rw) | host-root`]],
    ["bind a folder read-only", { type: "none", o: "ro,bind", device: "/opt/x" }, ["host-bind | /opt/x (ro)"]],
    ["name nothing but a path", { device: "/opt/x" }, ["host-bind | /opt/x (rw) | host-files"]],
    [
      "bind a relative path, which starts at the root",
      { type: "none", o: "bind", device: "var/../etc" },
      ["host-bind | /etc (rw) | host-root"],
    ],
    [
      "mount a disk by a relative path",
      { type: "ext4", device: "./dev/sda1" },
      ["device | /dev/sda1 (mounted) | host-root"],
    ],
    ["mount a disk", { type: "ext4", device: "/dev/sda1" }, ["device | /dev/sda1 (mounted) | host-root"]],
    [
      "overlay folders of the host",
      { type: "overlay", o: "lowerdir=/etc:/opt/x,workdir=/w", device: "overlay" },
      ["host-bind | /etc (rw) | host-root", "host-bind | /opt/x (rw) | host-files"],
    ],
    ["mount the kernel's process table", { type: "proc", device: "proc" }, ["host-bind | /proc (rw) | host-root"]],
    ["mount a network share", { type: "nfs", o: "addr=10.0.0.1", device: ":/export" }, []],
    ["mount a Windows share", { type: "cifs", o: "username=x", device: "//server/share" }, []],
    ["mount memory", { type: "tmpfs", device: "tmpfs" }, []],
    ["are none", {}, []],
  ])("are seen through where they %s", (_what, driver_opts, expected) => {
    const service = { volumes: [{ type: "volume", source: "v", target: "/mnt" }] };
    expect(granted(service, { volumes: { v: { name: "demo_v", driver: "local", driver_opts } } })).toEqual(expected);
  });

  test("are not read as a path where another driver gets them", () => {
    const service = { volumes: [{ type: "volume", source: "v", target: "/mnt" }] };
    expect(granted(service, { volumes: { v: { driver: "ceph", driver_opts: { device: "/etc" } } } })).toEqual([]);
  });

  test("count for an external volume too, where the volume is known", () => {
    const volumes = [{ name: "shared", driver: "local", options: { type: "none", o: "bind", device: "/etc" } }];
    const service = { volumes: [{ type: "volume", source: "v", target: "/v" }] };
    const external = { volumes: { v: { name: "shared", external: true } } };
    expect(granted(service, external, { ...host, volumes })).toEqual(["host-bind | /etc (rw) | host-root"]);
  });
});

describe("a host path in disguise", () => {
  test.each<[string, Record<string, unknown>, Record<string, unknown>, string[]]>([
    [
      "a secret",
      { secrets: [{ source: "s" }] },
      { secrets: { s: { file: "/run/docker.sock" } } },
      [`${socket} (ro) | host-root`],
    ],
    [
      "a config",
      { configs: [{ source: "c" }] },
      { configs: { c: { file: "/etc/shadow" } } },
      ["host-bind | /etc/shadow (ro) | host-files"],
    ],
    [
      "a secret from elsewhere",
      { secrets: [{ source: "s" }] },
      { secrets: { s: { file: "/opt/s" } } },
      ["host-bind | /opt/s (ro)"],
    ],
    [
      "a file secret of the project, which is no news",
      { secrets: [{ source: "s" }] },
      { secrets: { s: { file: "/srv/demo/s" } } },
      [],
    ],
    [
      "a config of the project",
      { configs: [{ source: "c" }] },
      { configs: { c: { file: "/srv/demo/c" } } },
      ["host-bind | ./c (ro)"],
    ],
    ["a secret that is no file", { secrets: [{ source: "s" }] }, { secrets: { s: { environment: "S" } } }, []],
    [
      "a named pipe",
      { volumes: [{ type: "npipe", source: "\\\\.\\pipe\\docker_engine", target: "x" }] },
      {},
      ["runtime-socket | /pipe/docker_engine (rw) | host-root"],
    ],
    [
      "use_api_socket, which copies in the registry logins too",
      { use_api_socket: true },
      {},
      [
        `${socket} (rw) | host-root`,
        "credential-directory | the operator's registry logins, by use_api_socket | host-files",
      ],
    ],
    ["an image as a volume", { volumes: [{ type: "image", source: "/etc", target: "/b" }] }, {}, []],
    ["an anonymous volume", { volumes: [{ type: "volume", target: "/c" }] }, {}, []],
  ])("is seen through: %s", (_what, service, rest, expected) => {
    expect(granted(service, rest)).toEqual(expected);
  });
});
