import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { eventually } from "./eventually.ts";
import { freePort, type RedisServer } from "./redis-server.ts";

/** The gateway bundled into one file, as its image has it. */
export interface GatewayProgram {
  readonly directory: string;
  /** Every file that went into the bundle. */
  readonly inputs: readonly string[];
  readonly run: (args: readonly string[], env: Readonly<Record<string, string>>) => ProgramRun;
  readonly remove: () => Promise<void>;
}

/** A process of the program. */
export interface ProgramRun {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly exitCode: Promise<number | null>;
}

export async function buildGateway(): Promise<GatewayProgram> {
  const directory = await mkdtemp(join(tmpdir(), "gateway-program-"));
  const built = await build({
    entryPoints: { server: "src/gateway/main.ts" },
    outdir: directory,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "esm",
    metafile: true,
    logLevel: "error",
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
  });
  await cp("src/gateway/page", join(directory, "page"), { recursive: true });
  await writeFile(join(directory, "package.json"), '{"type":"module"}');
  return {
    directory,
    inputs: Object.keys(built.metafile.inputs),
    run: (args, env) => runProgram(join(directory, "server.js"), args, env),
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}

function runProgram(file: string, args: readonly string[], env: Readonly<Record<string, string>>): ProgramRun {
  const child = spawn(process.execPath, [file, ...args], { env: { PATH: process.env.PATH, ...env } });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => {
      output += text;
    });
  }
  const exitCode = once(child, "close").then(([code]) => (typeof code === "number" ? code : null));
  return { child, output: () => output, exitCode };
}

/** A gateway that listens, with code running in its own process tree. */
export interface RunningGateway extends ProgramRun {
  readonly url: string;
  readonly port: number;
  readonly key: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Starts the program in local mode, with local code allowed, and waits until it is healthy. */
export async function startProgram(program: GatewayProgram, redis: RedisServer): Promise<RunningGateway> {
  const port = await freePort();
  const key = "program-test-key";
  const path = (name: string): string => join(program.directory, name);
  const use = "deerflow.sandbox.local:LocalSandboxProvider";
  await writeFile(path("config.yaml"), `sandbox:\n  use: ${use}\n  allow_host_bash: true\n`);
  await writeFile(path("key"), `${key}\n`);
  await writeFile(path("password"), redis.password);
  const env = {
    GATEWAY_CONFIG: path("config.yaml"),
    GATEWAY_API_KEY_FILE: path("key"),
    STORE_PASSWORD_FILE: path("password"),
    STORE_URL: `redis://127.0.0.1:${redis.settings.port}`,
    HOST: "127.0.0.1",
    PORT: String(port),
  };
  const started = program.run([], env);
  const url = `http://127.0.0.1:${port}`;
  await eventually(async () => {
    const answer = await fetch(`${url}/health`);
    if (!answer.ok) throw new Error(`not healthy:\n${started.output()}`);
  });
  return { ...started, url, port, key, env };
}
