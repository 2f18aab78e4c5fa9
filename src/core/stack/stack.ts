import type { DeployConfig } from "../config/config.ts";
import type { Lent } from "../credentials/credential.ts";
import { type Detection, type Mode, modes } from "../detect/mode.ts";
import type { PublicValues } from "../public/public-findings.ts";
import { type TlsStack, tlsOverlays } from "../public/tls-stack.ts";

/** Where the operator's files are; all paths are absolute. */
export interface Territory {
  /** The folder of deploy.config.yaml, against which its paths are resolved. */
  readonly root: string;
  readonly configPath: string;
  readonly envPath: string;
  readonly platformConfigPath: string;
  /** The tool's own state, 0700. */
  readonly statePath: string;
  /** File secrets as containers mount them, derived from the environment file. */
  readonly secretsPath: string;
  readonly kubeconfigPath: string;
  /** The policy as the guard's container mounts it, derived from preset and configuration. */
  readonly guardPolicyPath: string;
  /** The host's Docker socket. */
  readonly socketPath: string;
}

/** Which images a stack runs: built on published bases, or made here from Debian packages. */
export type ImageSource = "registry" | "local";

/** What is deployed: the Compose files of one mode and the variables that the tool itself sets for them. */
export interface Stack {
  readonly project: string;
  readonly detection: Detection;
  readonly files: readonly string[];
  readonly envPath: string;
  readonly images: ImageSource;
  /** Variables that override the operator's for Compose; they hold paths and image names, no secrets. */
  readonly variables: Readonly<Record<string, string>>;
  /** Services of the files that must not run in this mode. */
  readonly excluded: readonly string[];
  /** What the guard lets through, where the stack has one. */
  readonly guardPolicy?: string;
  /** What its front door needs, where that has TLS. */
  readonly tls?: TlsStack;
  /** Logins of the operator that services get, where the configuration lends any. */
  readonly lent?: readonly Lent[];
  /** The public URL, where services learn of it or there is TLS. */
  readonly published?: PublicValues;
}

/** Resolves a path of the configuration: `~/` is the home, a relative one starts at the configuration's folder. */
export function resolvePath(root: string, home: string, path: string): string {
  if (path === "~") return home;
  if (path.startsWith("~/")) return joinPath(home, path.slice(2));
  return path.startsWith("/") ? joinPath("/", path) : joinPath(root, path);
}

/** Joins and normalises; `..` steps out, `.` and empty parts vanish. */
export function joinPath(base: string, path: string): string {
  const parts: string[] = [];
  for (const part of `${base}/${path}`.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}

/** The part of a path before its last slash. */
export function folderOf(path: string): string {
  return joinPath(path, "..");
}

/** A path as people read it: from a folder on where it lies below that folder, else whole. */
export function relativePath(root: string, path: string): string {
  const inside = root === "/" ? "/" : `${root}/`;
  return path.startsWith(inside) ? path.slice(inside.length) : path;
}

/** Lays out the operator's files around a configuration. */
export function territoryOf(config: DeployConfig, configPath: string, home: string, envFile?: string): Territory {
  const root = folderOf(configPath);
  const at = (path: string) => resolvePath(root, home, path);
  return {
    root,
    configPath,
    envPath: at(envFile ?? config.compose.envFile),
    platformConfigPath: at(config.platform.config),
    statePath: joinPath(root, ".deploy"),
    secretsPath: joinPath(root, ".deploy/secrets"),
    kubeconfigPath: at(config.sandbox.kubeconfig),
    guardPolicyPath: joinPath(root, ".deploy/guard/policy.yaml"),
    socketPath: at(config.sandbox.docker.socket),
  };
}

const builtInBase = "compose/docker-compose.yaml";

/** The overlays of the default stack. */
function builtInOverlays(config: DeployConfig, mode: Mode): readonly string[] {
  switch (mode) {
    case "local":
      return [];
    case "aio":
      return [`compose/docker-compose.${config.sandbox.docker.access === "raw" ? "dood-raw" : "dood"}.yaml`];
    case "provisioner":
      return ["compose/docker-compose.provisioner.yaml"];
  }
}

/** The Compose files of a mode, in the order in which Compose merges them. */
export function composeFiles(
  config: DeployConfig,
  mode: Mode,
  territory: Territory,
  toolRoot: string,
  home: string,
): string[] {
  const { base, overlays } = config.compose;
  const own = (paths: readonly string[]) => paths.map((path) => resolvePath(territory.root, home, path));
  const shipped = (paths: readonly string[]) => paths.map((path) => joinPath(toolRoot, path));
  const forMode = overlays[mode];
  return [
    ...(base === undefined ? shipped([builtInBase]) : own([base])),
    ...(forMode === undefined ? (base === undefined ? shipped(builtInOverlays(config, mode)) : []) : own(forMode)),
    ...(base === undefined ? shipped(tlsOverlays(config).map((name) => `compose/${name}`)) : []),
    ...own(overlays.always),
  ];
}

/** Whether the files bring the guard: an operator's own base may name its overlay as well. */
export function hasGuard(files: readonly string[], toolRoot: string): boolean {
  return files.includes(joinPath(toolRoot, "compose/docker-compose.dood.yaml"));
}

/** The profile of services that are built and never started. */
export const buildProfile = "build";

/** Services that the configuration ties to another mode than this one. */
export function excludedServices(config: DeployConfig, mode: Mode): string[] {
  const mine = config.compose.onlyIn[mode] ?? [];
  return modes
    .flatMap((other) => (other === mode ? [] : (config.compose.onlyIn[other] ?? [])))
    .filter((name) => !mine.includes(name));
}

/** The image variables of the default stack when its images are made locally. */
export function localImageVariables(version: string): Record<string, string> {
  const names = ["gateway", "guard", "proxy", "store", "sandbox"];
  return Object.fromEntries(
    names.map((name) => [`${name.toUpperCase()}_IMAGE`, `sandbox-deploy/${name}:${version}-local`]),
  );
}
