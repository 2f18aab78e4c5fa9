import type { FastifyInstance, LightMyRequestResponse } from "fastify";
import { type Provider, ProviderError } from "../../../src/gateway/provider.ts";
import type { RunOutcome, RunRequest } from "../../../src/gateway/run.ts";
import { createRuns, type Runs } from "../../../src/gateway/runs.ts";
import { addRoutes, createServer } from "../../../src/gateway/server.ts";
import type { Settings } from "../../../src/gateway/settings.ts";
import { openStore, type Store } from "../../../src/gateway/store.ts";
import { createTrustedProxy, type TrustedProxy } from "../../../src/gateway/trusted-proxy.ts";
import { eventually } from "../../support/command.ts";
import type { RedisServer } from "./redis-server.ts";

export const apiKey = "test-gateway-key";

/** A provider that answers what a test tells it to and remembers what it was asked. */
export interface ScriptedProvider extends Provider {
  readonly asked: RunRequest[];
  answer: (request: RunRequest, signal: AbortSignal) => Promise<RunOutcome>;
}

/** The outcome of a run that printed something. */
export function outcomeOf(stdout: string): RunOutcome {
  return {
    stdout,
    stderr: "",
    exitCode: 0,
    timedOut: false,
    outOfMemory: false,
    truncated: false,
    ranIn: { mode: "local", description: "a test", host: "test", pid: 1 },
  };
}

export function createScriptedProvider(): ScriptedProvider {
  const provider: ScriptedProvider = {
    mode: "local",
    isolation: "a test's",
    network: "none",
    limits: {},
    asked: [],
    answer: async () => outcomeOf("done\n"),
    readiness: async () => ({ canRun: true }),
    async run(request, signal) {
      provider.asked.push(request);
      return provider.answer(request, signal);
    },
    sweep: async () => ({ removed: [], failed: [] }),
  };
  return provider;
}

/** A gateway without a port: requests are injected, its log is kept. */
export interface GatewayRig {
  readonly app: FastifyInstance;
  readonly store: Store;
  readonly runs: Runs;
  readonly provider: ScriptedProvider;
  readonly log: string[];
  readonly post: (body: unknown, key?: string) => Promise<LightMyRequestResponse>;
  readonly get: (url: string, key?: string) => Promise<LightMyRequestResponse>;
  readonly close: () => Promise<void>;
}

const nobody = createTrustedProxy(
  undefined,
  async () => [],
  () => 0,
);

export async function startRig(
  redis: RedisServer,
  changes: Partial<Settings> = {},
  proxy: TrustedProxy = nobody,
): Promise<GatewayRig> {
  const settings: Settings = {
    host: "127.0.0.1",
    port: 0,
    apiKey,
    store: redis.settings,
    limits: { timeoutSecondsMax: 60, outputBytesMax: 1000, codeBytesMax: 500, concurrencyMax: 2 },
    rateLimitPerMinute: 1000,
    trustedProxy: undefined,
    docker: { kind: "unix", socketPath: "/nonexistent/docker.sock" },
    sandbox: { mode: "local", because: "a test", refusal: undefined },
    ...changes,
  };
  const log: string[] = [];
  const provider = createScriptedProvider();
  const store = openStore(settings.store, () => undefined);
  const runs = createRuns(provider, store, settings.limits.concurrencyMax);
  const app = createServer(settings.limits.codeBytesMax, (line) => log.push(line), proxy);
  await addRoutes(app, { settings, store, provider, runs });
  await eventually(() => store.check());
  return {
    app,
    store,
    runs,
    provider,
    log,
    post: (body, key = apiKey) =>
      app.inject({
        method: "POST",
        url: "/api/run",
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
        payload: typeof body === "string" ? body : JSON.stringify(body),
      }),
    get: (url, key = apiKey) => app.inject({ method: "GET", url, headers: { authorization: `Bearer ${key}` } }),
    async close() {
      await app.close();
      await store.close();
    },
  };
}

/** A run that was refused, as a provider refuses it. */
export function refused(): Promise<never> {
  return Promise.reject(new ProviderError(403, "not allowed here"));
}
