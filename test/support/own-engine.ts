import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, mkdtemp, open, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { command, eventually, output } from "./command.ts";

/** An engine of a test's own, which may be restarted while it is used. Its containers have no network but their own. */
export interface OwnEngine {
  /** For DOCKER_HOST. */
  readonly host: string;
  start(): Promise<void>;
  /** Ends it as a service manager does: it stops its containers first. */
  stop(): Promise<void>;
  /** Copies an image of the engine that the tests use. */
  load(image: string): Promise<void>;
  dispose(): Promise<void>;
}

/** Where scripts/setup-test-machine.sh puts an engine that is newer than Debian 12's. */
const newerEngine = "/usr/local/lib/sandbox-deploy-test/engine";

/** What is otherwise with an engine. */
export interface OwnEngineOptions {
  readonly flags?: readonly string[];
  /** Takes the newer engine in place of the machine's. */
  readonly newer?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

/** Lays out an engine; it is not started yet. Needs root, as `dockerd` does. */
export async function createOwnEngine(options: OwnEngineOptions = {}): Promise<OwnEngine> {
  const folder = await mkdtemp(join(tmpdir(), "sandbox-deploy-engine-"));
  const at = (name: string) => join(folder, name);
  const host = `unix://${at("engine.sock")}`;
  const env = { DOCKER_HOST: host };
  const { flags = [], newer = false } = options;
  const path = `${newer ? `${newerEngine}:` : ""}${process.env["PATH"]}`;
  let daemon: ChildProcess | undefined;
  const start = async () => {
    const log = await open(at("log"), "a");
    const places = ["--data-root", at("data"), "--exec-root", at("exec"), "--pidfile", at("pid"), "--host", host];
    // In a network of its own: an engine without a bridge removes `docker0`, which is the other one's.
    const apart = ["--bridge", "none", "--iptables=false", "--ip6tables=false"];
    daemon = spawn("unshare", ["--net", "dockerd", ...places, ...apart, ...flags], {
      stdio: ["ignore", log.fd, log.fd],
      env: { ...process.env, ...options.env, PATH: path },
    });
    await log.close();
    await eventually(async () => {
      const { exitCode } = await command("docker", ["info"], { env });
      if (exitCode !== 0) throw new Error(`the engine did not start:\n${await readFile(at("log"), "utf8")}`);
    });
  };
  const stop = async () => {
    const ended = new Promise((resolve) => daemon?.once("close", resolve));
    if (daemon === undefined || !daemon.kill("SIGTERM")) return;
    await ended;
    daemon = undefined;
  };
  await mkdir(at("data"));
  return {
    host,
    start,
    stop,
    async load(image) {
      await output("docker", ["save", "--output", at("image.tar"), image]);
      await output("docker", ["load", "--input", at("image.tar")], { env });
    },
    async dispose() {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
