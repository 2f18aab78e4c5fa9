import { closeSync, fchmodSync, fstatSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import type { LineSink } from "./audit.ts";

/** How much of the past is kept: so many bytes in a file, so many files with the one that is written. */
export interface Keeping {
  readonly bytes: number;
  readonly files: number;
}

/** A sink, and what lets go of its file. */
export interface AuditFile {
  readonly sink: LineSink;
  readonly close: () => void;
}

interface Open {
  readonly descriptor: number;
  size: number;
  /** A line stands there without its end. */
  torn: boolean;
}

/**
 * Appends to a file that its owner reads and writes and its group reads. When it is full it becomes `PATH.1`, that
 * `PATH.2`, and so on, and the last goes: whoever makes many requests fills no disk.
 */
export function appendTo(path: string, keeping: Keeping): AuditFile {
  let current: Open | undefined = openFile(path);
  const sink: LineSink = (line) => {
    current ??= openFile(path);
    if (current.size > 0 && current.size + line.length > keeping.bytes) {
      closeSync(current.descriptor);
      // Whatever goes wrong from here on, the next line tries it again.
      current = undefined;
      rotate(path, keeping.files);
      current = openFile(path);
    }
    writeLine(current, line);
  };
  return {
    sink,
    close: () => {
      if (current !== undefined) closeSync(current.descriptor);
      current = undefined;
    },
  };
}

/** Lines for an open descriptor, such as standard output. */
export function writeTo(descriptor: number): LineSink {
  const open: Open = { descriptor, size: 0, torn: false };
  return (line) => writeLine(open, line);
}

function openFile(path: string): Open {
  const descriptor = openSync(path, "a", 0o640);
  const stats = fstatSync(descriptor);
  // Only what is ours to decide: an operator's choice for a file that was there, and devices, stay as they are.
  if (stats.isFile() && stats.size === 0) fchmodSync(descriptor, 0o640);
  return { descriptor, size: stats.size, torn: false };
}

function rotate(path: string, files: number): void {
  rmSync(`${path}.${files - 1}`, { force: true });
  for (let index = files - 2; index >= 1; index -= 1) renameIfThere(`${path}.${index}`, `${path}.${index + 1}`);
  if (files > 1) renameIfThere(path, `${path}.1`);
  else rmSync(path, { force: true });
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
}

/** Writes a whole line or throws. What there was room for when the disk became full is ended before the next one. */
function writeLine(open: Open, line: string): void {
  const bytes = Buffer.from(open.torn ? `\n${line}` : line);
  for (let written = 0; written < bytes.length; ) {
    const count = writeSync(open.descriptor, bytes, written);
    written += count;
    open.size += count;
    open.torn = true;
  }
  open.torn = false;
}
