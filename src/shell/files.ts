import type { Stats } from "node:fs";
import { chmod, mkdir, readdir, readFile, realpath, stat, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { FileReadError, type FileStat, type Files, FileWriteError } from "../files.ts";
import type { ProcessFacts } from "../world.ts";
import { createAtomically, replaceAtomically, systemCode } from "./atomic-write.ts";

/** Builds the real file operations. With `processes`, temporary files of writers that no longer live are swept away. */
export function createFiles(processes?: ProcessFacts): Files {
  return {
    read: (path) => reading(path, undefined, async () => decode(path, await readFile(path))),
    stat: (path) => reading(path, undefined, async () => describe(await stat(path))),
    list: (directory) => reading(directory, [], async () => (await readdir(directory)).sort()),
    realPath: (path) => reading(path, undefined, () => realpath(path)),
    writeAtomic: (path, content, { mode = 0o600 } = {}) =>
      writing(path, () => replaceAtomically(path, content, mode, processes)),
    createExclusive: (path, content, { mode = 0o600 } = {}) =>
      writing(path, () => createAtomically(path, content, mode, processes)),
    makeDirectory: (path, mode) => writing(path, () => makeDirectory(path, mode)),
    remove: (path) => writing(path, () => removeFile(path)),
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

async function reading<T, M>(path: string, missing: M, work: () => Promise<T>): Promise<T | M> {
  try {
    return await work();
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return missing;
    throw code === undefined ? error : new FileReadError(path, code, error);
  }
}

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
    if (code === "EEXIST" && (await stat(path)).isDirectory()) return tighten(path, mode);
    if (code !== "ENOENT" || dirname(path) === path) throw error;
    await makeDirectory(dirname(path), mode);
    return makeDirectory(path, mode);
  }
  // The umask may have taken bits away that a container's user needs.
  await chmod(path, mode);
}

/** A folder that somebody made by hand may be open to everyone; what is put there counts on its mode. */
async function tighten(path: string, mode: number): Promise<void> {
  const found = (await stat(path)).mode & 0o777;
  if ((found & ~mode) !== 0) await chmod(path, found & mode);
}

async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
  }
}
