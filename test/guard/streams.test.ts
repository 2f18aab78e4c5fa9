import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import type { Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { eventually } from "../support/command.ts";
import { type GuardRig, passOn, type RigOptions, startRig } from "./support/guard-rig.ts";
import { openRaw, type RawConnection } from "./support/raw-connection.ts";

let rig: GuardRig | undefined;
const clients: RawConnection[] = [];
afterEach(async () => {
  for (const { socket } of clients.splice(0)) socket.destroy();
  await rig?.close();
  rig = undefined;
});

async function start(stream: "none" | "download" | "duplex", options: RigOptions = {}): Promise<GuardRig> {
  rig = await startRig({ decide: passOn(stream), ...options });
  return rig;
}

async function connectTo({ socketPath }: GuardRig, ...lines: string[]): Promise<RawConnection> {
  const raw = await openRaw(socketPath);
  clients.push(raw);
  raw.socket.write([...lines, "Host: docker", "", ""].join("\r\n"));
  return raw;
}

const upgrading = ["Connection: Upgrade", "Upgrade: tcp"];
const startExec = ["POST /exec/x/start HTTP/1.1", "Content-Length: 0", ...upgrading];
const switching =
  "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";

/** The daemon's side of the next connection, after it has switched. */
function taken({ daemon }: GuardRig, first = ""): Promise<Socket> {
  return new Promise((resolve) => {
    daemon.answer(() => ({
      take: (socket) => {
        socket.pause();
        socket.write(switching + first);
        resolve(socket);
      },
    }));
  });
}

/** A raw connection through the guard: the client's side and the daemon's. */
async function joined(first = ""): Promise<{ rig: GuardRig; client: RawConnection; engine: Socket }> {
  const started = await start("duplex");
  const waiting = taken(started, first);
  const client = await connectTo(started, ...startExec);
  const engine = await waiting;
  await client.until("\r\n\r\n");
  return { rig: started, client, engine };
}

/** All that comes until the other side has no more to say; unlike an iteration it leaves the socket as it is. */
async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  await once(socket.resume(), "end");
  return Buffer.concat(chunks);
}

const sha = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const bodyOf = (received: Buffer) => received.subarray(received.indexOf("\r\n\r\n") + 4);

