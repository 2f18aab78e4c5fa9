import type { IncomingMessage } from "node:http";
import type { Duplex, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { WideConnection } from "../engine/wide-connection.ts";

/** What went through a raw connection, in bytes. */
export interface Carried {
  readonly bytesIn: number;
  readonly bytesOut: number;
}

// How often a side that sends nothing more is asked whether it is still there, and how long the engine may take to read
// what a client left behind.
const probeMs = 5_000;
const leaveMs = 10_000;

/**
 * Copies an answer as it comes, no faster than the client reads. Ends when it is complete, or when either side is gone,
 * and then both are closed; the result says which bytes the client was given, never that they were all.
 */
export async function copyAnswer(
  answer: IncomingMessage,
  into: Writable,
): Promise<{ readonly bytesOut: number; readonly whole: boolean }> {
  let bytesOut = 0;
  answer.on("data", (chunk: Buffer) => {
    bytesOut += chunk.length;
  });
  try {
    await pipeline(answer, into);
    return { bytesOut, whole: true };
  } catch {
    answer.destroy();
    into.destroy();
    return { bytesOut, whole: false };
  }
}

/** The beginning of an answer, or all of it. */
export interface Collected {
  readonly bytes: Buffer;
  /** Whether nothing follows. If something does, the answer is paused. */
  readonly whole: boolean;
}

/** Reads an answer until it ends or has more than so many bytes. Throws when it breaks off. */
export function collectAnswer(answer: IncomingMessage, bytesMax: number): Promise<Collected> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const settle = (action: () => void): void => {
      answer.off("data", read).off("end", end).off("close", broken);
      action();
    };
    const read = (chunk: Buffer): void => {
      chunks.push(chunk);
      size += chunk.length;
      if (size <= bytesMax) return;
      answer.pause();
      settle(() => resolve({ bytes: Buffer.concat(chunks), whole: false }));
    };
    const end = (): void => settle(() => resolve({ bytes: Buffer.concat(chunks), whole: true }));
    const broken = (): void => settle(() => reject(answer.errored ?? new Error("closed")));
    answer.on("data", read).on("end", end).on("close", broken);
    // Its end comes as a close; an error without a listener would end the process.
    answer.on("error", () => {});
  });
}

/**
 * Joins two raw connections until both directions have ended. A side that has nothing more to say is passed on as just
 * that; a side that is gone ends the other as soon as what it left behind is delivered.
 */
export function join(
  client: Duplex,
  { stream: engine, relay }: WideConnection,
  head: Buffer,
  stop: AbortSignal,
): Promise<Carried> {
  return new Promise((resolve) => {
    let bytesIn = 0;
    let bytesOut = head.length;
    const ended = new Set<Duplex>();
    const probe = setInterval(() => ended.forEach(askWhetherThere), probeMs);
    const cut = (): void => {
      client.destroy();
      engine.destroy();
    };
    const closed = (): void => {
      if (!client.destroyed || !engine.destroyed) return;
      clearInterval(probe);
      stop.removeEventListener("abort", cut);
      resolve({ bytesIn, bytesOut });
    };
    const watch = (side: Duplex, other: Duplex, leave: () => void): void => {
      // The errors of one side are its end; there is nobody to tell but the other side.
      side.on("error", () => side.destroy());
      side.once("end", () => {
        ended.add(side);
        askWhetherThere(side);
      });
      side.once("close", () => {
        side.unpipe(other);
        leave();
        closed();
      });
    };
    client.on("data", (chunk: Buffer) => {
      bytesIn += chunk.length;
    });
    watch(client, engine, () => closeAfterWriting(engine, leaveMs));
    watch(engine, client, () => closeAfterWriting(client, undefined));
    stop.addEventListener("abort", cut);
    if (head.length > 0) client.write(head);
    client.pipe(engine);
    engine.once("end", () => client.end());
    relay(client, (bytes) => {
      bytesOut += bytes;
    });
    // Either may have closed before anybody listened.
    if (stop.aborted || client.destroyed || engine.destroyed) cut();
    closed();
  });
}

/** Writing nothing fails where the other side of a unix socket is gone, and does nothing where it only fell silent. */
function askWhetherThere(side: Duplex): void {
  if (side.writable) side.write("");
}

/** Closes a connection when all that was written to it is on its way, at the latest after `withinMs`. */
function closeAfterWriting(side: Duplex, withinMs: number | undefined): void {
  if (side.destroyed) return;
  const deadline = withinMs === undefined ? undefined : setTimeout(() => side.destroy(), withinMs);
  side.once("close", () => clearTimeout(deadline));
  if (side.writableFinished) side.destroy();
  else {
    side.once("finish", () => side.destroy());
    side.end();
  }
}
