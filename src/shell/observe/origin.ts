import type { DeployConfig } from "../../core/config/config.ts";
import type { Container } from "../../core/containers/container.ts";
import {
  type ForeignDeployment,
  isFromHere,
  type OwnPlaces,
  originOf,
  tellingFiles,
} from "../../core/containers/origin.ts";
import { modes } from "../../core/detect/mode.ts";
import { composeFiles, folderOf, joinPath, type Territory } from "../../core/stack/stack.ts";
import { FileReadError } from "../../files.ts";
import type { World } from "../../world.ts";
import type { Receipt } from "../records/receipt.ts";

/** What tells that a deployment is this folder's. A configuration that cannot be read and a receipt of another project say nothing. */
export interface Belongings {
  readonly territory: Territory;
  readonly config: DeployConfig | undefined;
  /** The last deployment of the very project that the containers are of. */
  readonly receipt: Receipt | undefined;
}

/** Which containers of a project another folder deployed. Asks the file system only about those that carry another place's name. */
export async function foreignDeployments(
  world: World,
  belongings: Belongings,
  containers: readonly Container[],
): Promise<readonly ForeignDeployment[]> {
  const labelled = containers.flatMap((container) => {
    const origin = originOf(container, world.toolRoot);
    return origin === undefined ? [] : [{ container, origin }];
  });
  const places = ownPlaces(world, belongings);
  const strange = labelled.filter(({ container, origin }) => !isFromHere(container.id, origin, places));
  if (strange.length === 0) return [];
  const resolved = await resolvePlaces(world, places);
  const others = new Map<string, { readonly files: readonly string[]; readonly names: string[] }>();
  for (const { container, origin } of strange) {
    const [environment, compose] = await Promise.all(
      [origin.environment, origin.compose].map((paths) => Promise.all(paths.map((path) => throughLinks(world, path)))),
    );
    if (isFromHere(container.id, { environment: environment ?? [], compose: compose ?? [] }, resolved)) continue;
    const files = tellingFiles(origin);
    const known = others.get(files.join("\n"))?.names ?? [];
    others.set(files.join("\n"), { files, names: [...known, container.name] });
  }
  return Promise.all(
    [...others.values()].map(async ({ files, names }) => ({
      files,
      names: names.toSorted(),
      gone: !(await Promise.all(files.map((path) => isThere(world, folderOf(path))))).some((there) => there),
    })),
  );
}

function ownPlaces({ toolRoot, home }: World, { territory, config, receipt }: Belongings): OwnPlaces {
  const configured =
    config === undefined ? [] : modes.map((mode) => composeFiles(config, mode, territory, toolRoot, home));
  // A stack that was taken down since then may be somebody else's by now.
  const last = receipt !== undefined && receipt.services.length > 0 ? receipt : undefined;
  return {
    root: territory.root,
    files: [
      ...new Set([territory.envPath, ...configured.flat(), ...(last ? [last.stack.envPath, ...last.stack.files] : [])]),
    ],
    containers: last?.stack.containers ?? [],
  };
}

async function resolvePlaces(world: World, places: OwnPlaces): Promise<OwnPlaces> {
  const [root, ...files] = await Promise.all([
    throughLinks(world, joinPath(places.root, "x")),
    ...places.files.map((file) => throughLinks(world, file)),
  ]);
  return { ...places, root: folderOf(root), files };
}

/** A path whose folder is without symbolic links; the file itself may be one. */
async function throughLinks(world: World, path: string): Promise<string> {
  const folder = folderOf(path);
  const real = await unlessUnreadable(world.files.realPath(folder), folder);
  return joinPath(real ?? folder, path.slice(path.lastIndexOf("/") + 1));
}

/** What may not be looked at is there, and somebody else's. */
async function isThere(world: World, path: string): Promise<boolean> {
  return (await unlessUnreadable(world.files.stat(path), true)) !== undefined;
}

function unlessUnreadable<T, U>(reading: Promise<T>, instead: U): Promise<T | U> {
  return reading.catch((error: unknown) => {
    if (error instanceof FileReadError) return instead;
    throw error;
  });
}
