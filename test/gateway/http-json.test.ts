import { createServer, type RequestListener, type Server } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { requestJson } from "../../src/gateway/http-json.ts";

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return typeof address === "object" && address ? `http://127.0.0.1:${address.port}/path?a=b` : "";
}

const signal = AbortSignal.timeout(600_000);
const ask = (url: string, more: Partial<Parameters<typeof requestJson>[0]> = {}) =>
  requestJson({ method: "GET", url, signal, ...more });

describe("a request for JSON", () => {
  it("sends body and headers, and gives status and answer", async () => {
    const url = await serve(async (request, response) => {
      const [body] = await request.toArray();
      const { "content-type": type, "x-api-key": key } = request.headers;
      response.writeHead(418).end(JSON.stringify([request.method, request.url, type, key, String(body)]));
    });
    const asked = ask(url, { method: "POST", headers: { "x-api-key": "k" }, body: { größe: 1 } });
    expect(await asked).toEqual({
      status: 418,
      body: ["POST", "/path?a=b", "application/json", "k", '{"größe":1}'],
    });
  });

  it("that is led elsewhere stays where it is, with its key", async () => {
    const seen: unknown[] = [];
    const other = await serve((request, response) => response.end(String(seen.push(request.headers))));
    const url = await serve((_request, response) => response.writeHead(307, { location: other }).end());
    expect(await ask(url, { headers: { "x-api-key": "k" } })).toEqual({ status: 307, body: undefined });
    expect(seen).toEqual([]);
  });

  it("whose answer is longer than allowed, breaks off or does not come says so", async () => {
    const long = await serve((_request, response) => response.end("x".repeat(11)));
    await expect(ask(long, { answerBytesMax: 10 })).rejects.toThrow("the answer is longer than 10 bytes");
    const broken = await serve((_request, response) => {
      response.writeHead(200, { "content-length": 10 }).write("x");
      setTimeout(() => response.destroy(), 20);
    });
    await expect(ask(broken)).rejects.toThrow("ECONNRESET");
    const silent = await serve(() => undefined);
    await expect(ask(silent, { signal: AbortSignal.timeout(50) })).rejects.toThrow("aborted due to timeout");
  });
});
