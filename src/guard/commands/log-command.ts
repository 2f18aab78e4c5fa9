import { constants } from "node:fs";
import { access, type FileHandle, open, readFile, stat } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { type Rows, startRows } from "../audit/log-rows.ts";

const pollMs = 300;

/** Shows an audit file, and those that it was before, oldest first. Follows it until `signal`, over every rotation. */
export async function showLog(
  path: string,
  { denied, follow, signal }: { readonly denied: boolean; readonly follow: boolean; readonly signal: AbortSignal },
  print: (text: string) => void,
): Promise<void> {
  const rows = startRows(denied, follow);
  for (const older of (await olderFiles(path)).reverse()) printLines(rows, await readFile(older, "utf8"), print);
  if (follow) return followFile(path, rows, signal, print);
  printLines(rows, await readFile(path, "utf8"), print);
  for (const row of rows.open()) print(`${row}\n`);
}

async function olderFiles(path: string): Promise<string[]> {
  const found: string[] = [];
  for (let index = 1; await isThere(`${path}.${index}`); index += 1) found.push(`${path}.${index}`);
  return found;
}

async function isThere(path: string): Promise<boolean> {
  return access(path, constants.R_OK).then(
    () => true,
    () => false,
  );
}

function printLines(rows: Rows, text: string, print: (text: string) => void): string {
  const lines = text.split("\n");
  const rest = lines.pop() ?? "";
  for (const line of lines) {
    const row = rows.row(line);
    if (row !== undefined) print(`${row}\n`);
  }
  return rest;
}

async function followFile(path: string, rows: Rows, signal: AbortSignal, print: (text: string) => void): Promise<void> {
  let file = await open(path, "r");
  let rest = "";
  const drain = async (): Promise<void> => {
    for (let text = await readMore(file); text !== ""; text = await readMore(file))
      rest = printLines(rows, rest + text, print);
  };
  try {
    while (!signal.aborted) {
      await drain();
      const there = await stat(path).catch(() => undefined);
      const mine = await file.stat();
      if (there !== undefined && there.ino !== mine.ino) {
        // What came between the last read and the rotation is in the old file.
        await drain();
        await file.close();
        file = await open(path, "r");
        rest = "";
      } else await pause(pollMs, undefined, { signal }).catch(() => {});
    }
  } finally {
    await file.close();
  }
}

async function readMore(file: FileHandle): Promise<string> {
  const { bytesRead, buffer } = await file.read(Buffer.alloc(64 * 1024), 0, 64 * 1024, null);
  // Audit lines are ASCII: no character can be torn apart.
  return buffer.subarray(0, bytesRead).toString("latin1");
}
