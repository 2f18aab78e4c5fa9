import { describe, expect, test } from "vitest";
import { parseConfig } from "../../../src/core/config/config.ts";
import { publicUrl } from "../../../src/core/public/public-url.ts";
import { configOf } from "../plan/plan-facts.ts";

const read = (lines: readonly string[]) =>
  parseConfig({
    file: "deploy.config.yaml",
    text: ["version: 1", "public:", ...lines.map((line) => `  ${line}`), ""].join("\n"),
  });
const found = (...lines: string[]) =>
  read(lines).findings.map(({ at, code, message }) => `${at?.line}:${at?.column} ${code} ${message}`);

describe("the public part of a configuration", () => {
  test("left out is plain HTTP on loopback", () => {
    expect(configOf().public).toEqual({
      tls: "off",
      hstsSeconds: 300,
      trustedProxies: [],
      ...{ preset: "none", variables: {}, services: [], origins: [] },
      acme: { staging: false },
    });
  });

  test.each([
    [["tls: acme", "domain: agents.example.org"]],
    [["tls: off"]],
    [["tls: internal", "domain: agents"]],
    [["tls: files", "domain: a.example", "files: { certificate: c.pem, key: k.pem }"]],
    [["tls: acme", "domain: agents", "acme: { directory: 'https://ca.lan/dir', root: root.pem }"]],
    [["tls: acme", "domain: xn--bcher-kva.example", "acme: { eab: { keyId: kid-1, keyVariable: ACME_EAB_KEY } }"]],
    [
      [
        "tls: acme",
        "domain: a.example",
        "hstsSeconds: 63072000",
        "trustedProxies: [192.0.2.0/24, '2001:db8::/32', 10.0.0.1]",
      ],
    ],
  ])("is taken as %j", (lines) => {
    expect(found(...lines)).toEqual([]);
  });

  test.each<[lines: string[], expected: string[]]>([
    [["tls: acme"], ["3:8 D012 public.tls: acme needs public.domain"]],
    [["tls: internal"], ["3:8 D012 public.tls: internal needs public.domain"]],
    [["domain: a.example"], ["3:11 D012 public.domain: a domain needs tls"]],
    [["tls: on", "domain: a.example"], ["3:8 D012 public.tls must be one of off, internal, acme, files"]],
    [["tls: files", "domain: a.example"], ["3:8 D012 public.tls: files needs public.files"]],
    [["tls: acme", "domain: agents"], ["4:11 D012 public.domain: Let's Encrypt issues no certificate for this name"]],
    [["trustedProxies: [192.0.2.0/24]"], ["3:19 D012 public.trustedProxies: a proxy in front needs tls"]],
    [
      ["tls: acme", "domain: a.example", "acme: { staging: true, directory: 'https://ca.example/dir' }"],
      ["5:20 D012 public.acme.staging: staging is Let's Encrypt's, and public.acme.directory names another authority"],
    ],
    [
      ["tls: acme", "domain: a.example", "acme: { directory: 'http://ca.example/dir' }"],
      ["5:22 D012 public.acme.directory must be an https:// address"],
    ],
    [
      ["tls: acme", "domain: a.example", "hstsSeconds: 600"],
      ["5:16 D012 public.hstsSeconds must be one of 0, 300, 86400, 63072000"],
    ],
    [
      ["tls: acme", "domain: a.example", "acme: { eab: { keyId: kid, key: c2VjcmV0 } }"],
      ["5:11 D013 public.acme.eab.keyVariable is missing", "5:30 D011 public.acme.eab.key is not a known key"],
    ],
  ])("is refused at its place: %j", (lines, expected) => {
    expect(found(...lines).toSorted()).toEqual(expected.toSorted());
  });

  test.each([
    "https://a.example",
    "a.example/path",
    "a.example:443",
    "A.example",
    "a.example.",
    "-a.example",
    "a..b",
    "*.a.example",
    "192.0.2.1",
    "a b",
    "a_b.example",
  ])("takes no domain like %j", (domain) => {
    expect(found("tls: acme", `domain: '${domain}'`)[0]).toMatch(/^4:11 D012 public.domain must be a name such as/);
  });

  test.each([
    ["https://Agents.example.org/path", "; that is agents.example.org"],
    ["agents.example.org:8443", "; that is agents.example.org"],
    ["agents.example.org.", "; that is agents.example.org"],
    ["bücher.example", "; that is xn--bcher-kva.example"],
    ["192.0.2.1", "; an address is no name"],
    ["[2001:db8::1]", "; an address is no name"],
    ["*.a.example", "dot at the end"],
    ["a b", "dot at the end"],
  ])("says how %j is written, where that is a name", (domain, end) => {
    const [message = "", ...more] = found("tls: acme", `domain: '${domain}'`);
    expect(message.endsWith(end)).toBe(true);
    expect(more).toEqual([]);
  });

  test.each(["agents.lan", "agents.home.arpa", "my.internal"])(
    "takes %s for no name of a public authority",
    (domain) => {
      expect(found("tls: acme", `domain: ${domain}`)).toEqual([
        "4:11 D012 public.domain: Let's Encrypt issues no certificate for this name",
      ]);
      expect(found("tls: internal", `domain: ${domain}`)).toEqual([]);
    },
  );

  test.each(["https://ca.example/a b", "https://ca.example/{env.HOME}", "https://ca.example/`x`"])(
    "takes no directory like %j, which the proxy would read otherwise",
    (directory) => {
      expect(found("tls: acme", "domain: a.example", `acme: { directory: "${directory}" }`)).toEqual([
        "5:22 D012 public.acme.directory must be an https:// address without blanks, quotes and braces",
      ]);
    },
  );

  test.each(["192.0.2.0/33", "2001:db8::/129", "example.org", "private_ranges", "10.0.0.1 0.0.0.0/0"])(
    "takes no trusted proxy like %j",
    (proxy) => {
      expect(found("tls: acme", "domain: a.example", `trustedProxies: ['${proxy}']`)).toEqual([
        "5:20 D012 public.trustedProxies[0]: it must be an address or a range of addresses, such as 192.0.2.0/24 or 2001:db8::/32",
      ]);
    },
  );
});

describe("the public URL", () => {
  const url = (values: Record<string, unknown>, env: Record<string, string> = {}) =>
    publicUrl(configOf({ public: values }), new Map(Object.entries(env)));

  test("is https and the domain as soon as there is TLS, whatever the environment says", () => {
    expect(url({ tls: "acme", domain: "a.example" }, { BIND_HOST: "0.0.0.0", PORT: "81" })).toBe("https://a.example");
  });

  test.each<[env: Record<string, string>, expected: string]>([
    [{}, "http://127.0.0.1:2026"],
    [{ PORT: "", BIND_HOST: "" }, "http://127.0.0.1:2026"],
    [{ PORT: "80", BIND_HOST: "192.0.2.7" }, "http://192.0.2.7"],
    [{ BIND_HOST: "0.0.0.0" }, "http://127.0.0.1:2026"],
    [{ BIND_HOST: "::", PORT: "9000" }, "http://[::1]:9000"],
    [{ BIND_HOST: "2001:db8::7" }, "http://[2001:db8::7]:2026"],
  ])("without TLS is where the proxy publishes: %j", (env, expected) => {
    expect(url({}, env)).toBe(expected);
  });
});
