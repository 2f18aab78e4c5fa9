import { Redis } from "ioredis";
import * as z from "zod";
import { cutText } from "./output-buffer.ts";
import { messageOf } from "./provider.ts";
import type { SandboxRegister } from "./providers/provisioner.ts";
import { type HistoryEntry, languages } from "./run.ts";
import type { StoreSettings } from "./settings.ts";

/** The store did not take or give something; the run or question must be asked again later. */
export class StoreError extends Error {
  constructor(reason: string, cause: unknown) {
    super(`the store is not available: ${reason}`, { cause });
    this.name = "StoreError";
  }
}

/** What the gateway keeps across restarts. Every call throws a StoreError when the store cannot do it. */
export interface Store {
  /** Shared with the rate limit, which counts in the same store. */
  readonly connection: Redis;
  /** Turns a failure of somebody else's use of the connection into a StoreError. */
  readonly attempt: <T>(action: () => Promise<T>) => Promise<T>;
  /** Proves that the store takes writes now. */
  readonly check: () => Promise<void>;
  readonly appendHistory: (entry: HistoryEntry) => Promise<void>;
  /** The newest first. */
  readonly readHistory: (limit: number) => Promise<readonly HistoryEntry[]>;
  readonly sandboxes: SandboxRegister;
  readonly close: () => Promise<void>;
}

/** How many runs the history holds. */
export const historyEntriesMax = 200;

const keys = {
  check: "sandbox-gateway:check",
  history: "sandbox-gateway:history",
  sandboxes: "sandbox-gateway:sandboxes",
} as const;
const keptBytesMax = 4 * 1024;
const commandMs = 2_000;

/** Connects to the store in the background; `onError` hears of every failure. */
export function openStore(settings: StoreSettings, onError: (reason: string) => void): Store {
  const connection = connect(settings);
  let lastFailure = "no connection yet";
  connection.on("error", (error: Error) => {
    lastFailure = error.message || String(error);
    onError(lastFailure);
  });
  const attempt = async <T>(action: () => Promise<T>): Promise<T> => {
    try {
      return await action();
    } catch (error) {
      // While there is no connection, why there is none says more than that there is none.
      throw new StoreError(connection.status === "ready" ? messageOf(error) : lastFailure, error);
    }
  };
  return {
    connection,
    attempt,
    check: () =>
      attempt(async () => {
        await connection.set(keys.check, "1", "EX", 60);
      }),
    appendHistory: (entry) => attempt(() => appendHistory(connection, entry)),
    readHistory: (limit) =>
      attempt(async () => (await connection.lrange(keys.history, 0, limit - 1)).flatMap(parseEntry)),
    sandboxes: {
      add: (id) => attempt(async () => void (await connection.sadd(keys.sandboxes, id))),
      remove: (id) => attempt(async () => void (await connection.srem(keys.sandboxes, id))),
      list: () => attempt(() => connection.smembers(keys.sandboxes)),
    },
    async close() {
      await connection.quit().catch(() => connection.disconnect());
    },
  };
}

function connect(settings: StoreSettings): Redis {
  return new Redis({
    host: settings.host,
    port: settings.port,
    db: settings.database,
    ...(settings.password === undefined ? {} : { password: settings.password }),
    ...(settings.tls ? { tls: {} } : {}),
    connectTimeout: commandMs,
    commandTimeout: commandMs,
    // A request is answered now or refused now; nothing waits for the store to come back.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (attempts) => Math.min(attempts * 100, 2_000),
  });
}

async function appendHistory(connection: Redis, entry: HistoryEntry): Promise<void> {
  const replies = await connection
    .multi()
    .lpush(keys.history, JSON.stringify(shorten(entry)))
    .ltrim(keys.history, 0, historyEntriesMax - 1)
    .exec();
  if (replies === null) throw new Error("the transaction was dropped");
  for (const [error] of replies) if (error) throw error;
}

function shorten(entry: HistoryEntry): HistoryEntry {
  const code = cutText(entry.code, keptBytesMax);
  const stdout = cutText(entry.stdout, keptBytesMax);
  const stderr = cutText(entry.stderr, keptBytesMax);
  return {
    ...entry,
    code: code.text,
    stdout: stdout.text,
    stderr: stderr.text,
    truncated: entry.truncated || stdout.truncated || stderr.truncated,
  };
}

const ranInSchema = z.discriminatedUnion("mode", [
  z.object({ mode: z.literal("local"), description: z.string(), host: z.string(), pid: z.number().nullable() }),
  z.object({
    mode: z.literal("aio"),
    description: z.string(),
    container: z.string(),
    containerId: z.string(),
    image: z.string(),
  }),
  z.object({
    mode: z.literal("provisioner"),
    description: z.string(),
    sandboxId: z.string(),
    sandboxUrl: z.string(),
  }),
]);

const entrySchema = z.object({
  id: z.string(),
  startedAt: z.string(),
  language: z.enum(languages),
  code: z.string(),
  stdout: z.string(),
  stderr: z.string(),
  exitCode: z.number().nullable(),
  durationMs: z.number(),
  timedOut: z.boolean(),
  outOfMemory: z.boolean(),
  truncated: z.boolean(),
  ranIn: ranInSchema,
});

// An entry that a different version wrote in another form is left out, not a reason to show nothing.
function parseEntry(text: string): HistoryEntry[] {
  try {
    const entry = entrySchema.safeParse(JSON.parse(text));
    return entry.success ? [entry.data] : [];
  } catch {
    return [];
  }
}
