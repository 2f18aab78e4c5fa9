import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { coversName, lifetimeLeft, lifetimeText, urgencyOf } from "../../../src/core/public/certificate.ts";
import { type DoorReport, doorFindings, doorText, lifetimeLine } from "../../../src/core/public/door-report.ts";
import { issuanceIn } from "../../../src/core/public/issuance.ts";

const day = 86_400_000;
const span = (from: number, until: number) => ({ notBefore: from * day, notAfter: until * day });

describe("what is left of a certificate's lifetime", () => {
  test.each([
    [90, 0, 1, "fine"],
    [90, 60, 1 / 3, "fine"],
    [90, 61, 29 / 90, "warning"],
    [90, 75, 1 / 6, "warning"],
    [90, 76, 14 / 90, "error"],
    [6, 5.5, 0.5 / 6, "error"],
    [90, 91, -1 / 90, "error"],
  ])("is a part of it, and not days: of %d days after %d", (whole, now, left, urgency) => {
    expect(lifetimeLeft(span(0, whole), now * day)).toBeCloseTo(left, 6);
    expect(urgencyOf(lifetimeLeft(span(0, whole), now * day))).toBe(urgency);
  });

  test("never grows as time goes on, whatever the certificate", () => {
    const time = fc.integer({ min: 0, max: 4e12 });
    fc.assert(
      fc.property(time, time, time, time, (from, until, one, two) => {
        const certificate = { notBefore: from, notAfter: until };
        const [early, late] = one < two ? [one, two] : [two, one];
        expect(lifetimeLeft(certificate, late)).toBeLessThanOrEqual(lifetimeLeft(certificate, early));
      }),
    );
  });

  test.each([
    [span(0, 90), 34, "62 % (56 days)"],
    [span(0, 0.5), 0.4, "20 % (2 hours)"],
    [span(0, 1), 3, "ended 2 days ago"],
  ])("reads well", (certificate, now, text) => {
    expect(lifetimeText(certificate, now * day)).toBe(text);
  });
});

test.each([
  ["agents.example", ["agents.example"], true],
  ["Agents.Example", ["agents.example"], true],
  ["a.agents.example", ["*.agents.example"], true],
  ["b.a.agents.example", ["*.agents.example"], false],
  ["agents.example", ["*.agents.example"], false],
  ["example", ["*"], false],
  ["agents.example", [], false],
])("whether a certificate is for %s by the names %j", (name, names, expected) => {
  expect(coversName({ names }, name)).toBe(expected);
});

describe("the proxy's log", () => {
  const line = (logger: string, msg: string, more: Record<string, unknown> = {}) =>
    JSON.stringify({ level: "info", ts: 1, logger, msg, identifier: "a.example", ...more });
  const failure = JSON.stringify({
    ...{ level: "error", logger: "tls.renew", msg: "will retry", attempt: 1 },
    error:
      "[a.example] Renew: [a.example] solving challenge: HTTP 400 - no such host (order=https://ca/1) (ca=https://ca/dir)",
  });

  test("says that a renewal fails, in the authority's words", () => {
    expect(
      issuanceIn([line("tls.obtain", "certificate obtained successfully"), failure].join("\n"), "a.example"),
    ).toEqual({
      ...{ kind: "failing", renewing: true },
      reason: "solving challenge: HTTP 400 - no such host",
    });
  });

  test("is believed in its newest word", () => {
    const log = [failure, "not JSON", line("tls.renew", "certificate renewed successfully")].join("\n");
    expect(issuanceIn(log, "a.example")).toEqual({ kind: "issued", renewed: true });
  });

  test("about another name, or about requests, says nothing", () => {
    expect(issuanceIn(line("tls.obtain", "certificate obtained successfully"), "b.example")).toEqual({
      kind: "silent",
    });
    expect(issuanceIn(line("http.log.access", "will retry", { error: "x" }), "a.example")).toEqual({ kind: "silent" });
  });
});