describe("a raw connection", () => {
  test("begins with the engine's own words, and what it said at once", async () => {
    const { client, rig } = await joined("hello");
    expect(await client.until("hello")).toBe(`${switching}hello`);
    expect(rig.daemon.forwarded()[0]?.bytes).toBe(
      "POST /exec/x/start HTTP/1.1\r\nHost: docker\r\nUser-Agent: sandbox-deploy-guard\r\n" +
        "Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n",
    );
  });

  test("carries 20 MB of anything in both directions at once, to the byte", async () => {
    const { client, engine } = await joined();
    const [there, back] = [randomBytes(20_000_000), randomBytes(20_000_000)];
    const arrived = readAll(engine);
    client.socket.end(there);
    engine.end(back);
    expect(sha(await arrived)).toBe(sha(there));
    await client.closed;
    expect(sha(bodyOf(client.received()))).toBe(sha(back));
  });

  test("says of its end how much went through", async () => {
    const { client, engine, rig } = await joined("1234");
    client.socket.end("123");
    await readAll(engine);
    engine.end("5");
    await client.closed;
    await eventually(() =>
      expect(rig.audit()).toMatchObject([
        { event: "begin", target: "/exec/x/start" },
        { event: "end", status: 101, bytesIn: 3, bytesOut: 5 },
      ]),
    );
    expect(rig.guard.status().openStreams).toBe(0);
  });

  test("goes on in one direction when the other has ended: the client's", async () => {
    const { client, engine } = await joined();
    client.socket.end("question");
    expect((await readAll(engine)).toString()).toBe("question");
    engine.write("answer");
    await client.until("answer");
    engine.end(", and more");
    expect(await client.closed).toMatch(/answer, and more$/);
  });

  test("goes on in one direction when the other has ended: the engine's", async () => {
    const { client, engine } = await joined();
    engine.end("all");
    await client.closed;
    client.socket.write("still");
    const [chunk] = await once(engine.resume(), "data");
    expect(String(chunk)).toBe("still");
    client.socket.end();
    await once(engine, "end");
  });

  test("ends at the engine when the client is killed", async () => {
    const { client, engine, rig } = await joined();
    engine.resume();
    client.socket.destroy();
    await eventually(() => expect(rig.daemon.open()).toBe(0));
    await eventually(() => expect(rig.guard.status().connections.open).toBe(0));
  });

  test("delivers what a client wrote before it was killed", async () => {
    const { client, engine } = await joined();
    const last = randomBytes(3_000_000);
    client.socket.write(last, () => client.socket.destroy());
    expect(sha(await readAll(engine))).toBe(sha(last));
  });

  test("ends at the client when the engine is killed, with what it wrote before", async () => {
    const { client, engine, rig } = await joined();
    const last = randomBytes(3_000_000);
    engine.write(last, () => engine.destroy());
    await client.closed;
    expect(sha(bodyOf(client.received()))).toBe(sha(last));
    await eventually(() => expect(rig.guard.status().connections.open).toBe(0));
  });

  test.each(["engine", "client"])("takes no more from the %s than the other side reads", async (fast) => {
    const { client, engine, rig } = await joined();
    client.socket.pause();
    const [from, to] = fast === "engine" ? [engine, client.socket] : [client.socket, engine];
    const chunk = Buffer.alloc(100_000, "x");
    const chunks = 2000;
    let accepted = 0;
    const writing = (async () => {
      for (; accepted < chunks; accepted += 1) if (!from.write(chunk)) await once(from, "drain");
      from.end();
    })();
    let before = -1;
    await eventually(() => {
      const last = before;
      before = accepted;
      expect(before).toBe(last);
    });
    // Buffers of sockets and streams hold a few hundred kilobytes; the rest waits where it comes from.
    expect(accepted).toBeLessThan(chunks / 10);
    const arrived = readAll(to);
    await writing;
    expect((await arrived).length).toBe(chunks * chunk.length);
    to.end();
    await eventually(() => expect(rig.guard.status().openStreams).toBe(0));
  });

  test("gets nothing of the client before the engine has switched", async () => {
    const started = await start("duplex");
    let engine: Socket | undefined;
    started.daemon.answer(() => ({
      take: (socket) => {
        engine = socket.pause();
      },
    }));
    const client = await connectTo(started, ...startExec);
    client.socket.write("early bytes");
    await eventually(() => expect(engine).toBeDefined());
    expect(started.daemon.forwarded()).toHaveLength(1);
    expect(engine?.read()).toBeNull();
    engine?.write(switching);
    const [chunk] = await once(engine?.resume() ?? client.socket, "data");
    expect(String(chunk)).toBe("early bytes");
  });

  test("carries everything and ends as it should also when the request came in pieces", async () => {
    const started = await start("duplex");
    const waiting = taken(started);
    const client = await openRaw(started.socketPath);
    clients.push(client);
    const pieces = ["POST /exec/x/start HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"];
    for (const piece of [...pieces, "Content-Length: 4\r\n\r\n", "{", "  ", "}early"]) {
      client.socket.write(piece);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const engine = await waiting;
    await client.until("\r\n\r\n");
    const there = randomBytes(3_000_000);
    const arrived = readAll(engine);
    client.socket.end(there);
    engine.write("answer");
    await client.until("answer");
    expect(sha(await arrived)).toBe(sha(Buffer.concat([Buffer.from("early"), there])));
    expect(started.audit()[0]).toMatchObject({ bytesIn: 4 });
    client.socket.destroy();
    await eventually(() => expect(started.guard.status()).toMatchObject({ openStreams: 0, connections: { open: 0 } }));
    // Who has heard the end of what the other side says notices only by writing that it is gone altogether.
    engine.write("x");
    await eventually(() => expect(started.daemon.open()).toBe(0));
  });

  test("that the engine refuses is an ordinary answer, and what came behind it goes nowhere", async () => {
    const started = await start("duplex");
    started.daemon.answer(() => ({ status: 409, body: { message: "Container x is not running" } }));
    const client = await connectTo(started, ...startExec);
    client.socket.write("GET /containers/json HTTP/1.1\r\nHost: docker\r\n\r\n");
    expect(await client.closed).toMatch(
      /^HTTP\/1\.1 409 Conflict\r\n[\s\S]*\r\n\r\n\{"message":"Container x is not running"\}\n$/,
    );
    expect(started.daemon.requests).toHaveLength(1);
    expect(started.daemon.strayBytes()).toBe("");
    await eventually(() => expect(started.guard.status().connections.open).toBe(0));
  });

  test("is not given to a client that did not ask for it: it gets the output", async () => {
    const started = await start("duplex");
    started.daemon.answer(() => ({ take: (socket) => void socket.end("HTTP/1.1 200 OK\r\n\r\noutput") }));
    const client = await connectTo(started, "POST /exec/x/start HTTP/1.1", "Content-Length: 0", "Connection: close");
    expect(await client.closed).toContain("output");
    expect(started.daemon.forwarded()[0]?.bytes).not.toContain("Upgrade");
  });

  test("is not given for an ordinary answer, even where the client asked for it", async () => {
    const started = await start("none");
    const client = await connectTo(started, "GET /_ping HTTP/1.1", ...upgrading);
    expect(await client.closed).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nOK$/);
    expect(started.daemon.forwarded()[0]?.bytes).not.toContain("Upgrade");
  });

  test("ends with the guard, on both sides", async () => {
    const { client, engine, rig } = await joined();
    engine.resume();
    await rig.guard.stop();
    await client.closed;
    await eventually(() => expect(rig.daemon.open()).toBe(0));
    expect(rig.audit().at(-1)).toMatchObject({ event: "end", status: 101 });
  });
});

