import { expect, test } from "vitest";
import {
  type EngineOutlets,
  outageOf,
  parseOutlets,
  questionFor,
  registryOf,
} from "../../../src/core/stack/registry.ts";

test.each([
  ["alpine", "docker.io"],
  ["library/alpine:3", "docker.io"],
  ["docker.io/alpine", "docker.io"],
  ["index.docker.io/alpine", "docker.io"],
  ["ghcr.io/owner/name:1", "ghcr.io"],
  ["localhost/name", "localhost"],
  ["registry:5000/name@sha256:1", "registry:5000"],
  ["owner/name", "docker.io"],
])("%s is of the registry %s", (reference, registry) => {
  expect(registryOf(reference)).toBe(registry);
});

const direct: EngineOutlets = { name: "here", mirrors: [], special: [], insecureRanges: false, proxy: "", noProxy: "" };
const hub = "https://registry-1.docker.io/v2/";
const proxied = { ...direct, proxy: "http://proxy.test:3128" };

test.each<[what: string, registry: string, outlets: EngineOutlets, expected: unknown]>([
  ["Docker Hub by its own host", "docker.io", direct, { url: hub }],
  ["another one by its name", "ghcr.io", direct, { url: "https://ghcr.io/v2/" }],
  ["one behind the engine's proxy through that", "docker.io", proxied, { url: hub, proxy: proxied.proxy }],
  [
    "one that is exempt from it without",
    "ghcr.io",
    { ...proxied, noProxy: "localhost, .ghcr.io" },
    { url: "https://ghcr.io/v2/" },
  ],
  ["all that are exempt without", "docker.io", { ...proxied, noProxy: "*" }, { url: hub }],
  ["none of another machine's engine", "docker.io", { ...direct, name: "there" }, undefined],
  ["none behind a mirror", "docker.io", { ...direct, mirrors: ["https://mirror.test"] }, undefined],
  [
    "others beside a mirror, which is Docker Hub's",
    "ghcr.io",
    { ...direct, mirrors: ["x"] },
    { url: "https://ghcr.io/v2/" },
  ],
  ["none without TLS", "reg.test:5000", { ...direct, special: ["reg.test:5000"] }, undefined],
  ["none in a range without TLS", "reg.test:5000", { ...direct, insecureRanges: true }, undefined],
  ["none of this machine", "localhost:5000", direct, undefined],
  [
    "none behind a proxy whose login is hidden",
    "docker.io",
    { ...direct, proxy: "http://xxxxx:xxxxx@p.test" },
    undefined,
  ],
])("a question as the engine would ask it goes to %s", (_what, registry, outlets, expected) => {
  const question = questionFor(registry, outlets, "here");
  expect(question).toEqual(expected === undefined ? undefined : { registry, ...Object(expected) });
});

test.each([
  [{ ok: true, status: 401 }, undefined],
  [{ ok: true, status: 200 }, undefined],
  [{ ok: true, status: 404 }, undefined],
  [{ ok: true, status: 503 }, "it answers 503"],
  [{ ok: false, reason: "getaddrinfo ENOTFOUND registry-1.docker.io" }, "its name cannot be resolved"],
  [{ ok: false, reason: "getaddrinfo EAI_AGAIN registry-1.docker.io" }, "its name cannot be resolved"],
  [{ ok: false, reason: "connect ECONNREFUSED 192.0.2.1:443" }, "connect ECONNREFUSED 192.0.2.1:443"],
  [{ ok: false, reason: "no answer within 4 seconds" }, "no answer within 4 seconds"],
  [{ ok: false, reason: "socket hang up" }, "socket hang up"],
  [{ ok: false, reason: "unable to get local issuer certificate" }, undefined],
  [{ ok: false, reason: "self-signed certificate in certificate chain" }, undefined],
] as const)("%j is an outage: %s", (answer, expected) => {
  expect(outageOf(answer)).toBe(expected);
});

test("what an engine says of itself is read, and anything else is not taken for it", () => {
  const info = {
    Name: "here",
    RegistryConfig: { IndexConfigs: { "docker.io": { Mirrors: [], Secure: true }, "r:5000": { Secure: false } } },
  };
  expect(parseOutlets(info)).toEqual({ ...direct, special: ["r:5000"] });
  const ranges = (...InsecureRegistryCIDRs: string[]) =>
    parseOutlets({ ...info, RegistryConfig: { InsecureRegistryCIDRs } })?.insecureRanges;
  expect([ranges("127.0.0.0/8", "::1/128"), ranges("10.0.0.0/8")]).toEqual([false, true]);
  for (const other of [undefined, "", {}, { Name: "here" }]) expect(parseOutlets(other)).toBeUndefined();
});
