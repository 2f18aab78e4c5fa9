import { lookup } from "node:dns/promises";
import type { FastifyBaseLogger, FastifyInstance } from "fastify";
import { messageOf, type Provider } from "./provider.ts";
import { createProvider } from "./provider-choice.ts";
import type { KillGroup } from "./providers/local.ts";
import { createRuns } from "./runs.ts";
import { addRoutes, createServer } from "./server.ts";
import type { Settings } from "./settings.ts";
import { openStore } from "./store.ts";
import { createTrustedProxy } from "./trusted-proxy.ts";

/** A gateway that listens. */
export interface Gateway {
  readonly port: number;
  /** Takes nothing new, lets runs end or ends them, removes their sandboxes and closes the store. */
  readonly stop: () => Promise<void>;
}

const sweepEveryMs = 30_000;
// Containers get 10 s between SIGTERM and SIGKILL by default; ending a run and removing its sandbox takes the rest.
const runGraceMs = 5_000;

/** What the gateway needs of the process it runs in. */
export interface Host {
  /** Gets the log, one JSON document per line. */
  readonly write: (line: string) => void;
  readonly killGroup: KillGroup;
}

/** Starts the gateway; resolves when it listens. */
export async function startGateway(settings: Settings, host: Host): Promise<Gateway> {
  const proxy = createTrustedProxy(settings.trustedProxy, addressesOf, () => performance.now());
  const app = createServer(settings.limits.codeBytesMax, host.write, proxy);
  const logger = app.log;
  const store = openStore(settings.store, logOnce(logger));
  const provider = createProvider(settings, store.sandboxes, host.killGroup, (sandbox, reason) =>
    logger.warn({ sandbox, reason }, "a sandbox could not be removed; the next sweep tries again"),
  );
  const runs = createRuns(provider, store, settings.limits.concurrencyMax);
  await addRoutes(app, { settings, store, provider, runs });
  await app.listen({ host: settings.host, port: settings.port });
  logger.info({ mode: provider.mode, because: settings.sandbox.because }, "gateway is ready");
  const stopSweeping = sweepRegularly(provider, store.connection, logger);
  return {
    port: portOf(app),
    async stop() {
      logger.info({ running: runs.active() }, "gateway is stopping");
      stopSweeping();
      runs.stop(runGraceMs);
      await app.close();
      await store.close();
      logger.info("gateway has stopped");
    },
  };
}

async function addressesOf(name: string): Promise<readonly string[]> {
  return (await lookup(name, { all: true })).map(({ address }) => address);
}

// The store's client repeats the same failure at every attempt to connect.
function logOnce(logger: FastifyBaseLogger): (reason: string) => void {
  let last = "";
  return (reason) => {
    if (reason !== last) logger.warn({ reason }, "store is not available");
    last = reason;
  };
}

function sweepRegularly(
  provider: Provider,
  storeEvents: { once: (event: "ready", listener: () => void) => unknown },
  logger: FastifyBaseLogger,
): () => void {
  let sweeping = false;
  const sweep = async (): Promise<void> => {
    if (sweeping) return;
    sweeping = true;
    try {
      const { removed, failed } = await provider.sweep();
      if (removed.length > 0) logger.info({ removed }, "removed sandboxes that nobody owns");
      if (failed.length > 0) logger.warn({ failed }, "sandboxes could not be removed");
    } catch (error) {
      logger.warn({ reason: messageOf(error) }, "leftover sandboxes could not be looked for");
    } finally {
      sweeping = false;
    }
  };
  // The list of a provisioner's sandboxes is in the store, which may still be connecting.
  if (provider.mode === "provisioner") storeEvents.once("ready", () => void sweep());
  else void sweep();
  const timer = setInterval(() => void sweep(), sweepEveryMs);
  return () => clearInterval(timer);
}

function portOf(app: FastifyInstance): number {
  const [address] = app.addresses();
  return typeof address === "object" ? address.port : 0;
}
