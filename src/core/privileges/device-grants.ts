import { joinPath } from "../stack/stack.ts";
import { canonicalPath } from "./host-path.ts";
import type { Grant, PrivilegeContext } from "./privilege.ts";

/** A device of the host inside a container. */
export interface DeviceMapping {
  readonly source: string;
  /** Letters out of `rwm`; empty means all. */
  readonly permissions: string;
}

/** Devices asked for by what they can do, such as GPUs; a count of -1 means all. */
export interface DeviceRequest {
  readonly driver: string;
  readonly count: number;
  readonly ids: readonly string[];
  readonly capabilities: readonly string[];
}

/** Disks, memory and I/O ports: whoever reads or writes them has the host. */
const hostDevice =
  /^\/dev(\/(sd[a-z]|hd[a-z]|vd[a-z]|xvd|nvme|mmcblk|dm-|md\d|md\/|loop|mapper|disk|block|root|ram|nbd|rbd|zd|sr\d|sg\d|bsg|mtd|zvol|mem$|kmem$|port$|nvram$|autofs$).*)?$/;
/** Character devices that give nothing of the host away, by major number: null, zero, full and random; ttys; GPUs. */
const harmlessCharacters: Readonly<Record<number, readonly number[] | "all">> = {
  1: [3, 5, 7, 8, 9],
  5: [0, 1, 2],
  136: "all",
  195: "all",
  226: "all",
};

/** Docker leaves MKNOD in place, so a rule is enough to open a device: every rule counts but those for harmless ones. */
function ruleReachesHost(rule: string): boolean {
  const [, type, major = "", minor = ""] = /^([abc])\s+(\*|\d+):(\*|\d+)(?:\s|$)/.exec(rule.trim()) ?? [];
  if (type !== "c" || major === "*") return true;
  const minors = harmlessCharacters[Number(major)];
  return minors !== "all" && (minors === undefined || minor === "*" || !minors.includes(Number(minor)));
}

/** Devices by mapping, by cgroup rule, by request, and those that the NVIDIA runtime brings. Symlinks count as their ends. */
export function deviceGrants(
  devices: readonly DeviceMapping[],
  rules: readonly string[],
  requests: readonly DeviceRequest[],
  runtime: string | undefined,
  context: Pick<PrivilegeContext, "realPaths">,
): Grant[] {
  const device = (detail: string, reachesHost: boolean): Grant => ({
    kind: "device",
    detail,
    ...(reachesHost ? { consent: "host-root" } : {}),
  });
  return [
    ...devices.map(({ source, permissions }) => {
      const path = joinPath("/", source);
      const reachesHost = [path, canonicalPath(path, context)].some((each) => hostDevice.test(each));
      return device(`${path} (${permissions === "" ? "rwm" : permissions})`, reachesHost);
    }),
    ...rules.map((rule) => device(`cgroup rule ${rule}`, ruleReachesHost(rule))),
    ...requests.map((request) => device(requestDetail(request), false)),
    ...(runtime === "nvidia" ? [{ ...device("runtime nvidia", false), unseen: true } as const] : []),
  ];
}

function requestDetail({ driver, count, ids, capabilities }: DeviceRequest): string {
  if (driver === "cdi") return `${[...ids].sort().join(", ")} (cdi)`;
  const what = capabilities.length === 0 ? "gpu" : [...capabilities].sort().join("+");
  return `${what} (${ids.length > 0 ? `id ${[...ids].sort().join(", ")}` : count === -1 ? "all" : count})`;
}
