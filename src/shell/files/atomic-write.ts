import { randomBytes } from "node:crypto";
import { constants, type Stats } from "node:fs";
import { type FileHandle, link, lstat, open, readdir, readlink, rename, unlink } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import type { ProcessTable } from "../../world.ts";

/** To whom a file belongs. */
type Owner = Pick<Stats, "uid" | "gid">;

/** Writes beside the file, flushes to the disk, renames, flushes the folder. On failure the old file is untouched. */
export async function replaceAtomically(
  path: string,
  content: string | Uint8Array,
  { mode, own, owner }: { readonly mode: number; readonly own: boolean; readonly owner?: Owner },
  processes?: ProcessTable,
): Promise<void> {
  const target = own ? path : await followLinks(path);
  const existing = await lstatIfThere(target);
  if (existing?.isDirectory()) throw systemError("EISDIR", target);
  if (existing !== undefined && !existing.isFile() && !own) throw systemError("EEXIST", target);
  await sweepLeftovers(target, processes);
  const temporary = await temporaryPath(target, processes);
  await withTemporary(
    temporary,
    content,
    (handle) => settle(handle, mode, own ? undefined : existing, owner),
    () => rename(temporary, target),
  );
  await flushDirectory(dirname(target));
}

/** Creates a file that appears with its whole content; false when something is there already. */
export async function createAtomically(
  path: string,
  content: string,
  mode: number,
  processes?: ProcessTable,
): Promise<boolean> {
  await sweepLeftovers(path, processes);
  const temporary = await temporaryPath(path, processes);
  try {
    // A link is made only where nothing is, unlike a rename, and never shows a file that is half written.
    await withTemporary(
      temporary,
      content,
      (handle) => settle(handle, mode, undefined),
      () => link(temporary, path),
    );
  } catch (error) {
    if (systemCode(error) === "EEXIST") return false;
    throw error;
  }
  await unlink(temporary);
  await flushDirectory(dirname(path));
  return true;
}

async function withTemporary(
  temporary: string,
  content: string | Uint8Array,
  prepare: (handle: FileHandle) => Promise<void>,
  publish: () => Promise<void>,
): Promise<void> {
  const handle = await open(
    temporary,
    constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
    0o600,
  );
  try {
    try {
      await prepare(handle);
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await publish();
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
}

/** Gives the new file its owner and mode before the first byte is in it. */
async function settle(handle: FileHandle, mode: number, existing: Stats | undefined, owner?: Owner): Promise<void> {
  // Only root may give a file away; anybody else's copy is its own.
  if (owner !== undefined) await handle.chown(owner.uid, owner.gid).catch(() => undefined);
  if (existing === undefined) return handle.chmod(mode);
  const present = existing.mode & 0o777;
  const wanted = (present & ~mode) === 0 ? present : mode;
  const { uid, gid } = await handle.stat();
  const same = uid === existing.uid && gid === existing.gid;
  const owned =
    same ||
    (await handle.chown(existing.uid, existing.gid).then(
      () => true,
      () => false,
    ));
  // Where the group could not be kept, what the mode grants to a group would go to another one.
  await handle.chmod(owned ? wanted : wanted & ~0o070);
}

/** The file that is written when a path is a link: replacing the link itself would part it from its target. */
async function followLinks(path: string, depth = 0): Promise<string> {
  if (depth > 40) throw systemError("ELOOP", path);
  const stats = await lstatIfThere(path);
  if (!stats?.isSymbolicLink()) return path;
  return followLinks(resolve(dirname(path), await readlink(path)), depth + 1);
}

/** The writer is part of the name: its number and when it began, because numbers are used again. */
async function temporaryPath(target: string, processes: ProcessTable | undefined): Promise<string> {
  const start = await processes?.startOf(processes.pid);
  const writer = `${processes?.pid ?? 0}-${start ?? "unknown"}`;
  return join(dirname(target), `.${basename(target)}.${writer}.${randomBytes(6).toString("hex")}.tmp`);
}

/** Removes what a killed writer left: such a file is never read, but may hold secrets. Those of live writers stay. */
export async function sweepLeftovers(target: string, processes: ProcessTable | undefined): Promise<void> {
  if (processes === undefined) return;
  const prefix = `.${basename(target)}.`;
  for (const name of await readdir(dirname(target))) {
    const writer = name.startsWith(prefix) ? /^(\d+)-(\d+)\.[0-9a-f]{12}\.tmp$/.exec(name.slice(prefix.length)) : null;
    if (writer === null || (await mayLive(processes, Number(writer[1]), writer[2]))) continue;
    await unlink(join(dirname(target), name)).catch(() => undefined);
  }
}

/** A process that runs and hides when it began (hidepid, no /proc) may well be the writer. */
async function mayLive(processes: ProcessTable, pid: number, start: string | undefined): Promise<boolean> {
  if (!(await processes.isRunning(pid))) return false;
  const known = await processes.startOf(pid);
  return known === undefined || known === start;
}

async function flushDirectory(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY);
  try {
    await handle.sync();
  } catch (error) {
    // Some network file systems cannot flush a folder; the file itself is on the disk.
    if (!["EINVAL", "ENOTSUP", "EOPNOTSUPP"].includes(systemCode(error) ?? "")) throw error;
  } finally {
    await handle.close();
  }
}

async function lstatIfThere(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** The operating system's code of an error, such as ENOSPC; undefined for any other error. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && "syscall" in error && "code" in error ? String(error.code) : undefined;
}

/** An error as the operating system would make it, for what is refused here before it is asked. */
export function systemError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code, syscall: "open" });
}
