import { connect } from "node:net";
import { Duplex, type Writable } from "node:stream";

/** A connection that can hand on what it reads without keeping it. */
export interface WideConnection {
  readonly stream: Duplex;
  /**
   * From now on writes all that is read into another stream, no faster than that takes it, and tells the size of each
   * piece. The end of the stream is left to whoever called.
   */
  readonly relay: (into: Writable, carried: (bytes: number) => void) => void;
}

// What a unix socket of Linux holds by default: one read takes it all.
const readBytes = 256 * 1024;

/**
 * Connects to a unix socket by one buffer that every read uses again. A stream of Node's own takes at most 64 KiB at a
 * time into memory that it then throws away, which costs an `exec` that prints much several times as much.
 */
export function connectWide(path: string): WideConnection {
  let target: ((chunk: Uint8Array) => boolean) | undefined;
  const take = (size: number, buffer: Uint8Array): boolean => {
    const chunk = buffer.subarray(0, size);
    // Whoever reads the stream keeps what it gets, so that it gets a copy.
    return target === undefined ? stream.push(Buffer.from(chunk)) : target(chunk);
  };
  const buffer = Buffer.allocUnsafeSlow(readBytes);
  // Half-open: either side may say that it has no more to say while the other goes on.
  const socket = connect({ path, allowHalfOpen: true, onread: { buffer, callback: take } });
  const stream = new Duplex({
    allowHalfOpen: true,
    read: () => void socket.resume(),
    write: (chunk, encoding, done) => void socket.write(chunk, encoding, done),
    final: (done) => void socket.end(() => done()),
    destroy: (error, done) => {
      socket.destroy();
      done(error);
    },
  });
  socket.on("end", () => stream.push(null));
  socket.on("error", (error) => stream.destroy(error));
  socket.on("close", () => stream.destroy());
  return {
    stream,
    relay(into, carried) {
      const write = (chunk: Uint8Array): boolean => {
        carried(chunk.length);
        into.write(chunk, () => socket.resume());
        // The buffer may be read into again once nothing of it waits any more; most often it is on its way by now.
        return into.writableLength === 0;
      };
      for (let early: unknown = stream.read(); early instanceof Uint8Array; early = stream.read()) write(early);
      target = write;
      // With nothing left to read, what flows is the end.
      stream.resume();
    },
  };
}
