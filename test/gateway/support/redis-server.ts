import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import type { StoreSettings } from "../../../src/gateway/settings.ts";
import { eventually } from "../../support/command.ts";

/** A real Redis of the test's own, with a password and its data on disk. Starting and stopping may be repeated. */
export interface RedisServer {
  readonly settings: StoreSettings;
  readonly password: string;
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
  readonly flush: () => Promise<void>;
  readonly remove: () => Promise<void>;
}

/** Starts one; says what to install where there is none. */
export async function startRedis(): Promise<RedisServer> {
  const directory = await mkdtemp(join(tmpdir(), "gateway-redis-"));
  const port = await freePort();
  const password = "test-store-password";
  const settings = { host: "127.0.0.1", port, database: 0, tls: false, password };
  let child: ChildProcess | undefined;
  const withClient = async <T>(action: (client: Redis) => Promise<T>): Promise<T> => {
    const client = new Redis({ port, host: "127.0.0.1", password, retryStrategy: () => null, lazyConnect: true });
    client.on("error", () => undefined);
    try {
      await client.connect();
      return await action(client);
    } finally {
      client.disconnect();
    }
  };
  const server: RedisServer = {
    settings,
    password,
    async start() {
      if (isRunning(child)) return;
      const options = ["--port", String(port), "--bind", "127.0.0.1", "--dir", directory, "--requirepass", password];
      const started = spawn(
        "redis-server",
        [...options, "--save", "", "--appendonly", "yes", "--appendfsync", "always"],
        {
          stdio: "ignore",
        },
      );
      started.on("error", () => undefined);
      if (started.pid === undefined) throw new Error("redis-server is not installed: apt-get install redis-server");
      child = started;
      await eventually(() => withClient((client) => client.ping()));
    },
    async stop() {
      if (!isRunning(child)) return;
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
    },
    flush: async () => void (await withClient((client) => client.flushall())),
    async remove() {
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
  await server.start();
  return server;
}

function isRunning(child: ChildProcess | undefined): child is ChildProcess {
  return child !== undefined && child.exitCode === null && child.signalCode === null;
}

/** A TCP port that nothing listens on. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string") throw new Error("no port was given");
  return address.port;
}
