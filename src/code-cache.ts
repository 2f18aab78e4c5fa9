import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { Script } from "node:vm";

/**
 * Runs a bundle of CommonJS with the code that V8 compiled of it before: compiling costs more than most commands do.
 * The code is kept beside the bundle by the first `plan` and the first `up` that end well, each with what it uses; other
 * commands take that of `up`. Where nobody may write, or where V8 refuses what is there (another Node.js), the program
 * runs without. Its name holds a hash of its content, so that the code of another build is never taken for its own.
 */
export function runCached(folder: string, name: string, process: NodeJS.Process): void {
  const filename = join(folder, name);
  const command = process.argv[2] ?? "";
  const cachePath = `${filename}.${process.version}.${command === "plan" ? "plan" : "up"}.cache`;
  const cachedData = readIfThere(cachePath);
  const script = new Script(functionOf(filename), { filename, ...(cachedData && { cachedData }) });
  const program: unknown = script.runInThisContext();
  if (typeof program !== "function") throw new TypeError(`${filename} is not a program`);
  program(createRequire(filename), folder);
  if (cachedData && !script.cachedDataRejected) return;
  process.on("exit", (exitCode) => {
    const worthwhile = /^(plan|up)$/.test(command) && (exitCode === 0 || exitCode === 10);
    if (worthwhile) keep(cachePath, script.createCachedData(), process.pid);
  });
}

/** The bundle is ASCII, and Latin-1 is what V8 takes over without decoding. */
function functionOf(filename: string): string {
  return `(function (require, __dirname) {${readFileSync(filename, "latin1")}\n})`;
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

/** A cache that cannot be kept costs the next start some milliseconds, and is no reason to fail a command that is done. */
function keep(path: string, data: Buffer, pid: number): void {
  const temporary = `${path}.${pid}`;
  try {
    writeFileSync(temporary, data);
    renameSync(temporary, path);
  } catch {
    rmSync(temporary, { force: true });
  }
}
