import type { FindingCode } from "../findings/finding-codes.ts";
import type { Problem, Verdict } from "./check.ts";
import type { EngineReport } from "./engine-report.ts";

/** A hole that a version closes. */
interface Floor {
  readonly component: "Engine" | "Compose" | "runc" | "containerd";
  readonly cve: string;
  /** The first version of each line that has the fix; later lines have it as well. */
  readonly fixedIn: readonly string[];
  readonly what: string;
  /** Only where the engine asks authorization plugins. */
  readonly needsPlugin?: true;
}

/**
 * Known holes by which what runs in a container, or what is built or fetched, reaches the host. From the projects' own
 * advisories; a new one is one more line.
 */
export const floors: readonly Floor[] = [
  {
    component: "Engine",
    cve: "CVE-2024-23653",
    fixedIn: ["25.0.2"],
    what: "a build may run commands with more rights than it was given",
  },
  {
    component: "Engine",
    cve: "CVE-2026-41567",
    fixedIn: ["29.5.1"],
    what: "a compressed archive sent into a container can run that container's programs as root of the host",
  },
  {
    component: "Engine",
    cve: "CVE-2026-34040",
    fixedIn: ["29.3.1"],
    what: "a large request passes the authorization plugin unseen",
    needsPlugin: true,
  },
  {
    component: "runc",
    cve: "CVE-2024-21626",
    fixedIn: ["1.1.12"],
    what: "a container may start in a folder of the host",
  },
  {
    component: "runc",
    cve: "CVE-2025-31133, CVE-2025-52565, CVE-2025-52881",
    fixedIn: ["1.2.8", "1.3.3", "1.4.0"],
    what: "a container may write to files of the kernel and so leave",
  },
  {
    component: "containerd",
    cve: "CVE-2024-25621",
    fixedIn: ["1.7.29", "2.0.7", "2.1.5", "2.2.0"],
    what: "users of this machine may enter the folders of containers",
  },
  {
    component: "Compose",
    cve: "CVE-2025-62725",
    fixedIn: ["2.40.2"],
    what: "a Compose file that is fetched from a registry may write anywhere",
  },
];

/** Whether a version has the fix: it is on a line that has it from there on, or on a later line than all of them. */
export function isFixed(version: string, fixedIn: readonly string[]): boolean {
  const own = numbersOf(version);
  const firsts = fixedIn.map(numbersOf);
  const newest = firsts.toSorted(compare).at(-1) ?? [];
  const sameLine = firsts.some((first) => first[0] === own[0] && first[1] === own[1] && compare(own, first) >= 0);
  return sameLine || compare(own, newest) >= 0;
}

/** Whether a version is one of a distribution's packages, which often have a fix without its number. */
export function isDistributions(version: string): boolean {
  return /dfsg|[~+]ds|ubuntu|\+deb|\.(el|fc|amzn)\d|-\d+$/.test(version);
}

/** Holds the versions of engine, runtime and Compose against known holes, D202 to D204. */
export function judgeVersions(report: EngineReport, compose: string | undefined): Verdict {
  const used = [
    ...report.components.filter(({ name }) => name !== "Engine"),
    { name: "Engine", version: report.version },
    ...(compose === undefined ? [] : [{ name: "Compose", version: compose }]),
  ];
  const problems = used.flatMap(({ name, version }) => {
    const open = floors.filter(
      ({ component, fixedIn, needsPlugin }) =>
        component === name &&
        numbersOf(version).length > 0 &&
        !isFixed(version, fixedIn) &&
        (!needsPlugin || report.authorizationPlugins.length > 0),
    );
    return open.length === 0 ? [] : [versionProblem(name, version, open)];
  });
  return { text: "no known hole in engine, runtime or Compose", problems };
}

function versionProblem(name: string, version: string, open: readonly Floor[]): Problem {
  const packaged = isDistributions(version);
  const own = numbersOf(version);
  const next = open.flatMap(({ fixedIn }) => fixedIn.filter((each) => compare(numbersOf(each), own) > 0).slice(0, 1));
  const floor = next.toSorted((left, right) => compare(numbersOf(left), numbersOf(right)));
  const code = codes[name] ?? "D204";
  return {
    code,
    severity: packaged ? "info" : "warning",
    message: packaged
      ? `${name} ${version} is older than ${floor.at(-1)}, which closes known holes; as a package of the distribution it may have the fixes without the number`
      : `${name} ${version} has known holes, which ${floor.at(-1)} closes`,
    evidence: open.map(({ cve, what, fixedIn }) => `${cve} (closed in ${fixedIn.join(", ")}): ${what}`),
    fix: packaged
      ? packageFix(name, version)
      : `update it with the package manager it came from (${upstream[name] ?? name}), then restart the engine`,
  };
}

const codes: Readonly<Record<string, FindingCode>> = {
  Engine: "D202",
  Compose: "D203",
  runc: "D204",
  containerd: "D204",
};
/** What updates a package of the distribution that a version is of. */
function packageFix(name: string, version: string): string {
  if (/\.(el|fc|amzn)\d/.test(version))
    return `dnf upgrade --refresh ${rpmPackages[name] ?? name}\ndnf updateinfo list tells which holes are closed`;
  return `apt-get update && apt-get install --only-upgrade ${packages[name] ?? name}\napt-get changelog ${packages[name] ?? name} tells which holes it closes`;
}

const packages: Readonly<Record<string, string>> = { Engine: "docker.io", Compose: "docker-compose" };
const rpmPackages: Readonly<Record<string, string>> = { Engine: "moby-engine", Compose: "docker-compose" };
const upstream: Readonly<Record<string, string>> = {
  Engine: "docker-ce",
  Compose: "docker-compose-plugin",
  runc: "containerd.io brings runc",
  containerd: "containerd.io",
};

function numbersOf(version: string): number[] {
  return (/(\d+)\.(\d+)(?:\.(\d+))?/.exec(version)?.slice(1) ?? []).map((part) => Number(part ?? 0));
}

function compare(left: readonly number[], right: readonly number[]): number {
  for (let index = 0; index < 3; index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
