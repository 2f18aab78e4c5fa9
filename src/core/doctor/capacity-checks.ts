import { lowDisk, lowMemory } from "../plan/plan.ts";
import { type Limits, limitKeys, limitNames } from "../stack/limits.ts";
import type { ComposeModel } from "../stack/model.ts";
import { copiedWord } from "../text/copied-word.ts";
import { bytesText, gibibyte, mebibyte } from "./bytes-text.ts";
import type { Problem, Verdict } from "./check.ts";
import type { EngineReport } from "./engine-report.ts";

/** What a service of the stack may use at most. */
export interface ServiceLimits {
  readonly service: string;
  /** How many containers of it there are. */
  readonly count: number;
  readonly limits: Limits;
}

/** The limits of the services that start. */
export function serviceLimits(model: ComposeModel, excluded: readonly string[]): ServiceLimits[] {
  return Object.entries(model.services)
    .filter(([name, { replicas, provider }]) => replicas > 0 && provider === undefined && !excluded.includes(name))
    .map(([service, { replicas, settings }]) => ({ service, count: replicas, limits: settings.limits }));
}

/** Whether the kernel holds the limits that the stack counts on, D208. Without a stack, all kinds of them. */
export function judgeLimits(report: EngineReport, services: readonly ServiceLimits[] | undefined): Verdict {
  const { enforced, cgroupVersion, cgroupDriver, rootless } = report;
  const wanted = limitKeys.filter(
    (key) => services === undefined || services.some(({ limits }) => limits[key] !== undefined),
  );
  const missing = wanted.filter((key) => !enforced[key]);
  const text = `cgroup v${cgroupVersion || "?"}, all limits are enforced`;
  if (missing.length === 0) return { text, problems: [] };
  const users = services?.filter(({ limits }) => missing.some((key) => limits[key] !== undefined)) ?? [];
  const problem: Problem = {
    code: "D208",
    severity: "warning",
    message: `the kernel does not enforce every limit, so that a container may take more than its ${missing.map((key) => limitNames[key]).join(", ")}`,
    evidence: [
      `docker info: cgroup v${cgroupVersion || "?"}, driver ${cgroupDriver || "?"}${rootless ? ", rootless" : ""}`,
      ...(users.length === 0 ? [] : [`services with such a limit: ${users.map(({ service }) => service).join(", ")}`]),
    ],
    fix: limitsFix(missing, report),
  };
  return { text, problems: [problem] };
}

function limitsFix(missing: readonly string[], { rootless, cgroupVersion }: EngineReport): string {
  if (rootless)
    return cgroupVersion === "2"
      ? "delegate the controllers to your user: Delegate=cpu cpuset io memory pids in /etc/systemd/system/user@.service.d/delegate.conf, then systemctl daemon-reload and log in again"
      : "a rootless engine enforces limits only with cgroup v2: boot with systemd.unified_cgroup_hierarchy=1";
  if (missing.every((key) => key === "memoryAndSwap"))
    return 'add "cgroup_enable=memory swapaccount=1" to GRUB_CMDLINE_LINUX in /etc/default/grub, then: update-grub && reboot';
  return 'add "cgroup_enable=memory swapaccount=1" to the kernel\'s command line and start the machine anew; on a Raspberry Pi in /boot/firmware/cmdline.txt';
}

/** Storage drivers that the engine's makers recommend, or that work without copying whole files. */
const goodDrivers = ["overlay2", "overlayfs", "fuse-overlayfs", "btrfs", "zfs", "stargz"];

/** Whether images and containers are stored in a way that works and lasts, D209. */
export function judgeStorage({ driver, driverStatus, dataRoot }: EngineReport): Verdict {
  const backing = driverStatus.get("Backing Filesystem") ?? driverStatus.get("driver-type") ?? "?";
  const text = `${driver} on ${backing}`;
  const evidence = [`docker info: storage driver ${text}, in ${dataRoot}`];
  const fix =
    'set "storage-driver": "overlay2" in /etc/docker/daemon.json on ext4, or on xfs made with ftype=1, then restart the engine; images have to be made or pulled again';
  if (driverStatus.get("Supports d_type") === "false") {
    const message = `${driver} lies on a file system without d_type: files of images may vanish or come back`;
    return { text, problems: [{ code: "D209", severity: "error", message, evidence, fix }] };
  }
  if (driver === "" || goodDrivers.includes(driver)) return { text, problems: [] };
  const message = `the storage driver ${driver} is slow and takes much space: each layer is a whole copy, or the driver is no longer maintained`;
  return { text, problems: [{ code: "D209", severity: "warning", message, evidence, fix }] };
}

/** Free space of a file system. */
export interface Space {
  readonly what: "data" | "project";
  readonly path: string;
  /** Bytes that this user may still write. */
  readonly free: number;
  readonly size: number;
  /** Inodes that are left; undefined where the file system does not count them. */
  readonly inodes: number | undefined;
}

