import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** A client that writes what it likes and keeps every byte that comes back. */
export interface RawConnection {
  readonly socket: Socket;
  readonly received: () => Buffer;
  /** What was received, as soon as it has this text in it; fails when the connection closes without. */
  readonly until: (text: string) => Promise<string>;
  /** Everything that was received, when the other side has closed. */
  readonly closed: Promise<string>;
}

/** Connects to a unix socket; `allowHalfOpen`, so that only the test closes its side. */
export async function openRaw(path: string): Promise<RawConnection> {
  const socket = connect({ path, allowHalfOpen: true });
  await once(socket, "connect");
  const chunks: Buffer[] = [];
  const received = () => Buffer.concat(chunks);
  const text = () => received().toString("latin1");
  socket.on("data", (chunk) => chunks.push(chunk));
  // Whoever refuses may close while the rest is still being written: what was said before counts.
  socket.on("error", () => socket.destroy());
  const closed = new Promise<string>((resolve) => {
    socket.once("end", () => resolve(text()));
    socket.once("close", () => resolve(text()));
  });
  return {
    socket,
    received,
    closed,
    until: (wanted) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (!text().includes(wanted)) return;
          socket.off("data", look);
          resolve(text());
        };
        socket.on("data", look);
        void closed.then(() => reject(new Error(`closed without ${JSON.stringify(wanted)}: ${text()}`)));
        look();
      }),
  };
}

/** Writes a request as it is, and gives everything that comes back until the other side closes. */
export async function exchangeRaw(path: string, bytes: string | Uint8Array): Promise<string> {
  const raw = await openRaw(path);
  raw.socket.write(bytes);
  const answer = await raw.closed;
  raw.socket.destroy();
  return answer;
}
