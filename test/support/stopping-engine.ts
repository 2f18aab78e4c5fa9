import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** A socket in front of an engine that stops at one call which changes something, so that a test can kill who made it. */
export interface StoppingEngine {
  /** Counts from now on, and resolves with the call once that many were made; it is not passed on. */
  stopAt(count: number): Promise<string>;
  /** Fails the call that it stopped at, and passes on everything from now on. */
  goOn(): void;
  /** How many connections there are at the moment. */
  connections(): number;
  close(): Promise<void>;
}

/** Listens at a path in front of the engine's socket. */
export async function startStoppingEngine(path: string, enginePath: string): Promise<StoppingEngine> {
  const sockets = new Set<Socket>();
  let left = Number.POSITIVE_INFINITY;
  let reached: (call: string) => void = () => undefined;
  let held: IncomingMessage | undefined;
  const server = createServer((incoming, response) => {
    if (incoming.method !== "GET" && incoming.method !== "HEAD") {
      left -= 1;
      if (left === 0) {
        held = incoming;
        return reached(`${incoming.method} ${incoming.url}`);
      }
    }
    passOn(enginePath, incoming, response);
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    stopAt(count) {
      left = count;
      return new Promise((resolve) => {
        reached = resolve;
      });
    },
    goOn() {
      left = Number.POSITIVE_INFINITY;
      held?.socket.destroy();
      held = undefined;
    },
    connections: () => sockets.size,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function passOn(socketPath: string, incoming: IncomingMessage, response: ServerResponse): void {
  const { method, url: path, headers } = incoming;
  const outgoing = request({ socketPath, method, path, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
    answer.on("error", () => response.destroy());
  });
  outgoing.on("error", () => response.destroy());
  response.on("close", () => outgoing.destroy());
  incoming.pipe(outgoing);
}
