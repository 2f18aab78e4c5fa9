import { describe, expect, test } from "vitest";
import { frontDoorOf, liveDoorOf } from "../../../src/core/public/front-door.ts";
import { modelOf } from "../../support/granted.ts";
import { configOf, container } from "../plan/plan-facts.ts";

function door(...ports: Record<string, unknown>[]): string | undefined {
  return frontDoorOf(modelOf({ services: { proxy: { image: "demo:1", ports } } }), configOf());
}

describe("the front door", () => {
  test.each([
    [undefined, "http://127.0.0.1:2026"],
    ["", "http://127.0.0.1:2026"],
    ["0.0.0.0", "http://127.0.0.1:2026"],
    ["*", "http://127.0.0.1:2026"],
    ["::", "http://[::1]:2026"],
    ["[::]", "http://[::1]:2026"],
    ["127.0.0.1", "http://127.0.0.1:2026"],
    ["::1", "http://[::1]:2026"],
    ["[::1]", "http://[::1]:2026"],
    ["192.0.2.7", "http://192.0.2.7:2026"],
    ["2001:db8::7", "http://[2001:db8::7]:2026"],
  ])("of a port published on %j is %s", (host_ip, expected) => {
    expect(door({ host_ip, target: 8080, published: "2026", protocol: "tcp" })).toBe(expected);
  });

  test.each([
    ["a random port", { target: 8080, protocol: "tcp" }],
    ["port zero", { target: 8080, published: "0", protocol: "tcp" }],
    ["a range of ports", { target: 8080, published: "8000-8010", protocol: "tcp" }],
    ["a UDP port", { target: 8080, published: "443", protocol: "udp" }],
  ])("is not known from %s", (_, port) => {
    expect(door(port)).toBeUndefined();
  });

  test("on a port that the engine chose is where the running proxy has it, and only that", () => {
    const on = (HostPort: string) => ({
      network: { Ports: { "8080/tcp": [{ HostIp: "127.0.0.1", HostPort }] } },
    });
    const running = [container("store", on("6379")), container("proxy", on("32768"))];
    expect(liveDoorOf(running, configOf())).toBe("http://127.0.0.1:32768");
    expect(liveDoorOf([container("store", on("6379")), container("proxy")], configOf())).toBeUndefined();
  });

  test("is the first port that is fixed and speaks TCP", () => {
    const udp = { target: 443, published: "443", protocol: "udp" };
    expect(door(udp, { target: 80 }, { target: 80, published: 8080 }, { target: 81, published: "81" })).toBe(
      "http://127.0.0.1:8080",
    );
  });

  test("belongs to the service that the configuration calls the proxy", () => {
    const nginx = { image: "demo:1", ports: [{ target: 80, published: "80" }] };
    const model = modelOf({ services: { nginx } });
    expect(frontDoorOf(model, configOf())).toBeUndefined();
    expect(frontDoorOf(model, configOf({ compose: { proxy: "nginx" } }))).toBe("http://127.0.0.1:80");
  });

  test.each<[string, number, base: string | undefined, expected: string]>([
    ["the default stack on its own port", 8443, undefined, "https://a.example"],
    ["the default stack on another", 9000, undefined, "http://127.0.0.1:443"],
    ["somebody else's stack on any", 9000, "stack.yaml", "https://a.example"],
  ])("with TLS is the domain where HTTPS ends in %s", (_where, target, base, expected) => {
    const model = modelOf({ services: { proxy: { image: "demo:1", ports: [{ target, published: "443" }] } } });
    const config = configOf({
      public: { tls: "internal", domain: "a.example" },
      ...(base === undefined ? {} : { compose: { base } }),
    });
    expect(frontDoorOf(model, config)).toBe(expected);
  });
});
