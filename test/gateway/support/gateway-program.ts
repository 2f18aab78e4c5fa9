import { cp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type BundledProgram, bundleProgram, type ProgramRun } from "../../support/bundled-program.ts";
import { eventually } from "../../support/command.ts";
import { freePort, type RedisServer } from "./redis-server.ts";

/** The gateway bundled into one file, with its page beside it. */
export async function buildGateway(): Promise<BundledProgram> {
  const program = await bundleProgram("gateway", "src/gateway/main.ts");
  await cp("src/gateway/page", join(program.directory, "page"), { recursive: true });
  return program;
}

/** A gateway that listens, with code running in its own process tree. */
export interface RunningGateway extends ProgramRun {
  readonly url: string;
  readonly port: number;
  readonly key: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Starts the program in local mode, with local code allowed, and waits until it is healthy. */
export async function startProgram(program: BundledProgram, redis: RedisServer): Promise<RunningGateway> {
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
    if (!answer.ok) throw new Error(`not healthy:\n${started.stdout()}${started.stderr()}`);
  });
  return { ...started, url, port, key, env };
}
