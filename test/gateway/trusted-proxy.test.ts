import { describe, expect, it } from "vitest";
import { createTrustedProxy } from "../../src/gateway/trusted-proxy.ts";

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
