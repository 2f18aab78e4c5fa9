import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readTarget, writeTarget } from "../../src/guard/request/target.ts";
import { someRuns } from "../support/some-of.ts";

function ruleOf(target: string): string | undefined {
  const read = readTarget(target);
  return read.kind === "deny" ? `${read.status} ${read.rule}` : undefined;
}

describe("a path is refused", () => {
  test.each([
    "/v1.41/%63ontainers/create",
    "/v1.41/containers%2fcreate",
    "/v1.41/containers/x%00/json",
    "/v1.41/./containers/create",
    "/v1.41/containers/../images/json",
    "/v1.41/containers/x/..",
    "/v1.41/containers/.",
    "//containers/json",
    "/v1.41//containers/json",
    "/containers/json//",
    "http://docker/containers/json",
    "docker:80",
    "*",
    "",
    "/",
    "containers/json",
    "/containers\\json",
    "/containers/json;x",
    "/containers/json#x",
    "/containers/json ",
    "/containers/\u00e9/json",
    "/containers/a~b/json",
    "/containers/a,b/json",
    "/containers/json\r\nHost: x",
    "/containers/{x}/json",
  ])("%j", (target) => {
    expect(ruleOf(target)).toBe("400 target.grammar");
  });

  test("that is longer than any client writes", () => {
    expect(ruleOf(`/${"a".repeat(9000)}`)).toBe("400 target.length");
  });
});

describe("a path is taken apart", () => {
  test.each([
    ["/_ping", undefined, "/_ping"],
    ["/v1.41/containers/json", "1.41", "/containers/json"],
    ["/v1.41/images/docker.io/library/a_b:c-d.e/json", "1.41", "/images/docker.io/library/a_b:c-d.e/json"],
    ["/images/a@sha256:ab/json", undefined, "/images/a@sha256:ab/json"],
    // Not versions, so parts of a path that no route has.
    ["/v01.41/containers/json", undefined, "/v01.41/containers/json"],
    ["/v1.410/containers/json", undefined, "/v1.410/containers/json"],
    ["/v1.4/containers/json", undefined, "/v1.4/containers/json"],
    ["/v2.41/containers/json", undefined, "/v2.41/containers/json"],
    ["/V1.41/containers/json", undefined, "/V1.41/containers/json"],
    ["/v1.41", undefined, "/v1.41"],
    ["/v1.41/v1.40/containers/json", "1.41", "/v1.40/containers/json"],
  ])("%s", (target, version, path) => {
    expect(readTarget(target)).toEqual({ kind: "read", value: { version, path, query: [] } });
  });
});

describe("a query is refused", () => {
  test.each([
    ["a=1;b=2", "query.grammar"],
    ["a=1&&b=2", "query.grammar"],
    ["&a=1", "query.grammar"],
    ["=1", "query.grammar"],
    ["a=%", "query.grammar"],
    ["a=%4", "query.grammar"],
    ["a=%zz", "query.grammar"],
    ["a=%ff", "query.grammar"],
    ["a=%c0%af", "query.grammar"],
    ["a=%ed%a0%80", "query.grammar"],
    ["a=%00", "query.grammar"],
    ["a=%0a", "query.grammar"],
    ["a=%7f", "query.grammar"],
    ["a%00=1", "query.grammar"],
    ["a=1#b", "query.grammar"],
    ["a=1?b=2", "query.grammar"],
    ['a={"b":1}', "query.grammar"],
    ["a=\u00e9", "query.grammar"],
    [Array.from({ length: 300 }, (_, index) => `a${index}=1`).join("&"), "query.length"],
  ])("%s", (query, rule) => {
    expect(ruleOf(`/containers/json?${query}`)).toBe(`400 ${rule}`);
  });
});

describe("a query is decoded once", () => {
  test.each([
    ["", []],
    ["a", [["a", ""]]],
    ["a=b=c", [["a", "b=c"]]],
    ["a=b+c%2Bd", [["a", "b c+d"]]],
    ["a=%2561", [["a", "%61"]]],
    ["a=%3B%26%3D", [["a", ";&="]]],
    [
      "A=1&a=2",
      [
        ["A", "1"],
        ["a", "2"],
      ],
    ],
    ["%C3%A9=%E2%82%AC", [["\u00e9", "\u20ac"]]],
    ["__proto__=1", [["__proto__", "1"]]],
  ])("%j", (query, pairs) => {
    const read = readTarget(`/x?${query}`);
    expect(read.kind === "read" && [...read.value.query]).toEqual(pairs);
  });

  test("and what is written is read as the same again", () => {
    const text = fc.string({ unit: "grapheme" }).filter((each) => !/[\u0000-\u001f\u007f]/.test(each));
    const name = fc.stringMatching(/^[a-zA-Z-]{1,8}$/);
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(name, text), { selector: ([each]) => each, maxLength: 6 }), (pairs) => {
        expect(readTarget(writeTarget("1.41", "/x/y", new Map(pairs)))).toEqual({
          kind: "read",
          value: { version: "1.41", path: "/x/y", query: pairs },
        });
      }),
    );
  });

  test("as URLSearchParams does, which knows the same grammar, wherever it is taken at all", () => {
    const piece = fc.constantFrom("a", "b", "=", "&", "+", "%41", "%26", "%", ";", "%c3%a9", "%E9", "[", "~", "''");
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 10 }), (pieces) => {
        const read = readTarget(`/x?${pieces.join("")}`);
        if (read.kind === "read") expect([...read.value.query]).toEqual([...new URLSearchParams(pieces.join(""))]);
      }),
    );
  });
});

test("no target is understood whose path the platform's URL parser would change", () => {
  const part = fc.constantFrom("/", "//", ".", "..", "a", "%2e", "%2F", "v1.41", "@", ":", "\\", "?", "#", "~", "json");
  fc.assert(
    fc.property(fc.array(part, { maxLength: 10 }), (parts) => {
      const target = `/${parts.join("")}`;
      const read = readTarget(target);
      if (read.kind !== "read") return;
      const path = target.split("?")[0];
      expect(new URL(target, "http://docker").pathname).toBe(path);
    }),
    { numRuns: someRuns(2000) },
  );
});
