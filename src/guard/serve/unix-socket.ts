import { randomBytes } from "node:crypto";
import { chmod, lstat, mkdir, rename, rmdir, unlink } from "node:fs/promises";
import { connect, type Server } from "node:net";
import { dirname, join } from "node:path";
import { errorCode } from "../failure.ts";

/** A listening socket's file. */
export interface SocketFile {
  /** Removes the file, unless somebody else has put another one in its place. */
  readonly remove: () => Promise<void>;
}

// What the kernel's address of a unix socket holds, without the zero at its end.
const pathBytesMax = 107;

/**
 * Listens on a socket that its owner and its group may use (0660). It comes into being in a directory that only its
 * owner enters, and is moved to its place when its mode is right: so it is never open to more, not even for a moment.
 * A file that a dead process left behind is replaced; one that somebody answers on, or that is no socket, is an error.
 */
export async function listenOn(server: Server, path: string): Promise<SocketFile> {
  await makeSureItIsFree(path);
  const directory = join(dirname(path), `.g${randomBytes(3).toString("hex")}`);
  const made = join(directory, "s");
  if (Buffer.byteLength(path) > pathBytesMax || Buffer.byteLength(made) > pathBytesMax)
    throw new Error(`${path} is too long for a socket: choose a directory with a shorter path`);
  await mkdir(directory, { mode: 0o700 }).catch((error) => {
    const fix = `make the directory ${dirname(path)}, and let this user write to it`;
    throw new Error(`nothing can listen on ${path} (${errorCode(error)}): ${fix}`);
  });
  try {
    await listen(server, made);
    await chmod(made, 0o660);
    await rename(made, path);
  } finally {
    await rmdir(directory).catch(() => {});
  }
  const { ino } = await lstat(path);
  return {
    async remove() {
      const found = await lstat(path).catch(() => undefined);
      if (found?.ino === ino) await unlink(path).catch(() => {});
    },
  };
}

async function makeSureItIsFree(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return;
  if (!found.isSocket()) throw new Error(`${path} is there and is no socket: remove it, or listen somewhere else`);
  if (await isAnswered(path)) throw new Error(`somebody listens on ${path} already: is another guard running?`);
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    // Only this says that nobody is there; a full queue or missing rights say the contrary.
    socket.once("error", (error) => resolve(!["ECONNREFUSED", "ENOENT"].includes(errorCode(error))));
  });
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => {
      server.off("error", reject);
      resolve();
    });
  });
}
