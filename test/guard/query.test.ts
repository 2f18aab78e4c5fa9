import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readFilters, requiring, writeFilters } from "../../src/guard/request/filters.ts";
import { type ParameterType, readQuery } from "../../src/guard/request/query.ts";

function readOne(type: ParameterType, value: string): string | undefined {
  const query = readQuery({ x: type }, new Map([["x", value]]));
  if (query.kind === "deny") return query.rule;
  return query.kind === "read" ? query.value.parameters.get("x") : "asked";
}

/** As the engine reads a flag (api/server/httputils/form.go). */
function engineFlag(value: string): boolean {
  return !["", "0", "no", "false", "none"].includes(value.trim().toLowerCase());
}

describe("a flag", () => {
  test.each(["1", "true", "True", "TRUE", "yes", "0", "false", "False", "no", "none", "None", ""])(
    "%j means to the engine what it meant before",
    (value) => {
      expect(readOne({ kind: "flag" }, value)).toBe(engineFlag(value) ? "1" : "0");
    },
  );

  test.each(["f", "off", "n", "2", " ", "1 ", "true,false", "[]"])(
    "%j is refused, being true only to the engine",
    (value) => {
      expect(readOne({ kind: "flag" }, value)).toBe("query.value");
    },
  );
});

describe("a number", () => {
  const type: ParameterType = { kind: "integer", from: -1, to: 100 };

  test.each([
    ["5", "5"],
    ["-1", "-1"],
    ["007", "7"],
    ["-0", "0"],
    ["", undefined],
  ])("%j is sent as %j", (value, sent) => {
    expect(readOne(type, value)).toBe(sent);
  });

  test.each(["-2", "101", "1.0", "1e1", "0x1", "+1", " 1", "one", "99999999999"])("%j is refused", (value) => {
    expect(readOne(type, value)).toBe("query.value");
  });
});

test("a parameter that must not be set is taken where it asks for nothing, and left out", () => {
  const values = ["", "0", "False", "1", "x"];
  expect(values.map((value) => readOne({ kind: "unset" }, value))).toEqual([
    undefined,
    undefined,
    undefined,
    "query.refused",
    "query.refused",
  ]);
});

describe("a name that is not in the model", () => {
  test.each(["y", "X", "x ", "", "__proto__", "constructor", "toString"])("%j is refused", (name) => {
    expect(readQuery({ x: { kind: "flag" } }, new Map([[name, "1"]]))).toMatchObject({
      rule: "query.unknown",
      status: 403,
    });
  });
});

test("parameters are sent in the order of the model, whatever the client's was", () => {
  const model = { a: { kind: "flag" }, b: { kind: "flag" } } as const;
  const query = readQuery(
    model,
    new Map([
      ["b", "1"],
      ["a", "0"],
    ]),
  );
  expect(query.kind === "read" && [...query.value.parameters]).toEqual([
    ["a", "0"],
    ["b", "1"],
  ]);
});

describe("filters", () => {
  const names = { name: /^[ -~]*$/, label: /^[ -~]*$/, exited: /^\d+$/ };
  const parsed = (text: string) => {
    const filters = readFilters(text, names);
    if (filters.kind === "read") return Object.fromEntries(filters.value);
    return filters.kind === "deny" ? filters.rule : "asked";
  };

  test.each([
    ['{"name":["a","b"]}', { name: ["a", "b"] }],
    ['{"name":{"a":true,"b":true}}', { name: ["a", "b"] }],
    ['{"name":["a"],"label":{"x=y":true}}', { name: ["a"], label: ["x=y"] }],
    ['{"name":[],"volume":null,"label":{}}', {}],
    ["{}", {}],
    ["", {}],
  ])("%s are read in both forms", (text, filters) => {
    expect(parsed(text)).toEqual(filters);
  });

  test.each([
    ['{"volume":["a"]}', "query.filter-unknown"],
    ['{"Name":["a"]}', "query.filter-unknown"],
    ['{"label!":["a"]}', "query.filter-unknown"],
    ['{"__proto__":["a"]}', "query.filter-unknown"],
    ['{"exited":["a"]}', "query.filter-value"],
    ['{"name":["a\\u0000"]}', "json.string"],
    ['{"name":["a\\n"]}', "query.filter-value"],
    ['{"name":["a"],"NAME":["b"]}', "json.duplicate-key"],
    ['{"name":{"a":false}}', "query.filters"],
    ['{"name":{"a":1}}', "query.filters"],
    ['{"name":"a"}', "query.filters"],
    ['{"name":[1]}', "query.filters"],
    ['{"name":[["a"]]}', "query.filters"],
    ["[]", "query.filters"],
    ["null", "query.filters"],
    ['{"name":["a"]} {}', "json.trailing"],
  ])("%s are refused", (text, rule) => {
    expect(parsed(text)).toBe(rule);
  });

  test("are written so that they are read as the same", () => {
    const value = fc.stringMatching(/^[ -~]{0,10}$/);
    const list = fc.uniqueArray(value, { minLength: 1, maxLength: 4, selector: (text) => text.toLowerCase() });
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom("name", "label"), list), (filters) => {
        expect(parsed(writeFilters(new Map(Object.entries(filters))))).toEqual(filters);
      }),
    );
  });

  test("can be given one more label that everything has to have, but no other can replace it", () => {
    const given = new Map([["label", ["owner=me", "owner=you", "a"]]]);
    expect(writeFilters(requiring(given, "label", "owner=me"))).toBe(
      '{"label":{"owner=you":true,"a":true,"owner=me":true}}',
    );
  });
});
