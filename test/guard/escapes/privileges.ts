import { contained, create, type Escape, type Expectation, refused, type Table, type Unguarded } from "./escape.ts";
import type { World } from "./world.ts";

type Field = readonly [
  tries: string,
  why: string,
  host: (world: World) => Readonly<Record<string, unknown>>,
  expect: Expectation,
  unguarded?: Unguarded,
];

const newer: Unguarded = { none: "engine 20.10 knows no such field" };
const allowAll = JSON.stringify({ defaultAction: "SCMP_ACT_ALLOW" });
const device = (path: string) => ({ PathOnHost: path, PathInContainer: path, CgroupPermissions: "rwm" });

const fields: readonly Field[] = [
  [
    "privileged",
    "every capability and device: root on the host",
    () => ({ Privileged: true }),
    refused("host-config."),
  ],
  [
    "the capability SYS_ADMIN",
    "mount, and from there the host's disk",
    () => ({ CapAdd: ["SYS_ADMIN"] }),
    refused("host-config."),
  ],
  ["every capability", "root on the host", () => ({ CapAdd: ["ALL"] }), refused("host-config.")],
  [
    "a capability with its prefix",
    "CAP_SYS_PTRACE is SYS_PTRACE to the engine",
    () => ({ CapAdd: ["CAP_SYS_PTRACE"] }),
    refused("host-config."),
  ],
  [
    "a capability in lower case",
    "the engine upper-cases it",
    () => ({ CapAdd: ["sys_module"] }),
    refused("host-config."),
  ],
  [
    "the capability DAC_READ_SEARCH",
    "open_by_handle_at reads any file of the host's file system",
    () => ({ CapAdd: ["DAC_READ_SEARCH"] }),
    refused("host-config."),
  ],
  [
    "the capability NET_ADMIN",
    "changes routes and ARP answers on the shared network",
    () => ({ CapAdd: ["NET_ADMIN"] }),
    refused("host-config."),
  ],
  [
    "the capability MKNOD",
    "makes device files for the host's disks",
    () => ({ CapAdd: ["MKNOD"] }),
    refused("host-config."),
  ],
  [
    "the field Capabilities of old clients",
    "the exact set of capabilities in API 1.40",
    () => ({ Capabilities: ["CAP_SYS_ADMIN"] }),
    refused("host-config."),
    newer,
  ],
  [
    "the host's memory as a device",
    "reads and writes the kernel",
    () => ({ Devices: [device("/dev/mem")] }),
    refused("host-config."),
  ],
  [
    "the directory of all devices",
    "every disk of the host",
    () => ({ Devices: [device("/dev")] }),
    refused("host-config."),
  ],
  [
    "fuse as a device",
    "mounts file systems of its own",
    () => ({ Devices: [device("/dev/fuse")] }),
    refused("host-config."),
  ],
  [
    "kvm as a device",
    "virtual machines on the host",
    () => ({ Devices: [device("/dev/kvm")] }),
    refused("host-config."),
  ],
  [
    "a device by its CDI name",
    "hooks and mounts of the host's CDI files",
    () => ({ Devices: [device("vendor.com/class=all")] }),
    refused("host-config."),
  ],
  [
    "a device cgroup rule for all devices",
    "with mknod every disk of the host",
    () => ({ DeviceCgroupRules: ["a *:* rwm"] }),
    refused("host-config."),
  ],
  [
    "a device cgroup rule for disks",
    "with mknod the host's disk",
    () => ({ DeviceCgroupRules: ["b 8:0 rwm"] }),
    refused("host-config."),
  ],
  [
    "a request for all GPUs",
    "runs hooks of the GPU vendor as root",
    () => ({ DeviceRequests: [{ Driver: "nvidia", Count: -1, Capabilities: [["gpu"]] }] }),
    refused("host-config."),
  ],
  [
    "a request for CDI devices",
    "hooks and mounts of the host's CDI files",
    () => ({ DeviceRequests: [{ Driver: "cdi", DeviceIDs: ["vendor.com/class=all"] }] }),
    refused("host-config."),
  ],
  [
    "no seccomp profile",
    "every system call of the kernel",
    () => ({ SecurityOpt: ["seccomp=unconfined"] }),
    contained({}),
  ],
  [
    "no seccomp profile, the old spelling",
    "the engine splits at the colon as well",
    () => ({ SecurityOpt: ["seccomp:unconfined"] }),
    contained({}),
  ],
  [
    "a seccomp profile that allows everything",
    "the same as none",
    () => ({ SecurityOpt: [`seccomp=${allowAll}`] }),
    contained({}),
  ],
  [
    "the default seccomp profile by name",
    "a name that engines read differently",
    () => ({ SecurityOpt: ["seccomp=builtin"] }),
    contained({}),
  ],
  [
    "no AppArmor",
    "lifts what AppArmor forbids below /proc and /sys",
    () => ({ SecurityOpt: ["apparmor=unconfined"] }),
    refused("host-config."),
  ],
  [
    "an AppArmor profile of another program",
    "a profile that was written to allow more",
    () => ({ SecurityOpt: ["apparmor=lsb_release"] }),
    refused("host-config."),
  ],
  [
    "no SELinux label",
    "lifts what SELinux forbids",
    () => ({ SecurityOpt: ["label=disable"] }),
    refused("host-config."),
  ],
  [
    "an SELinux type of its own",
    "spc_t is a type without confinement",
    () => ({ SecurityOpt: ["label=type:spc_t"] }),
    refused("host-config."),
  ],
  [
    "system paths unmasked",
    "/proc/kcore and /proc/sysrq-trigger",
    () => ({ SecurityOpt: ["systempaths=unconfined"] }),
    refused("host-config."),
    { none: "the CLI turns it into empty path lists; engine 20.10 refuses it" },
  ],
  [
    "new privileges allowed",
    "set-user-id programs inside the image",
    () => ({ SecurityOpt: ["no-new-privileges=false"] }),
    contained(),
  ],
  [
    "new privileges allowed after they were forbidden",
    "the engine takes the last of two",
    () => ({ SecurityOpt: ["no-new-privileges", "no-new-privileges:false"] }),
    contained(),
  ],
  [
    "writable cgroups",
    "release_agent and device rules",
    () => ({ SecurityOpt: ["writable-cgroups=true"] }),
    refused("host-config."),
    { none: "engine 20.10 refuses it" },
  ],
  [
    "a security option that nobody knows",
    "a newer engine may",
    () => ({ SecurityOpt: ["future=on"] }),
    refused("host-config."),
    { none: "engine 20.10 refuses it" },
  ],
  ["nothing masked below /proc", "/proc/kcore is the host's memory", () => ({ MaskedPaths: [] }), contained()],
  [
    "one path masked below /proc",
    "what the list does not name is open",
    () => ({ MaskedPaths: ["/proc/acpi"] }),
    refused("host-config."),
  ],
  [
    "nothing read-only below /proc",
    "/proc/sysrq-trigger and /proc/sys are the host's",
    () => ({ ReadonlyPaths: [] }),
    contained(),
  ],
  [
    "a system setting of the kernel",
    "settings that are not namespaced are the host's",
    () => ({ Sysctls: { "kernel.msgmax": "65536" } }),
    refused("host-config."),
  ],
  [
    "a system setting of the network",
    "forwards packets of others",
    () => ({ Sysctls: { "net.ipv4.ip_forward": "1" } }),
    refused("host-config."),
  ],
  [
    "a runtime of its own choice",
    "a runtime that was registered to do more",
    () => ({ Runtime: "io.containerd.runtime.v1.linux" }),
    refused("host-config."),
  ],
  [
    "a runtime by a path",
    "containerd runs what it is given",
    () => ({ Runtime: "/tmp/evil" }),
    refused("host-config."),
    { none: "engine 20.10 refuses it as unknown" },
  ],
  [
    "annotations",
    "runtimes such as kata and crun take orders from them",
    () => ({ Annotations: { "io.katacontainers.config.hypervisor.path": "/tmp/evil" } }),
    refused("host-config."),
    newer,
  ],
  [
    "the host's docker group",
    "reads the engine's socket wherever it is bound",
    () => ({ GroupAdd: ["docker"] }),
    refused("host-config."),
  ],
  [
    "the host's group 0",
    "files of the image that only root's group may write",
    () => ({ GroupAdd: ["0"] }),
    refused("host-config."),
  ],
  [
    "an isolation of its own choice",
    "another way to run on Windows",
    () => ({ Isolation: "process" }),
    refused("host-config."),
    { none: "engine 20.10 refuses it on Linux" },
  ],
  [
    "a file that receives the id",
    "older engines wrote it on the host",
    () => ({ ContainerIDFile: "/etc/cron.d/x" }),
    refused("host-config."),
  ],
];

/** Fields that give a container rights of the host: capabilities, devices, security options, kernel settings, runtimes. */
export const privilegeEscapes: Table = (world) =>
  fields.map(
    ([tries, why, host, expect, unguarded = "effect"]): Escape => ({
      class: "privileges",
      tries: `to ask for ${tries}`,
      why,
      request: create(world, { host: host(world) }),
      expect,
      unguarded,
    }),
  );
