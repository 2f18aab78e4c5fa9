import type { Container } from "./container.ts";
import { folderOf } from "./stack.ts";
import { visibleLine } from "./visible-text.ts";

/**
 * Where a container was deployed from, as Compose's labels tell: the environment files that were named, or the Compose
 * files where none was. Folders that deploy the default stack share its Compose files, so those of the tool say nothing.
 */
export interface Origin {
  readonly kind: "environment" | "compose";
  readonly paths: readonly string[];
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
  const named = envFiles.filter((path) => path.startsWith("/") && path !== "/dev/null");
  if (named.length > 0) return { kind: "environment", paths: named };
  const own = configFiles.filter((path) => path.startsWith("/") && !path.startsWith(`${toolRoot}/compose/`));
  return own.length > 0 ? { kind: "compose", paths: own } : undefined;
}

/**
 * Whether a container was deployed from here. An environment file anywhere else below the folder may be that of a copy
 * within it; a Compose file there is one that this folder deploys, such as a vendor's checkout.
 */
export function isFromHere(id: string, { kind, paths }: Origin, { root, files, containers }: OwnPlaces): boolean {
  if (containers.includes(id)) return true;
  const isInside = (path: string) => (kind === "environment" ? folderOf(path) === root : path.startsWith(`${root}/`));
  return paths.some((path) => files.includes(path) || isInside(path));
}

/** Which containers were deployed from where, for messages. */
export function describeForeign({ names, files }: ForeignDeployment): string {
  return `${names.join(", ")} (deployed with ${files.map(visibleLine).join(", ")})`;
}
