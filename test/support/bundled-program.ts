import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";

/** A program of ours in one file, as its image has it. */
export interface BundledProgram {
  readonly directory: string;
  /** Every file that went into the bundle. */
  readonly inputs: readonly string[];
  readonly run: (args: readonly string[], env?: Readonly<Record<string, string>>) => ProgramRun;
  readonly remove: () => Promise<void>;
}

/** A process of the program. */
export interface ProgramRun {
  readonly child: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** The code that it ended with; null after a signal that it did not handle. */
  readonly exitCode: Promise<number | null>;
}

/** Builds a program like scripts/build.mjs, into a folder of its own. */
export async function bundleProgram(name: string, entryPoint: string): Promise<BundledProgram> {
  const directory = await mkdtemp(join(tmpdir(), `${name}-program-`));
  const built = await build({
    entryPoints: { [name]: entryPoint },
    outdir: directory,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "esm",
    metafile: true,
    logLevel: "error",
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
  });
  await writeFile(join(directory, "package.json"), '{"type":"module"}');
  return {
    directory,
    inputs: Object.keys(built.metafile.inputs),
    run: (args, env = {}) => run(join(directory, `${name}.js`), args, env),
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}

function run(file: string, args: readonly string[], env: Readonly<Record<string, string>>): ProgramRun {
  const child = spawn(process.execPath, [file, ...args], { env: { PATH: process.env["PATH"], ...env } });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const exitCode = once(child, "close").then(([code]) => (typeof code === "number" ? code : null));
  return { child, stdout: () => stdout, stderr: () => stderr, exitCode };
}
