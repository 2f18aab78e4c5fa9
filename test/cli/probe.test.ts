import { createServer, type RequestListener, type Server } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { probe } from "../../src/shell/network/probe.ts";

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** Starts a server on a free port and returns its URL. */
async function serve(listener: RequestListener): Promise<string> {
  const started = createServer(listener);
  server = started;
  await new Promise<void>((resolve) => started.listen(0, "127.0.0.1", resolve));
  const address = started.address();
  return typeof address === "object" && address ? `http://127.0.0.1:${address.port}/health` : "";
}

const never = new AbortController().signal;
const [soon, farAway] = [100, 600_000];

describe("the front door", () => {
  it("that answers is told with its status and body", async () => {
    const url = await serve((_request, response) => response.writeHead(503).end("not yet"));
    expect(await probe(url, farAway, never)).toEqual({ ok: true, status: 503, body: "not yet" });
  });

  it("that does not answer is given up at the deadline", async () => {
    const url = await serve(() => undefined);
    expect(await probe(url, soon, never)).toEqual({ ok: false, reason: "no answer within 0.1 seconds" });
  });

  it("whose answer trickles without an end is given up at the deadline", async () => {
    const url = await serve((_request, response) => {
      const trickle = setInterval(() => response.write("."), 10);
      response.on("close", () => clearInterval(trickle));
    });
    // On a slow machine it may not even have begun.
    const reason = expect.stringMatching(/^(the answer did not end|no answer) within 0\.5 seconds$/);
    expect(await probe(url, 500, never)).toEqual({ ok: false, reason });
  });

  it("whose answer pours without an end is told by its beginning", async () => {
    const url = await serve((_request, response) => {
      const pour = () => {
        while (!response.destroyed && response.write("x".repeat(10_000)));
      };
      response.on("drain", pour);
      pour();
    });
    expect(await probe(url, farAway, never)).toMatchObject({
      ok: true,
      status: 200,
      body: expect.stringMatching(/^x/),
    });
  });

  it.each([
    ["before it answers", false],
    ["in the middle of its answer", true],
  ])("that resets the connection %s is told in words", async (_when, begins) => {
    const url = await serve((request, response) => {
      if (begins) response.write("{", () => request.socket.resetAndDestroy());
      else request.socket.resetAndDestroy();
    });
    const answer = await probe(url, farAway, never);
    expect(answer).toEqual({ ok: false, reason: expect.stringMatching(/ECONNRESET|socket hang up|aborted/) });
  });

  it("that nobody has opened is told in words", async () => {
    const url = await serve(() => undefined);
    await new Promise((resolve) => server?.close(resolve));
    expect(await probe(url, farAway, never)).toMatchObject({
      ok: false,
      reason: expect.stringContaining("ECONNREFUSED"),
    });
  });

  it.each([
    ["before it answers", false],
    ["in the middle of its answer", true],
  ])("is not waited for any longer once the command is interrupted %s", async (_when, begins) => {
    const interruption = new AbortController();
    const url = await serve((_request, response) => {
      if (begins) response.write(".");
      interruption.abort();
    });
    expect(await probe(url, farAway, interruption.signal)).toMatchObject({ ok: false });
  });
});
