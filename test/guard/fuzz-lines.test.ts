import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decide } from "../../src/guard/decision/decide.ts";
import type { Decision } from "../../src/guard/decision/decision.ts";
import { someRuns } from "../support/some-of.ts";
import { decided, foreign, hexId, knownFacts, mine, openPolicy } from "./support/decisions.ts";
import { readAsGo, readQueryAsGo } from "./support/go-json.ts";

/** Lines as clients write them; `N` is a container, `E` an exec, `I` an image, `F` filters. */
const usual = [
  ...["HEAD /_ping", "GET /version", "GET /info", "GET /containers/json?all=1", "GET /containers/json?filters=F"],
  ...["GET /events?filters=F", "GET /images/json", "GET /images/json?filters=F", "GET /images/I/json"],
  ...["POST /images/create?fromImage=I", "POST /images/create?fromImage=I&tag=1", "GET /containers/N/json?size=0"],
  ...["GET /containers/N/logs?stdout=1&tail=all", "GET /containers/N/top", "GET /containers/N/stats?stream=false"],
  ...["POST /containers/N/start", "POST /containers/N/stop?t=100", "POST /containers/N/kill?signal=KILL"],
  ...[
    "POST /containers/N/wait?condition=removed",
    "POST /containers/N/attach?stream=1",
    "DELETE /containers/N?force=True",
  ],
  ...["GET /containers/N/archive?path=%2Fetc", "POST /containers/N/resize?h=1&w=1", "POST /containers/N/pause"],
  ...[
    "GET /exec/E/json",
    "POST /exec/E/resize?h=1&w=1",
    "POST /containers/N/rename?name=x",
    "GET /containers/N/export",
  ],
  ...["GET /networks/N", "GET /volumes/N", "POST /build", "POST /containers/N/update", "GET /containers/N/../json"],
];
const own = ["box-mine", mine.id, "aaaa"];
const names = [...own, ...own, "database", "nobody", foreign.id, "ffff", "..", "%2e%2e", "a/b", "", "json", "create"];
const execs = [hexId("b"), hexId("b"), hexId("e"), hexId("c"), "x", "..", ""];
const images = [
  "python",
  "team/sandbox:1",
  "team/sandbox",
  "111111111111",
  "postgres:16",
  "333333333333",
  "../x",
  "a//b",
];
const filters = [
  ...['{"label":{"a":true}}', "{}", '{"label":[]}', '{"label":["sandbox-deploy.guard=other"]}', '{"LABEL":["x"]}'],
  ...['{"name":["x"]}', '{"since":["database"]}', '{"reference":["python","*"]}', '{"reference":["python"]}', "{"],
];
const noise = fc
  .tuple(
    fc.constantFrom("all", "t", "signal", "force", "link", "path", "tag", "fromSrc", "filters", "All", "%61ll", ""),
    fc.constantFrom("1", "0", "x", "-1", "%31", "%00", "postgres", "a%26b%3Dc", "a;b=1", "1+2", "{}"),
  )
  .map(([name, value]) => `${name}=${value}`);

const lines = fc
  .tuple(
    fc.constantFrom(...usual),
    fc.record({
      N: fc.constantFrom(...names),
      E: fc.constantFrom(...execs),
      I: fc.constantFrom(...images),
      F: fc.constantFrom(...filters),
    }),
    fc.constantFrom("", "", "", "", "/v1.41", "/v1.24", "/v1.23", "/v1.99", "/v01.41", "//v1.41", "/v1.41/."),
    fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.array(noise, { maxLength: 3 }) }),
    fc.constantFrom("&", "&", "&", "&&", ";"),
    fc.constantFrom(undefined, undefined, undefined, undefined, "GET", "POST", "HEAD", "DELETE", "PUT"),
  )
  .map(([line, parts, version, extra, separator, method]) => {
    const [usualMethod = "", target = ""] = line.split(" ");
    const filled = target
      .replace(/(?<=\/)N|(?<=\/)E|(?<=\/)I|(?<==)I/, (letter) =>
        letter === "N" ? parts.N : letter === "E" ? parts.E : parts.I,
      )
      .replace("=F", `=${encodeURIComponent(parts.F)}`);
    const query = extra.length === 0 ? "" : `${filled.includes("?") ? separator : "?"}${extra.join(separator)}`;
    return `${method ?? usualMethod} ${version}${filled}${query}`;
  });

