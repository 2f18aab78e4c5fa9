import type { HostBind } from "../privileges/host-bind.ts";
import { joinPath } from "./stack.ts";

/** Host paths and block devices that the options of a local volume bring into a container. */
export interface VolumeReach {
  readonly binds: readonly Omit<HostBind, "target">[];
  readonly devices: readonly string[];
}

/** Kernel file systems that show the same as a path of the host. */
const kernelPaths: Readonly<Record<string, string>> = {
  proc: "/proc",
  sysfs: "/sys",
  devtmpfs: "/dev",
  cgroup: "/sys/fs/cgroup",
  cgroup2: "/sys/fs/cgroup",
  debugfs: "/sys/kernel/debug",
  tracefs: "/sys/kernel/tracing",
  securityfs: "/sys/kernel/security",
  bpf: "/sys/fs/bpf",
};

/** Reads the options of the `local` driver, which are those of mount(8): `type`, `device` and `o`. */
export function volumeReach(driver: string | undefined, options: Readonly<Record<string, string>>): VolumeReach {
  const { type = "none", device = "", o = "" } = options;
  if (driver !== undefined && driver !== "" && driver !== "local") return { binds: [], devices: [] };
  const flags = o.split(",").map((flag) => flag.trim());
  const writable = !flags.includes("ro");
  const bound = (sources: readonly string[]): VolumeReach => ({
    binds: sources.map((source) => ({ source, writable })),
    devices: [],
  });
  if (flags.includes("bind") || flags.includes("rbind") || ["none", "bind", "rbind", ""].includes(type))
    return bound(device === "" ? [] : [fromRoot(device)]);
  if (type === "overlay") return bound(overlayPaths(flags));
  const kernelPath = kernelPaths[type];
  if (kernelPath !== undefined) return bound([kernelPath]);
  const isFile = device.startsWith("/") ? !device.startsWith("//") : /^(\.{1,2}\/)*dev\//.test(device);
  return { binds: [], devices: isFile ? [fromRoot(device)] : [] };
}

/** The engine mounts from its own working folder, which is the root. */
function fromRoot(device: string): string {
  return /^(\/|[a-z]:)/i.test(device) ? device : joinPath("/", device);
}

function overlayPaths(flags: readonly string[]): string[] {
  return flags.flatMap((flag) => /^(?:lowerdir|upperdir)=(.*)$/.exec(flag)?.[1]?.split(":") ?? []);
}
