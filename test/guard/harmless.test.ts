import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decideCreate } from "../../src/guard/model/container-create.ts";
import { serializeJson } from "../../src/guard/request/json.ts";
import { someRuns } from "../support/some-of.ts";
import { bodies } from "./support/bodies.ts";
import { bodyOf, create, factsOf, roomy } from "./support/create-world.ts";
import { harms } from "./support/harmless.ts";

describe("whatever a client asks for", () => {
  test("what is sent does no harm, or nothing is sent", () => {
    let sent = 0;
    const property = fc.property(bodies, (body) => {
      const decision = create(body);
      expect(decision.kind).not.toBe("ask");
      if (decision.kind !== "send") return;
      sent += 1;
      expect(harms(serializeJson(decision.body))).toEqual([]);
    });
    fc.assert(property, { numRuns: someRuns(1500) });
    // Or the property would hold for a guard that refuses everything.
    expect(sent).toBeGreaterThan(someRuns(200));
  });

  test("what is sent does no harm either where links lead anywhere", () => {
    const anywhere = fc.constantFrom(
      "/etc",
      "/",
      "/srv/data",
      "/srv/data/y",
      "/srv/data/shared/z",
      "/srv/data/a/b",
      undefined,
    );
    const property = fc.property(bodies, anywhere, anywhere, (body, first, second) => {
      const links = { "/srv/data/x": first, "/srv/data/y": second };
      const decision = create(body, { links });
      if (decision.kind === "send") expect(harms(serializeJson(decision.body))).toEqual([]);
    });
    fc.assert(property, { numRuns: 800 });
  });

  test("any JSON at all is answered with a decision", () => {
    const anything = fc.dictionary(fc.string(), fc.jsonValue());
    const property = fc.property(anything, fc.option(fc.string(), { nil: undefined }), (body, name) => {
      expect(decideCreate(name, bodyOf(body), roomy, factsOf()).kind).toBe("deny");
    });
    fc.assert(property, { numRuns: 300 });
  });
});

test("the list of harms is not blind: it names what the guard was written to keep away", () => {
  const decision = create({ Image: "team/sandbox:1" });
  const good = decision.kind === "send" ? JSON.parse(serializeJson(decision.body)) : {};
  const withHost = (host: object) => harms(JSON.stringify({ ...good, HostConfig: { ...good.HostConfig, ...host } }));
  expect(harms(JSON.stringify(good))).toEqual([]);
  for (const host of [
    { Privileged: true },
    { Privileged: false },
    { Binds: ["/:/host"] },
    { MaskedPaths: [] },
    { CapDrop: [] },
    { CapAdd: ["SYS_ADMIN"] },
    { SecurityOpt: ["no-new-privileges", "seccomp=unconfined"] },
    { NetworkMode: "host" },
    { PidsLimit: 0 },
    { Memory: 0 },
    { MemorySwap: -1 },
    { RestartPolicy: { Name: "always" } },
    { LogConfig: { Type: "json-file", Config: {} } },
    { Tmpfs: { "/t": "" } },
    { Mounts: [{ Type: "bind", Source: "/etc", Target: "/a", BindOptions: { Propagation: "rprivate" } }] },
    { PortBindings: { "8080/tcp": [{ HostIp: "0.0.0.0", HostPort: "8080" }] } },
  ]) {
    expect(withHost(host)).not.toEqual([]);
  }
  for (const more of [
    { Privileged: true },
    { Image: "evil" },
    { Labels: {} },
    { HostConfig: undefined },
    { Hostname: "db" },
  ]) {
    expect(harms(JSON.stringify({ ...good, ...more }))).not.toEqual([]);
  }
});