/** Every place that a request of this world may reach: nothing of somebody else, and no name that the engine resolves. */
const reachable = new RegExp(
  `^/v1\\.(?:2[4-9]|3\\d|4[01])/(?:_ping|version|events|containers/(?:json|create|${mine.id}(?:/[a-z]+)?)|` +
    `exec/${hexId("b")}/[a-z]+|images/(?:json|create|sha256:(?:${hexId("1")}|${hexId("2")})/json))(?:\\?|$)`,
);

function judgeTarget(decision: Decision): void {
  if (decision.kind !== "forward") return;
  const { target, method } = decision.request;
  expect(target).toMatch(reachable);
  expect(target).not.toContain(foreign.id);
  const [path = "", query = ""] = target.split("?");
  const read = readQueryAsGo(query);
  for (const found of read.values()) expect(found).toHaveLength(1);
  const sentFilters = read.get("filters")?.[0];
  if (/\/(?:containers\/json|events)$/.test(path)) {
    const labels = readAsGo(sentFilters ?? "{}").get("label");
    expect(labels instanceof Map && labels.has("sandbox-deploy.guard=test")).toBe(true);
  }
  if (/\/images\/json$/.test(path)) {
    const references = readAsGo(sentFilters ?? "{}").get("reference");
    expect(references instanceof Map ? [...references.keys()] : []).toSatisfy(
      (found: string[]) =>
        found.length > 0 && found.every((each) => ["team/sandbox:1", "python:latest"].includes(each)),
    );
  }
  if (/\/images\/create$/.test(path) && method === "POST")
    expect(["docker.io/library/python latest", "docker.io/team/sandbox 1"]).toContain(
      `${read.get("fromImage")?.[0]} ${read.get("tag")?.[0]}`,
    );
}

describe("whatever line a request has", () => {
  test("it reaches only what is ours, by full id, with each parameter once", () => {
    let sent = 0;
    fc.assert(
      fc.property(lines, (line) => {
        const decision = decided(line);
        sent += decision.kind === "forward" ? 1 : 0;
        judgeTarget(decision);
      }),
      { numRuns: someRuns(6000) },
    );
    expect(sent).toBeGreaterThan(someRuns(200));
  });

  test("the same request gets the same decision, and one that was sent on would be sent on as it is", () => {
    fc.assert(
      fc.property(lines, (line) => {
        const decision = decided(line);
        expect(decided(line)).toEqual(decision);
        if (decision.kind !== "forward") return;
        const again = decided(`${decision.request.method} ${decision.request.target}`);
        expect(again.kind === "forward" && again.request).toEqual(decision.request);
      }),
      { numRuns: someRuns(2000) },
    );
  });
});

test("no bytes at all, in any place of a request, make the decision anything but a decision", () => {
  const text = fc.string({ unit: "binary", maxLength: 40 });
  const header = fc.tuple(
    fc.oneof(text, fc.constantFrom("Content-Length", "Upgrade", "Connection", "Content-Type")),
    text,
  );
  const wild = fc.record({
    method: fc.oneof(text, fc.constantFrom("GET", "POST")),
    target: fc.oneof(
      text,
      text.map((each) => `/containers/${each}`),
      text.map((each) => `/containers/json?${each}`),
    ),
    headers: fc.array(header, { maxLength: 4 }),
    body: fc.uint8Array({ maxLength: 40 }),
  });
  fc.assert(
    fc.property(wild, (each) => {
      const decision = decide(each, openPolicy, knownFacts);
      judgeTarget(decision);
      if (decision.kind === "deny") expect(decision.message).toMatch(/^[ -~]*$/);
    }),
    { numRuns: someRuns(3000) },
  );
});

test("the lenient model of a query sees every value, or the properties above would show nothing", () => {
  expect(readQueryAsGo("a=1&a=2&b=%41+;c=1&d;e=1").get("a")).toEqual(["1", "2"]);
});
