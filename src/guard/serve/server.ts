import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { errorCode, Failure } from "../failure.ts";
import { replyJson, replyRefusal } from "./answers.ts";
import { type ClientEnd, plainClient, upgradingClient } from "./client-end.ts";
import { healthTarget } from "./health.ts";
import { answerMalformed, noteMalformed } from "./malformed.ts";
import { carryOut, type Guard, turnAway } from "./operation.ts";

/** The guard's front: where clients connect. */
export interface Front {
  readonly server: Server;
  /** Connections that are open now. */
  readonly connections: () => number;
  /** Takes no more requests, lets those that have an end come to it, and cuts what is left after so many milliseconds. */
  readonly close: (graceMs: number) => Promise<void>;
}

/** Why the guard cannot work now; undefined: it can. */
export type Health = () => Promise<string | undefined>;

interface State {
  readonly guard: Guard;
  readonly health: Health;
  readonly open: Set<Socket>;
  /** Connections beyond the policy's number: they are told so. */
  readonly surplus: WeakSet<Socket>;
  readonly lanes: WeakMap<Duplex, Lane>;
  readonly running: Set<Promise<void>>;
}

/** The requests of one connection, which are carried out one after the other. */
interface Lane {
  waiting: number;
  tail: Promise<void>;
  response: ServerResponse | undefined;
}

// Clients of Docker wait for an answer before they ask again; what queues up behind it costs memory.
const waitingMax = 8;
// So many connections beyond the policy's number are answered that they are too many; more are dropped.
const surplusMax = 16;

const options = {
  ...{ insecureHTTPParser: false, requireHostHeader: false, highWaterMark: 64 * 1024, maxHeaderSize: 16 * 1024 },
  ...{ connectionsCheckingInterval: 5_000, keepAliveTimeout: 0 },
};

/** Makes the server. Every request goes through the one decision, by whichever of Node's events it comes. */
export function createFront(guard: Guard, health: Health): Front {
  const { requestMs } = guard.timeouts;
  const server = createServer({ ...options, headersTimeout: requestMs, requestTimeout: requestMs });
  // Headers above a count would be dropped in silence; their size is limited already.
  server.maxHeadersCount = 0;
  server.maxConnections = guard.policy.connections + surplusMax;
  const state: State = {
    ...{ guard, health, open: new Set<Socket>(), surplus: new WeakSet<Socket>() },
    ...{ lanes: new WeakMap<Duplex, Lane>(), running: new Set<Promise<void>>() },
  };
  server.on("connection", (socket) => admit(state, socket));
  server.on("drop", () => noteMalformed(guard, "limit.connections", "a connection was dropped"));
  // One that waits to be told to go on, or expects something else, is decided about without its body.
  for (const event of ["request", "checkContinue", "checkExpectation"] as const)
    server.on(event, (request: IncomingMessage, response: ServerResponse) => enqueue(state, request, response));
  for (const event of ["upgrade", "connect"] as const)
    server.on(event, (request, socket, head) => handOver(state, request, socket, head));
  server.on("clientError", (error, socket) => {
    const lane = state.lanes.get(socket);
    answerMalformed(guard, error, socket, lane?.response?.headersSent === true && lane.waiting > 0);
  });
  return { server, connections: () => state.open.size, close: (graceMs) => close(state, server, graceMs) };
}

function admit({ guard, open, surplus, lanes }: State, socket: Socket): void {
  const limit = guard.policy.connections;
  open.add(socket);
  socket.once("close", () => open.delete(socket));
  if (open.size <= limit) return;
  // Connections that are only kept for later make room first. (Node's own idea of them takes in those that just came.)
  for (const each of open) if (lanes.get(each)?.waiting === 0) each.destroy();
  if ([...open].filter(({ destroyed }) => !destroyed).length > limit) surplus.add(socket);
}

function laneOf({ lanes }: State, socket: Socket): Lane {
  const lane = lanes.get(socket) ?? { waiting: 0, tail: Promise.resolve(), response: undefined };
  lanes.set(socket, lane);
  return lane;
}

function enqueue(state: State, request: IncomingMessage, response: ServerResponse): void {
  const { socket } = request;
  // The engine says it with every answer, and so has the guard: by it the docker command finds a version to speak, also
  // where its ping fails. Otherwise all that it tells is that its own version is too new.
  response.setHeader("Api-Version", state.guard.sources.apiVersion);
  const lane = laneOf(state, socket);
  lane.waiting += 1;
  if (lane.waiting > waitingMax) {
    noteMalformed(state.guard, "framing.pipelined", "more requests came than were answered");
    socket.destroy();
    return;
  }
  lane.tail = lane.tail.then(async () => {
    lane.response = response;
    const answered = new Promise((resolve) => response.once("close", resolve));
    if (!socket.destroyed) await Promise.all([carry(state, plainClient(request, response)), answered]);
    lane.waiting -= 1;
  });
}

function handOver(state: State, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  // Behind an unanswered request the connection cannot be given away.
  const lane = laneOf(state, request.socket);
  if (lane.waiting > 0) {
    noteMalformed(state.guard, "framing.pipelined", "an upgrade came before the last answer");
    socket.destroy();
    return;
  }
  lane.waiting += 1;
  void carry(state, upgradingClient(request, socket, head));
}

function carry(state: State, client: ClientEnd): Promise<void> {
  const work = handle(state, client).catch((error) => {
    state.guard.complain(`a request ended in an error: ${errorCode(error)}`);
    client.request.socket.destroy();
  });
  state.running.add(work);
  return work.finally(() => state.running.delete(work));
}

async function handle({ guard, health, surplus }: State, client: ClientEnd): Promise<void> {
  const { method, url, socket } = client.request;
  if (method === "GET" && url === healthTarget && !client.upgrade) {
    const problem = await health();
    if (problem !== undefined) return replyRefusal(client, 503, problem);
    return replyJson(client, 200, new Map([["status", "ok"]]));
  }
  if (!surplus.has(socket)) return carryOut(guard, client);
  const { connections } = guard.policy;
  turnAway(guard, client, new Failure("limit.connections", 429, `more than ${connections} connections are open`));
}

async function close({ open, running }: State, server: Server, graceMs: number): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeIdleConnections();
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise((resolve) => {
    timer = setTimeout(resolve, graceMs);
  });
  await Promise.race([Promise.all(running), patience]);
  clearTimeout(timer);
  for (const socket of open) socket.destroy();
  await Promise.all(running);
  await closed;
}
