import rateLimit from "@fastify/rate-limit";
import { type FastifyInstance, type FastifyRequest, fastify } from "fastify";
import { createKeyCheck, type KeyCheck } from "./authentication.ts";
import { answerError } from "./errors.ts";
import { securityHeaders, servePage } from "./page-files.ts";
import { messageOf, type Provider } from "./provider.ts";
import { readRunBody } from "./run-body.ts";
import type { Runs } from "./runs.ts";
import { describeSandbox } from "./sandbox-description.ts";
import type { Settings } from "./settings.ts";
import { historyEntriesMax, type Store } from "./store.ts";
import type { TrustedProxy } from "./trusted-proxy.ts";

/** What the HTTP server is put together from. */
export interface ServerParts {
  readonly settings: Settings;
  readonly store: Store;
  readonly provider: Provider;
  readonly runs: Runs;
}

/**
 * An HTTP server without routes. `write` gets its log: never a header, a query or a body. Behind the proxy a client's
 * address is the one that the proxy names.
 */
export function createServer(
  codeBytesMax: number,
  write: (line: string) => void,
  proxy: TrustedProxy,
): FastifyInstance {
  const app = fastify({
    trustProxy: proxy.isTrusted,
    logger: {
      stream: { write },
      redact: ["headers", "req.headers", "body", "req.body"],
      serializers: {
        req: ({ method, url, ip }: FastifyRequest) => ({ method, url: url.split("?")[0] ?? "", remoteAddress: ip }),
      },
    },
    // A byte of code takes at most six characters in JSON.
    bodyLimit: codeBytesMax * 6 + 4_096,
    // Slow senders are cut; a run itself may take as long as its limit.
    requestTimeout: 30_000,
    keepAliveTimeout: 10_000,
  });
  app.addHook("onRequest", async ({ headers, socket, log }) => {
    if (headers["x-forwarded-for"] === undefined) return;
    const reason = await proxy.meet(socket.remoteAddress ?? "");
    if (reason !== undefined) log.warn({ reason }, "the proxy is not found, so that its clients count as one");
  });
  return app;
}

/** Adds the page and /health for everybody, and /api for those who have the key. */
export async function addRoutes(app: FastifyInstance, parts: ServerParts): Promise<void> {
  const { settings, store, provider } = parts;
  app.addHook("onRequest", async (_request, reply) => {
    reply.headers(securityHeaders);
  });
  // A client that keeps its connection would hold up the stop until the connection's own time is over.
  app.addHook("onSend", async (_request, reply) => {
    if (parts.runs.isStopping()) reply.header("connection", "close");
  });
  app.setErrorHandler(answerError);
  app.setNotFoundHandler((_request, reply) => reply.code(404).send({ error: "there is nothing here" }));
  await app.register(rateLimit, { global: false, redis: store.connection, nameSpace: "sandbox-gateway:limit:" });
  app.get("/health", { logLevel: "warn" }, async (_request, reply) => {
    try {
      await store.check();
      return { status: "ok", mode: provider.mode };
    } catch (error) {
      return reply.code(503).send({ status: "unavailable", mode: provider.mode, reason: messageOf(error) });
    }
  });
  await servePage(app);
  await app.register(async (api) => registerApi(api, parts, createKeyCheck(settings.apiKey)), { prefix: "/api" });
}

async function registerApi(api: FastifyInstance, parts: ServerParts, hasKey: KeyCheck): Promise<void> {
  const { settings, store, runs } = parts;
  api.addHook("onRequest", async (_request, reply) => {
    reply.header("cache-control", "no-store");
  });
  const countRequest = api.createRateLimit({
    max: settings.rateLimitPerMinute,
    timeWindow: 60_000,
    keyGenerator: (request) => rateLimitKey(request, hasKey),
  });
  api.addHook("onRequest", async (request, reply) => {
    const count = await store.attempt(() => countRequest(request));
    if (count.isAllowed || !count.isExceeded) return;
    const error = `more than ${settings.rateLimitPerMinute} requests in a minute; try again in ${count.ttlInSeconds} s`;
    return reply.code(429).header("retry-after", count.ttlInSeconds).send({ error });
  });
  api.addHook("onRequest", async (request, reply) => {
    if (hasKey(request.headers.authorization)) return;
    const error = "send the API key of this gateway as Authorization: Bearer <key>";
    return reply.code(401).header("www-authenticate", 'Bearer realm="sandbox gateway"').send({ error });
  });
  api.setNotFoundHandler((_request, reply) => reply.code(404).send({ error: "there is no such API call" }));

  api.get("/sandbox", async () => describeSandbox(settings, parts.provider));
  api.get("/history", async () => ({ runs: await store.readHistory(historyEntriesMax) }));
  api.post("/run", async (request, reply) => {
    const checked = readRunBody(request.body, settings.limits);
    if (!checked.ok) {
      return reply.code(checked.status).send({ error: checked.problems.join("; "), problems: checked.problems });
    }
    const started = runs.start(checked.body);
    if (!started) {
      const error = `${settings.limits.concurrencyMax} runs are going on, which is the limit; try again shortly`;
      return reply.code(429).header("retry-after", "1").send({ error });
    }
    const result = await started;
    const { id, exitCode, durationMs, timedOut, outOfMemory } = result;
    request.log.info(
      { run: { id, language: checked.body.language, exitCode, durationMs, timedOut, outOfMemory } },
      "ran",
    );
    return result;
  });
}

// Holders of the key share one budget for runs and one for questions. Everybody else is counted by address, so that
// guessing keys is slow and cannot use up the budget of those who have one.
function rateLimitKey(request: FastifyRequest, hasKey: KeyCheck): string {
  if (!hasKey(request.headers.authorization)) return `guest:${request.ip}`;
  return request.method === "POST" ? "key:run" : "key:read";
}