describe("the report on a front door", () => {
  const leaf = {
    ...{
      subject: "a.example",
      issuer: "CA",
      names: ["a.example"],
      fingerprint: "AB",
      isAuthority: false,
      key: "EC prime256v1",
    },
    ...span(0, 90),
  };
  const seen = {
    ok: true,
    protocol: "TLSv1.3",
    application: "h2",
    suite: "TLS_AES_128_GCM_SHA256",
    chain: [leaf],
  } as const;
  const report: DoorReport = {
    ...{ kind: "acme", domain: "a.example", isForeign: false, address: "127.0.0.1:443", seen },
    issuance: { kind: "silent" },
  };
  const said = (parts: Partial<DoorReport>, now = 1) =>
    doorFindings({ ...report, ...parts }, now * day).map(
      ({ severity, code, message }) => `${severity} ${code} ${message}`,
    );

  test("has nothing to say about one that is right", () => {
    expect(said({})).toEqual([]);
    expect(lifetimeLine(report, day)).toBe("acme, 98 % (89 days) of the certificate left");
  });

  test("of a short life may be renewed a little later than at a third, where the proxy does it", () => {
    const hours = 1 / 24;
    const short = { ...seen, chain: [{ ...seen.chain[0], notBefore: 0, notAfter: 12 * hours * day }] } as const;
    const warning = expect.stringMatching(/^warning D126 .* (31|32) % /);
    expect(said({ kind: "internal", seen: short }, 8.1 * hours)).toEqual([]);
    expect(said({ kind: "internal", seen: short }, 8.26 * hours)).toEqual([warning]);
    expect(said({ kind: "files", seen: short }, 8.1 * hours)).toEqual([warning]);
    expect(said({ kind: "internal", isForeign: true, seen: short }, 8.1 * hours)).toEqual([warning]);
  });

  test.each<[Partial<DoorReport>, number, string[]]>([
    [{}, 62, ["warning D126 the certificate for a.example has 31 % (28 days) of its lifetime left"]],
    [{}, 80, ["error D126 the certificate for a.example has 11 % (10 days) of its lifetime left"]],
    [{}, 92, ["error D126 the certificate for a.example ended 2 days ago"]],
    [
      { seen: { ok: false, reason: "connect ECONNREFUSED" } },
      1,
      ["error D128 no client gets a certificate for a.example at 127.0.0.1:443: connect ECONNREFUSED"],
    ],
    [
      { seen: { ...seen, distrust: "it is signed by itself" } },
      1,
      ["error D128 what 127.0.0.1:443 shows for a.example is not what it should: it is signed by itself"],
    ],
    [
      { kind: "files", seen: { ...seen, expected: "CD" } },
      1,
      [
        "error D128 what 127.0.0.1:443 shows for a.example is not what it should: it is another certificate than the one that was given to the proxy",
      ],
    ],
    [
      { domain: "b.example" },
      1,
      ["error D128 what 127.0.0.1:443 shows for b.example is not what it should: it is for a.example"],
    ],
    [
      { issuance: { kind: "failing", renewing: true, reason: "no such host" } },
      1,
      ["warning D127 the certificate for a.example could not be renewed, and the old one stays in use: no such host"],
    ],
  ])("names what is wrong: %#", (parts, now, expected) => {
    expect(said(parts, now)).toEqual(expected);
  });

  test("shows chain, names, lifetime, renewal and what a client sees", () => {
    expect(doorText({ ...report, seen: { ...seen, hsts: "max-age=300" } }, day, 80)).toBe(
      [
        "door      https://a.example at 127.0.0.1:443",
        "client    TLSv1.3, h2, TLS_AES_128_GCM_SHA256",
        "names     a.example",
        "chain     a.example < CA",
        "key       EC prime256v1",
        "lifetime  98 % (89 days) left of 90 days",
        "trusted   by whoever trusts its authority",
        "hsts      max-age=300",
        "renewal   by the proxy, when a third of the lifetime is left",
      ].join("\n"),
    );
  });
});