/** What the disk has to have room for. */
export interface DiskNeeds {
  /** Some image of the stack is not there yet, or which ones it needs is not known. */
  readonly imagesMissing: boolean;
}

const floorsOf = ({ imagesMissing }: DiskNeeds) => ({
  data: { least: imagesMissing ? 2 * gibibyte : 256 * mebibyte, enough: imagesMissing ? 6 * gibibyte : 2 * gibibyte },
  project: { least: 16 * mebibyte, enough: 256 * mebibyte },
});
const fewInodes = 20_000;

/** Whether there is room for images, containers and the tool's own files, D210. */
export function judgeDisk(spaces: readonly Space[], needs: DiskNeeds): Verdict {
  const text = spaces.map(({ path, free }) => `${bytesText(free)} free in ${path}`).join(", ");
  return { text, problems: spaces.flatMap((space) => [...spaceProblems(space, needs), ...inodeProblems(space)]) };
}

function spaceProblems({ what, path, free, size }: Space, needs: DiskNeeds): Problem[] {
  const { least, enough } = floorsOf(needs)[what];
  if (free >= enough) return [];
  const severe = free < least;
  const why =
    what === "project"
      ? "the tool's own files"
      : needs.imagesMissing
        ? "the images that are still to come"
        : "containers, their logs and data";
  return [
    {
      code: "D210",
      severity: severe ? "error" : "warning",
      message: `${severe ? "too little" : "little"} disk space for ${why}: ${bytesText(free)} free in ${path}`,
      evidence: [
        `df ${path}: ${bytesText(free)} of ${bytesText(size)} free; ${bytesText(severe ? least : enough)} would do`,
      ],
      fix:
        what === "data"
          ? "docker system df\nshows what takes it; docker builder prune and docker image prune give back what nothing uses"
          : `du -xh ${copiedWord(path)} | sort -h | tail\nshows what takes it`,
      ...(severe ? { acceptName: lowDisk } : {}),
    },
  ];
}

function inodeProblems({ path, inodes }: Space): Problem[] {
  if (inodes === undefined || inodes >= fewInodes) return [];
  return [
    {
      code: "D210",
      severity: "warning",
      message: `the file system of ${path} has room for only ${inodes} more files; images hold tens of thousands`,
      evidence: [`df -i ${path}: ${inodes} inodes free`],
      fix: "docker builder prune && docker image prune\nremove files that nothing uses",
    },
  ];
}

/** What memory the machine has, in bytes; what is available now only where the engine is on this machine. */
export interface MemoryFacts {
  readonly total: number;
  readonly available: number | undefined;
}

/** Whether the machine has the memory that the stack's limits allow it to use, D211. */
export function judgeMemory({ total, available }: MemoryFacts, services: readonly ServiceLimits[]): Verdict {
  const limited = services.flatMap(({ service, count, limits: { memory } }) =>
    memory === undefined ? [] : [{ service, memory: memory * count, each: memory }],
  );
  const sum = limited.reduce((all, { memory }) => all + memory, 0);
  const unlimited = services.filter(({ limits }) => limits.memory === undefined).map(({ service }) => service);
  const use = `; the stack may use ${bytesText(sum)}${unlimited.length === 0 ? "" : " and more"}`;
  // Of a stack that is not known nothing is said.
  const text = `${bytesText(total)}${services.length === 0 ? "" : use}`;
  const evidence = [
    `the machine has ${bytesText(total)}${available === undefined ? "" : `, ${bytesText(available)} of it available now`}`,
    `limits: ${limited.map(({ service, memory }) => `${service} ${bytesText(memory)}`).join(", ")}`,
    ...(unlimited.length === 0 ? [] : [`without a limit: ${unlimited.join(", ")}`]),
  ];
  const fix =
    "free -h\nshows what is left; lower mem_limit of the services in an overlay, or use a machine with more memory";
  const larger = limited.filter(({ each }) => each > total).map(({ service }) => service);
  if (total > 0 && larger.length > 0) {
    const message = `${larger.join(", ")} may use more memory than the machine has: the kernel would end other programs first`;
    return { text, problems: [{ code: "D211", severity: "error", message, evidence, fix, acceptName: lowMemory }] };
  }
  if (total > 0 && sum > total) {
    const message = `the stack's limits add up to ${bytesText(sum)}, more than the ${bytesText(total)} of this machine`;
    return { text, problems: [{ code: "D211", severity: "warning", message, evidence, fix }] };
  }
  if (available !== undefined && available < Math.min(sum, 256 * mebibyte)) {
    const message = `only ${bytesText(available)} of memory are available now; the stack may use ${bytesText(sum)}`;
    return { text, problems: [{ code: "D211", severity: "warning", message, evidence, fix }] };
  }
  return { text, problems: [] };
}