describe("an answer that goes on", () => {
  /** The daemon's side of a download whose head has been sent. */
  async function download(): Promise<{ rig: GuardRig; client: RawConnection; engine: Socket }> {
    const started = await start("download");
    const waiting = new Promise<Socket>((resolve) => {
      started.daemon.answer(() => ({
        take: (socket) => {
          socket.write("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
          resolve(socket);
        },
      }));
    });
    const client = await connectTo(started, "POST /containers/x/wait HTTP/1.1", "Content-Length: 0");
    return { rig: started, client, engine: await waiting };
  }

  test("begins for the client when it begins for the guard, before there is any content", async () => {
    const { client } = await download();
    expect(await client.until("\r\n\r\n")).toMatch(
      /^HTTP\/1\.1 200 OK\r\n(?:.*\r\n)*Content-Type: application\/json\r\n/,
    );
  });

  test("comes piece by piece, as the engine sends it", async () => {
    const { client, engine } = await download();
    for (const piece of ["one", "two"]) {
      engine.write(`3\r\n${piece}\r\n`);
      await client.until(piece);
    }
    engine.end("0\r\n\r\n");
    await client.until("0\r\n\r\n");
  });

  test("ends at the engine when the client is killed", async () => {
    const { client, rig } = await download();
    await client.until("\r\n\r\n");
    client.socket.destroy();
    await eventually(() => expect(rig.daemon.open()).toBe(0));
    await eventually(() =>
      expect(rig.audit().at(-1)).toMatchObject({ event: "end", status: 200, message: "the client left" }),
    );
  });

  test("that the engine breaks off is not a whole one for the client", async () => {
    const { client, engine, rig } = await download();
    engine.write("3\r\none\r\n");
    await client.until("one");
    engine.destroy();
    expect(await client.closed).not.toContain("0\r\n\r\n");
    await eventually(() => expect(rig.audit().at(-1)).toMatchObject({ event: "end", bytesOut: 3 }));
  });

  test("has no time limit, unlike a plain one", async () => {
    const started = await startRig({ decide: passOn("download"), timeouts: { silenceMs: 20 } });
    rig = started;
    let engine: Socket | undefined;
    started.daemon.answer(() => ({
      take: (socket) => {
        engine = socket;
      },
    }));
    const client = await connectTo(started, "GET /slow HTTP/1.1", "Connection: close");
    await eventually(() => expect(engine).toBeDefined());
    // Later than the limit of a plain answer, which would be 504 by now.
    await new Promise((resolve) => setTimeout(resolve, 200));
    engine?.end("HTTP/1.1 200 OK\r\n\r\nlate");
    expect(await client.closed).toContain("late");
  });
});
