import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTrustedProxy } from "../../src/gateway/trusted-proxy.ts";
import { apiKey, type GatewayRig, startRig } from "./support/gateway-rig.ts";
import { type RedisServer, startRedis } from "./support/redis-server.ts";

const proxyAddress = "172.20.0.3";
const proxy = createTrustedProxy(
  "proxy",
  async () => [proxyAddress],
  () => 0,
);

describe("guests who guess keys", () => {
  let redis: RedisServer;
  let rig: GatewayRig;
  beforeAll(async () => {
    redis = await startRedis();
    rig = await startRig(redis, { rateLimitPerMinute: 2 }, proxy);
  });
  afterAll(async () => {
    await rig.close();
    await redis.stop();
  });

  /** Asks from an address, with what it says about whom it asks for. */
  const ask = async (remoteAddress: string, forwardedFor?: string, key = "wrong") => {
    const headers = {
      authorization: `Bearer ${key}`,
      ...(forwardedFor === undefined ? {} : { "x-forwarded-for": forwardedFor }),
    };
    return (await rig.app.inject({ url: "/api/sandbox", remoteAddress, headers })).statusCode;
  };

  it("behind the proxy have a budget each", async () => {
    const one = [await ask(proxyAddress, "198.51.100.1"), await ask(proxyAddress, "198.51.100.1")];
    expect([...one, await ask(proxyAddress, "198.51.100.1")]).toEqual([401, 401, 429]);
    expect(await ask(proxyAddress, "198.51.100.2")).toBe(401);
    expect(await ask(proxyAddress, "198.51.100.3", apiKey)).toBe(200);
  });

  it("get no new budget by what they write in front of what the proxy adds", async () => {
    const forged = ["203.0.113.1", "203.0.113.2", "203.0.113.3"].map((each) => `${each}, 198.51.100.9`);
    expect([await ask(proxyAddress, forged[0]), await ask(proxyAddress, forged[1])]).toEqual([401, 401]);
    expect(await ask(proxyAddress, forged[2])).toBe(429);
  });

  it("who come past the proxy are counted by their own address, whatever they claim", async () => {
    const claims = ["198.51.100.77", "198.51.100.78", proxyAddress];
    expect([await ask("172.20.0.50", claims[0]), await ask("172.20.0.50", claims[1])]).toEqual([401, 401]);
    expect(await ask("172.20.0.50", claims[2])).toBe(429);
    expect(await ask(proxyAddress, "198.51.100.77")).toBe(401);
  });
});
