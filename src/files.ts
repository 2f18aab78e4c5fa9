import type { Finding } from "./core/findings/finding.ts";

/** What is at a path; times in milliseconds since 1970, `mode` the permission bits only. Links are followed. */
export interface FileStat {
  readonly kind: "file" | "directory" | "socket" | "other";
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtimeMs: number;
}

/** How a file is replaced. */
export interface WriteOptions {
  readonly mode?: number;
  readonly own?: boolean;
}

/** The file system as the tool uses it. What changes something throws FileWriteError, what reads throws FileReadError. */
export interface Files {
  /** The text of a file, or undefined when there is none. Text that is not UTF-8 is an error: writing it back would lose bytes. */
  read(path: string): Promise<string | undefined>;
  /** An HMAC-SHA-256 of a file's bytes in hex, whatever they are; undefined when there is none. */
  fingerprint(path: string, key: string): Promise<string | undefined>;
  stat(path: string): Promise<FileStat | undefined>;
  /** The names in a directory, sorted; empty when there is no such directory. */
  list(directory: string): Promise<readonly string[]>;
  /** The path without symbolic links, or undefined when there is nothing. */
  realPath(path: string): Promise<string | undefined>;
  /** What a symbolic link points to, as it is written there; undefined for anything else, or nothing. */
  linkTarget(path: string): Promise<string | undefined>;
  /**
   * Replaces a file as a whole or not at all, also when the machine stops in between. `mode` is 0600 unless given; an
   * existing file keeps its mode where that grants no more, and its owner where possible. A link keeps pointing. With
   * `own`, the file is the tool's own: its mode is the one asked for, and a link in its place is replaced, never followed.
   */
  writeAtomic(path: string, content: string, options?: WriteOptions): Promise<void>;
  /** Creates a file with its content in one step; false when there is one already. For locks. */
  createExclusive(path: string, content: string, options?: { readonly mode?: number }): Promise<boolean>;
  /** Copies the bytes of a regular file, replacing what is there as a whole. Mode, and owner where possible, come along unless a mode is given. */
  copy(from: string, to: string, options?: { readonly mode?: number }): Promise<void>;
  /** Gives a file or folder another name on the same file system; what has that name is replaced. */
  rename(from: string, to: string): Promise<void>;
  /**
   * Adds text to the end of a file in one write, and makes the file where there is none. One that would grow over
   * `limitBytes` becomes `path.1` first. For logs: each text ends a line.
   */
  append(path: string, text: string, options: { readonly mode: number; readonly limitBytes: number }): Promise<void>;
  /** Creates a directory and those above it that are missing, all with `mode`; one that is there keeps its own. */
  makeDirectory(path: string, mode: number): Promise<void>;
  /** Removes what writers of a file have left that were killed: it was never that file, but may hold secrets. */
  sweep(path: string): Promise<void>;
  /** Removes a file or a link; that there is none is fine. */
  remove(path: string): Promise<void>;
  /** Removes a folder with everything in it, following no link; that there is none is fine. */
  removeTree(path: string): Promise<void>;
}

/** A file exists and cannot be read. `code` is that of the operating system, such as EACCES, or EILSEQ for text that is not UTF-8. */
export class FileReadError extends Error {
  override readonly name = "FileReadError";
  readonly code: string;
  readonly path: string;
  /** What is wrong, in words that go on after its name. */
  readonly reason: string;

  constructor(path: string, code: string, cause?: unknown) {
    const reason = `cannot be read: ${readReasons[code] ?? code}`;
    super(`${path} ${reason}`, { cause });
    this.path = path;
    this.code = code;
    this.reason = reason;
  }
}

/** A file cannot be written (finding D049); what was there is unchanged. `code` is that of the operating system, such as ENOSPC. */
export class FileWriteError extends Error {
  override readonly name = "FileWriteError";
  readonly code: string;
  readonly path: string;

  constructor(path: string, code: string, cause?: unknown) {
    super(`${path} cannot be written: ${writeReasons[code] ?? code}`, { cause });
    this.path = path;
    this.code = code;
  }
}

/** What is said of a file that cannot be read or written: a full disk or missing permissions are the operator's to mend. */
export function fileFinding(error: unknown): Finding | undefined {
  if (error instanceof FileReadError) {
    const fix =
      error.code === "EACCES"
        ? "run this as the user it belongs to, or give it to the one who deploys (chown)"
        : "check its permissions and its encoding (UTF-8)";
    return { code: "D014", severity: "error", message: error.message, fix };
  }
  if (!(error instanceof FileWriteError)) return undefined;
  const fix =
    error.code === notOwned
      ? `run this as its owner, or give it to the user who deploys: chown -R USER ${error.path}`
      : "free disk space (df -h), or check who may write in that folder; what was there is unchanged";
  return { code: "D049", severity: "error", message: error.message, fix };
}

/** The code of a folder that should hold this user's own files and is somebody else's; root could write there all the same. */
export const notOwned = "not owned";

const readReasons: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EFBIG: "it is too large",
  EISDIR: "it is a directory",
  ENOTSUP: "it is not a regular file",
  EILSEQ: "it is not UTF-8 text",
  ELOOP: "its symbolic links lead in a circle",
};

const writeReasons: Readonly<Record<string, string>> = {
  [notOwned]: "it belongs to another user",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EDQUOT: "the disk quota is used up",
  EEXIST: "something else is in its place",
  EISDIR: "it is a directory",
  ELOOP: "its symbolic links lead in a circle",
  ENOENT: "its folder does not exist",
  ENOSPC: "the disk is full",
  ENOTDIR: "its folder is not a directory",
  EROFS: "the file system is read-only",
};
