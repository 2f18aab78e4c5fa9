import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type GatewayRig, startRig } from "./support/gateway-rig.ts";
import { type RedisServer, startRedis } from "./support/redis-server.ts";

let redis: RedisServer;
let rig: GatewayRig;

beforeAll(async () => {
  redis = await startRedis();
  rig = await startRig(redis);
});
afterAll(async () => {
  await rig?.close();
  await redis?.remove();
});

describe("what everybody sees", () => {
  it("is health without a key", async () => {
    const answer = await rig.app.inject("/health");
    expect([answer.statusCode, answer.json()]).toEqual([200, { status: "ok", mode: "local" }]);
  });

  it.each([
    ["/", "text/html"],
    ["/style.css", "text/css"],
    ["/page.js", "text/javascript"],
    ["/favicon.svg", "image/svg+xml"],
  ])("is the page's %s, under a policy that allows nothing inline and nothing from elsewhere", async (url, type) => {
    const answer = await rig.app.inject(url);
    expect(answer.statusCode).toBe(200);
    expect(answer.headers["content-type"]).toContain(type);
    expect(answer.headers["content-security-policy"]).toMatch(/^default-src 'none'; script-src 'self';/);
    expect(answer.headers["content-security-policy"]).not.toMatch(/unsafe|\*/);
    expect(answer.headers["x-content-type-options"]).toBe("nosniff");
  });

  it("is nothing else", async () => {
    for (const url of ["/page/index.html", "/../package.json", "/server.js", "/metrics"]) {
      expect((await rig.app.inject(url)).statusCode).toBe(404);
    }
  });
});
