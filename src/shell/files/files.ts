import type { Stats } from "node:fs";
import { chmod, lstat, mkdir, readdir, readFile, readlink, realpath, rename, rm, stat, unlink } from "node:fs/promises";
import { userInfo } from "node:os";
import { dirname } from "node:path";
import { FileReadError, type FileStat, type Files, FileWriteError, notOwned } from "../../files.ts";
import type { ProcessTable } from "../../world.ts";
import { appendLines } from "./append-file.ts";
import { createAtomically, replaceAtomically, sweepLeftovers, systemCode, systemError } from "./atomic-write.ts";
import { keyedFingerprint } from "./fingerprint.ts";

/** Builds the real file operations. With `processes`, temporary files of writers that no longer live are swept away. */
export function createFiles(processes?: ProcessTable): Files {
  return {
    read: (path) => reading(path, undefined, () => readText(path)),
    fingerprint: (path, key) => reading(path, undefined, () => fingerprintOf(path, key)),
    stat: (path) => reading(path, undefined, async () => describe(await stat(path))),
    list: (directory) => reading(directory, [], async () => (await readdir(directory)).sort()),
    realPath: (path) => reading(path, undefined, () => realpath(path)),
    linkTarget: (path) => reading(path, undefined, () => linkTarget(path)),
    writeAtomic: (path, content, { mode = 0o600, own = false } = {}) =>
      writing(path, () => replaceAtomically(path, content, { mode, own }, processes)),
    createExclusive: (path, content, { mode = 0o600 } = {}) =>
      writing(path, () => createAtomically(path, content, mode, processes)),
    copy: (from, to, { mode } = {}) => copyFile(from, to, mode, processes),
    rename: (from, to) => writing(from, () => rename(from, to)),
    append: (path, text, { mode, limitBytes }) => writing(path, () => appendLines(path, text, mode, limitBytes)),
    makeDirectory: (path, mode) => writing(path, () => makeDirectory(path, mode)),
    sweep: (path) => writing(path, () => sweepLeftovers(path, processes)),
    remove: (path) => writing(path, () => removeFile(path)),
    removeTree: (path) => writing(path, () => rm(path, { recursive: true, force: true })),
  };
}

/** Turns an error of the operating system into FileWriteError; anything else is a bug and passes through. */
export async function writing<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = systemCode(error);
    throw code === undefined ? error : new FileWriteError(path, code, error);
  }
}

async function copyFile(from: string, to: string, mode: number | undefined, processes?: ProcessTable): Promise<void> {
  const found = await reading(from, undefined, async () => ({
    stats: await regularFile(from),
    bytes: await readFile(from),
  }));
  if (found === undefined) throw new FileReadError(from, "ENOENT");
  const { stats, bytes } = found;
  const options = mode === undefined ? { mode: stats.mode & 0o777, owner: stats } : { mode };
  await writing(to, () => replaceAtomically(to, bytes, { ...options, own: true }, processes));
}

async function reading<T, M>(path: string, missing: M, work: () => Promise<T>): Promise<T | M> {
  try {
    return await work();
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return missing;
    throw code === undefined ? error : new FileReadError(path, code, error);
  }
}

async function readText(path: string): Promise<string> {
  await regularFile(path);
  return decode(path, await readFile(path));
}

async function fingerprintOf(path: string, key: string): Promise<string> {
  await regularFile(path);
  return keyedFingerprint(key, await readFile(path));
}

/** A pipe or a device would never end, and no file that this tool reads is large. A directory fails by itself. */
async function regularFile(path: string): Promise<Stats> {
  const found = await stat(path);
  if (!found.isFile() && !found.isDirectory()) throw new FileReadError(path, "ENOTSUP");
  if (found.size > readLimitBytes) throw new FileReadError(path, "EFBIG");
  return found;
}

async function linkTarget(path: string): Promise<string | undefined> {
  return (await lstat(path)).isSymbolicLink() ? readlink(path) : undefined;
}

const readLimitBytes = 16 * 1024 * 1024;

function decode(path: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new FileReadError(path, "EILSEQ", error);
  }
}

function describe(stats: Stats): FileStat {
  const kind = stats.isFile() ? "file" : stats.isDirectory() ? "directory" : stats.isSocket() ? "socket" : "other";
  const { uid, gid, size, mtimeMs } = stats;
  return { kind, mode: stats.mode & 0o7777, uid, gid, size, mtimeMs };
}

/** Goes up by itself: Node's own recursion reports a read-only file system as a missing folder. */
async function makeDirectory(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path, { mode });
  } catch (error) {
    const code = systemCode(error);
    if (code === "EEXIST") return claim(path, mode);
    if (code !== "ENOENT" || dirname(path) === path) throw error;
    await makeDirectory(dirname(path), mode);
    return makeDirectory(path, mode);
  }
  // The umask may have taken bits away that a container's user needs.
  await chmod(path, mode);
}

/** A folder that was there before may be a link, somebody else's, or open to everyone: what is put there counts on it. */
async function claim(path: string, mode: number): Promise<void> {
  const found = await lstat(path);
  if (!found.isDirectory()) throw systemError("ENOTDIR", path);
  if (found.uid !== (ownUid() ?? found.uid)) throw systemError(notOwned, path);
  const present = found.mode & 0o777;
  if ((present & ~mode) !== 0) await chmod(path, present & mode);
}

/** The user this runs as; undefined where the system knows no name for it and therefore does not say. */
function ownUid(): number | undefined {
  try {
    return userInfo().uid;
  } catch {
    return undefined;
  }
}

async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
  }
}
