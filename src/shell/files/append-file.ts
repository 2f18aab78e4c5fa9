import { constants } from "node:fs";
import { type FileHandle, open, rename } from "node:fs/promises";
import { systemCode, systemError } from "./atomic-write.ts";

/**
 * Appends lines in one write and flushes them to the disk, so that lines of several processes do not mix. A file that would
 * grow over the limit is first renamed to `path.1`, in place of the one there. A line that was cut off before stays one.
 */
export async function appendLines(path: string, text: string, mode: number, limitBytes: number): Promise<void> {
  const handle = await openOwn(path, mode);
  try {
    const { size } = await handle.stat();
    if (size === 0 || size + Buffer.byteLength(text) <= limitBytes) return await writeAll(handle, path, text, size);
  } finally {
    await handle.close();
  }
  await rename(path, `${path}.1`);
  return appendLines(path, text, mode, limitBytes);
}

/** Only a regular file: a link would write elsewhere, a pipe would wait for a reader. */
async function openOwn(path: string, mode: number): Promise<FileHandle> {
  const { O_RDWR, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
  const handle = await open(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, mode).catch((error) => {
    throw systemCode(error) === "ELOOP" ? systemError("EEXIST", path) : error;
  });
  try {
    const found = await handle.stat();
    if (!found.isFile()) throw systemError("EEXIST", path);
    if ((found.mode & 0o777 & ~mode) !== 0) await handle.chmod(found.mode & mode);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function writeAll(handle: FileHandle, path: string, text: string, size: number): Promise<void> {
  const last = Buffer.alloc(1, "\n");
  if (size > 0) await handle.read(last, 0, 1, size - 1);
  const bytes = Buffer.from(last.toString() === "\n" ? text : `\n${text}`);
  const { bytesWritten } = await handle.write(bytes);
  if (bytesWritten < bytes.length) throw systemError("ENOSPC", path);
  await handle.sync();
}
