import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTrustedProxy } from "../../src/gateway/trusted-proxy.ts";
import { apiKey, type GatewayRig, startRig } from "./support/gateway-rig.ts";
import { type RedisServer, startRedis } from "./support/redis-server.ts";

const proxyAddress = "172.20.0.3";

/** A proxy whose addresses a test decides, with the lookups that were made for it. */
function proxyAt(...addresses: string[]) {
  const state = { addresses, now: 0, lookups: 0, reason: "" };
  const lookup = async () => {
    state.lookups += 1;
    if (state.reason !== "") throw new Error(state.reason);
    return state.addresses;
  };
  return { state, proxy: createTrustedProxy("proxy", lookup, () => state.now) };
}

describe("the proxy that may name its clients", () => {
  it("is whoever has its name's address, at the first hop only", async () => {
    const { proxy } = proxyAt(proxyAddress);
    expect(proxy.isTrusted(proxyAddress, 0)).toBe(false);
    await proxy.meet(proxyAddress);
    expect([proxy.isTrusted(proxyAddress, 0), proxy.isTrusted(`::ffff:${proxyAddress}`, 0)]).toEqual([true, true]);
    expect([proxy.isTrusted(proxyAddress, 1), proxy.isTrusted("172.20.0.4", 0)]).toEqual([false, false]);
  });

  it("is found again after it moved, and its old address counts for nothing then", async () => {
    const { proxy, state } = proxyAt(proxyAddress);
    await proxy.meet(proxyAddress);
    Object.assign(state, { addresses: ["172.20.0.9"], now: 5_000 });
    await proxy.meet("172.20.0.9");
    expect([proxy.isTrusted("172.20.0.9", 0), proxy.isTrusted(proxyAddress, 0)]).toEqual([true, false]);
  });

  it("is looked up once a second at most, however many strangers come", async () => {
    const { proxy, state } = proxyAt(proxyAddress);
    for (const stranger of ["10.0.0.1", "10.0.0.2", "10.0.0.3"]) await proxy.meet(stranger);
    expect(state.lookups).toBe(1);
    state.now = 1_000;
    await proxy.meet("10.0.0.4");
    expect(state.lookups).toBe(2);
  });

  it("is nobody while its name has no address, and the reason is told once", async () => {
    const { proxy, state } = proxyAt(proxyAddress);
    state.reason = "getaddrinfo ENOTFOUND proxy";
    expect(await proxy.meet(proxyAddress)).toBe("getaddrinfo ENOTFOUND proxy");
    expect(await proxy.meet(proxyAddress)).toBeUndefined();
    expect(proxy.isTrusted(proxyAddress, 0)).toBe(false);
  });

  it("is nobody where none is named", async () => {
    const proxy = createTrustedProxy(
      undefined,
      async () => [proxyAddress],
      () => 0,
    );
    await proxy.meet(proxyAddress);
    expect(proxy.isTrusted(proxyAddress, 0)).toBe(false);
  });
});

describe("guests who guess keys", () => {
  let redis: RedisServer;
  let rig: GatewayRig;
  beforeAll(async () => {
    redis = await startRedis();
    rig = await startRig(redis, { rateLimitPerMinute: 2 }, proxyAt(proxyAddress).proxy);
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
