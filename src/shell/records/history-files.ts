import { sourceFolder } from "../../core/credentials/credential.ts";
import type { DeploymentRecord } from "../../core/deployment/deployment.ts";
import { isWithin } from "../../core/privileges/host-path.ts";
import type { ComposeModel } from "../../core/stack/model.ts";
import { folderOf, joinPath, type Stack, type Territory } from "../../core/stack/stack.ts";
import { FileReadError } from "../../files.ts";
import type { World } from "../../world.ts";
import { keyedFingerprint, sha256 } from "../files/fingerprint.ts";

/** What decides which files a record keeps. */
export interface KeptFrom {
  readonly territory: Territory;
  readonly stack: Stack;
  /** Where the sources of an earlier deployment that runs again are kept, by their own paths; left out for those of now. */
  readonly kept?: ReadonlyMap<string, string>;
}

/** Larger files that a container mounts are data rather than configuration. */
const mountedBytesMax = 1024 * 1024;

/** A file that decides what is deployed, and a hash of it that gives no secret away. */
interface Source {
  readonly path: string;
  readonly text: string;
  readonly hash: string;
  /** Its name among the copies of a record. */
  readonly copy: string;
}

/** Reads the files that decide what is deployed, as they are now; what is missing or cannot be read is left out. */
export async function readSources(world: World, key: string, { territory, stack, kept }: KeptFrom): Promise<Source[]> {
  const { configPath, platformConfigPath } = territory;
  const paths = kept?.keys() ?? new Set([configPath, stack.envPath, platformConfigPath, ...stack.files]);
  const read = await Promise.all(
    [...paths].map(async (path, index): Promise<Source[]> => {
      const from = kept?.get(path) ?? path;
      const text = await world.files.read(from).catch(leftOut);
      if (text === undefined) return [];
      // Who sees a plain hash of secrets could try out what they are.
      const hash = from === stack.envPath ? keyedHash(key, text) : plainHash(text);
      return [{ path, text, hash, copy: copyName(path, index) }];
    }),
  );
  return read.flat();
}

/** Whether the copy of a source is still what was kept; one that is gone or cannot be read is not. */
export async function isWhole(world: World, key: string, copyPath: string, hash: string): Promise<boolean> {
  const text = await world.files.read(copyPath).catch(leftOut);
  return text !== undefined && [keyedHash(key, text), plainHash(text)].includes(hash);
}

function keyedHash(key: string, text: string): string {
  return `hmac-sha256:${keyedFingerprint(key, text)}`;
}

function plainHash(text: string): string {
  return `sha256:${sha256(text)}`;
}

/** Copies the files that decide what is deployed. */
export async function keepSources(
  world: World,
  folder: string,
  key: string,
  from: KeptFrom,
): Promise<DeploymentRecord["sources"]> {
  const sources = await readSources(world, key, from);
  await world.files.makeDirectory(folder, 0o700);
  await Promise.all(
    sources.map(({ copy, text }) => world.files.writeAtomic(joinPath(folder, copy), text, { mode: 0o600, own: true })),
  );
  return sources.map(({ path, hash, copy }) => ({ path, hash, copy }));
}

/** Copies the small files of the host that these services mount, with mode and owner: a container must be able to read a copy as well. */
export async function keepMounted(
  world: World,
  folder: string,
  key: string,
  { territory, stack }: KeptFrom,
  model: ComposeModel,
  services: readonly string[],
): Promise<DeploymentRecord["mounted"]> {
  await world.files.makeDirectory(folder, 0o700);
  const kept = await Promise.all(
    mountedFiles(model, services, ownFolders(territory, stack), [
      territory.platformConfigPath,
      territory.kubeconfigPath,
    ]).map(async (path, index) => {
      const stat = await world.files.stat(path).catch(leftOut);
      if (stat?.kind !== "file" || stat.size > mountedBytesMax) return [];
      const copy = copyName(path, index);
      const isCopied = await world.files.copy(path, joinPath(folder, copy)).then(() => true, leftOut);
      const hash = isCopied ? await world.files.fingerprint(joinPath(folder, copy), key).catch(leftOut) : undefined;
      return hash === undefined ? [] : [{ path, copy, hash }];
    }),
  );
  return kept.flat();
}

/** What lies elsewhere, such as `/etc/localtime`, is the host's own and no part of a deployment. */
function ownFolders(territory: Territory, { files }: Stack): string[] {
  return [territory.root, ...files.map(folderOf)];
}

function mountedFiles(
  model: ComposeModel,
  services: readonly string[],
  folders: readonly string[],
  known: readonly string[],
): string[] {
  const running = services.flatMap((name) => model.services[name] ?? []);
  const declared = running.flatMap(({ secrets, configs }) => [
    ...secrets.flatMap(({ source }) => model.secrets[source]?.file ?? []),
    ...configs.flatMap(({ source }) => model.configs[source]?.file ?? []),
  ]);
  const binds = running.flatMap(({ volumes }) =>
    // A login that is lent stays where it is: no copy of it outlives its use.
    volumes.flatMap(({ type, source, target }) =>
      type === "bind" && source && !isWithin(target, sourceFolder) ? [source] : [],
    ),
  );
  const own = binds.filter((path) => known.includes(path) || folders.some((folder) => isWithin(path, folder)));
  return [...new Set([...declared, ...own])].toSorted();
}

/** A plain name that tells people which file it is; the number tells two of the same name apart. */
function copyName(path: string, index: number): string {
  const name = path.slice(path.lastIndexOf("/") + 1).replace(/[^A-Za-z0-9_.-]/g, "_");
  return `${String(index + 1).padStart(2, "0")}-${name}`;
}

function leftOut(error: unknown): undefined {
  if (!(error instanceof FileReadError)) throw error;
}
