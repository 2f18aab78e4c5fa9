import { folderOf, relativePath } from "../stack/stack.ts";
import { visibleLine } from "../text/visible-text.ts";
import type { Container } from "./container.ts";

/** Where a container was deployed from, as Compose's labels tell; one of the two lists has an entry. */
export interface Origin {
  /** The environment files that were named. */
  readonly environment: readonly string[];
  /** The Compose files, less the tool's own: all folders that deploy the default stack share those. */
  readonly compose: readonly string[];
}

/** The places that make a deployment this folder's own; all paths are absolute and lead through no symbolic folder. */
export interface OwnPlaces {
  /** The folder of deploy.config.yaml. */
  readonly root: string;
  /** Environment and Compose files that the configuration or the last deployment from here names. */
  readonly files: readonly string[];
  /** Ids of containers that the last deployment from here verified. */
  readonly containers: readonly string[];
}

/** Containers of one project that were deployed from the same other place. */
export interface ForeignDeployment {
  /** The files that they were deployed with. */
  readonly files: readonly string[];
  readonly names: readonly string[];
  /** None of their folders is there any more: it was moved or removed, so that nobody can take the stack down from there. */
  readonly gone: boolean;
}

/** Reads the labels of a container; undefined where they do not tell one folder from another. */
export function originOf({ envFiles, configFiles }: Container, toolRoot: string): Origin | undefined {
  const environment = envFiles.filter((path) => path.startsWith("/") && path !== "/dev/null");
  const compose = configFiles.filter((path) => path.startsWith("/") && !path.startsWith(`${toolRoot}/compose/`));
  return environment.length + compose.length > 0 ? { environment, compose } : undefined;
}

/** The files that tell one folder's deployment from another's: those of the environment, or the Compose files without. */
export function tellingFiles({ environment, compose }: Origin): readonly string[] {
  return environment.length > 0 ? environment : compose;
}

/**
 * Whether a container was deployed from here. Two folders may share a vendor's Compose files, so that an environment file
 * decides where there is one: one in this folder, one that it names, or one below it beside Compose files below it, as
 * when a vendor's stack was started by hand in its checkout.
 */
export function isFromHere(id: string, { environment, compose }: Origin, own: OwnPlaces): boolean {
  const { root, files, containers } = own;
  if (containers.includes(id)) return true;
  const isBelow = (path: string) => relativePath(root, path) !== path;
  if (environment.length === 0) return compose.some((path) => files.includes(path) || isBelow(path));
  return (
    environment.some((path) => files.includes(path) || folderOf(path) === root) ||
    (environment.every(isBelow) && compose.some(isBelow))
  );
}

/** Which containers were deployed from where, for messages. */
export function describeForeign({ names, files }: ForeignDeployment): string {
  return `${names.join(", ")} (deployed with ${files.map(visibleLine).join(", ")})`;
}
