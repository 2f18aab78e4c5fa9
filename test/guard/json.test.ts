import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isArray, isObject, type JsonValue, jsonInteger, serializeJson } from "../../src/guard/request/json.ts";
import { clientLimits, engineLimits, parseJson } from "../../src/guard/request/json-reader.ts";
import { someRuns } from "../support/some-of.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** The rule by which a text is refused, or undefined. */
function ruleOf(text: string | Uint8Array, limits = clientLimits): string | undefined {
  const parsed = parseJson(typeof text === "string" ? bytes(text) : text, limits);
  return parsed.ok ? undefined : parsed.problem.rule;
}

/** What `JSON.parse` would have made of the same value. */
function plain(value: JsonValue): unknown {
  if (value === null || typeof value === "boolean" || typeof value === "string") return value;
  if (isArray(value)) return value.map(plain);
  if (isObject(value)) return Object.fromEntries([...value].map(([key, member]) => [key, plain(member)]));
  return Number(value.digits);
}

/** Values that the guard can hold, with keys that differ by more than case. */
const values = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger().map(jsonInteger),
    fc.string({ unit: "grapheme" }).map((text) => text.replaceAll("\0", "")),
    fc.array(tie("value"), { maxLength: 4 }),
    fc
      .uniqueArray(fc.tuple(fc.stringMatching(/^[ -~]{0,12}$/), tie("value")), {
        selector: ([key]) => key.toLowerCase(),
        maxLength: 4,
      })
      .map((members) => new Map(members)),
  ),
})).value;

describe("what is written", () => {
  test("is ASCII, and is read as the same value, by the guard and by JSON.parse", () => {
    fc.assert(
      fc.property(values, (value) => {
        const text = serializeJson(value);
        expect(text).toMatch(/^[ -~]*$/);
        expect(parseJson(bytes(text))).toEqual({ ok: true, value });
        expect(JSON.parse(text)).toEqual(plain(value));
      }),
    );
  });

  test("has one spelling, whatever spaces and escapes were read", () => {
    const spellings = ['{"a":[1,"/\u20ac"]}', ' { "\\u0061" : [ 1 , "\\/\\u20AC" ] }\n'];
    const texts = spellings.map((text) => {
      const parsed = parseJson(bytes(text));
      return parsed.ok ? serializeJson(parsed.value) : parsed.problem.what;
    });
    expect(texts).toEqual(['{"a":[1,"/\\u20ac"]}', '{"a":[1,"/\\u20ac"]}']);
  });
});

describe("what is read", () => {
  test("is never anything that JSON.parse refuses or reads otherwise", () => {
    const pieces = [
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      '"a"',
      '"A"',
      '""',
      "1",
      "-0",
      "0",
      "1.5",
      "01",
      "1e3",
      "true",
      "nul",
      " ",
    ];
    const more = [
      '"\\u0061"',
      '"\\ud800"',
      '"\\ud83d\\ude00"',
      '"\t"',
      "\u00e9",
      "\ufeff",
      "'",
      "/**/",
      "NaN",
      "-",
      '"',
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces, ...more), { maxLength: 12 }), (parts) => {
        const text = parts.join("");
        const parsed = parseJson(bytes(text));
        if (parsed.ok) expect(plain(parsed.value)).toEqual(JSON.parse(text));
      }),
      { numRuns: someRuns(3000) },
    );
  });

  test("keeps __proto__ as a key like any other", () => {
    const parsed = parseJson(bytes('{"__proto__":{"Privileged":true}}'));
    expect(parsed).toEqual({ ok: true, value: new Map([["__proto__", new Map([["Privileged", true]])]]) });
  });

  test("keeps the digits of the largest exact integers", () => {
    const parsed = parseJson(bytes("[9007199254740991,-9007199254740991]"));
    expect(parsed.ok && serializeJson(parsed.value)).toBe("[9007199254740991,-9007199254740991]");
  });
});

describe("a text of a client", () => {
  test.each([
    ["two values", '{"a":1}{"a":2}', "json.trailing"],
    ["a value and a stray bracket", "{}}", "json.trailing"],
    ["a comma at the end", '{"a":1,}', "json.syntax"],
    ["an end that is missing", '{"a":', "json.syntax"],
    ["nothing", "", "json.syntax"],
    ["a comment", "/* */{}", "json.syntax"],
    ["a byte order mark", "\ufeff{}", "json.bom"],
    ["a key twice", '{"a":1,"a":1}', "json.duplicate-key"],
    ["a key twice, once escaped", '{"a":1,"\\u0061":1}', "json.duplicate-key"],
    ["a key twice, in other case", '{"Privileged":true,"pRIVILEGED":false}', "json.duplicate-key"],
    ["a key twice, far below", '[[{"x":{"A":1,"a":1}}]]', "json.duplicate-key"],
    ["a key with a long s", '{"Ho\u017ftConfig":{}}', "json.key"],
    ["a key with an escaped long s", '{"Ho\\u017ftConfig":{}}', "json.key"],
    ["a key with a Kelvin sign", '{"Networ\\u212aMode":"host"}', "json.key"],
    ["a key with a control character", '{"a\\u0000":1}', "json.string"],
    ["a key with a line feed", '{"a\\n":1}', "json.key"],
    ["a key with DEL", '{"a\u007f":1}', "json.key"],
    ["minus zero", "-0", "json.number"],
    ["a fraction", "1.0", "json.number"],
    ["an exponent", "1e2", "json.number"],
    ["an exponent that says little", "1E0", "json.number"],
    ["a leading zero", "01", "json.number"],
    ["a plus", "+1", "json.number"],
    ["an integer that no double holds", "9007199254740993", "json.number"],
    ["a number of a thousand digits", "1".repeat(1000), "json.number"],
    ["half of a surrogate pair", '"\\ud800"', "json.string"],
    ["surrogates in the wrong order", '"\\udc00\\ud800"', "json.string"],
    ["NUL", '"a\\u0000b"', "json.string"],
    ["a raw line feed in a string", '"a\nb"', "json.string"],
    ["an unknown escape", '"\\x41"', "json.string"],
    ["a short escape", '"\\u41"', "json.string"],
    ["a string without end", '"abc', "json.string"],
    ["a word in capitals", "True", "json.syntax"],
    ["a word that goes on", "nulll", "json.trailing"],
    ["single quotes", "{'a':1}", "json.syntax"],
    ["a space that JSON does not have", "{}\u00a0", "json.trailing"],
    ["a form feed", "\f{}", "json.syntax"],
  ])("is refused for %s", (_what, text, rule) => {
    expect(ruleOf(text)).toBe(rule);
  });

  test.each([
    ["a broken sequence", [0x22, 0xc3, 0x22]],
    ["an overlong slash", [0x22, 0xc0, 0xaf, 0x22]],
    ["an encoded surrogate", [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ["Latin-1", [0x22, 0xe9, 0x22]],
    ["more than Unicode has", [0x22, 0xf4, 0x90, 0x80, 0x80, 0x22]],
  ])("is refused for %s, which is no UTF-8", (_what, octets) => {
    expect(ruleOf(Uint8Array.from(octets))).toBe("json.utf8");
  });

  test("is refused in UTF-16", () => {
    expect(ruleOf(Uint8Array.from([0xff, 0xfe, 0x7b, 0, 0x7d, 0]))).toBe("json.syntax");
  });

  test("may nest as deep as the limit, and no deeper", () => {
    const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
    expect(ruleOf(nested(clientLimits.depth))).toBeUndefined();
    expect(ruleOf(nested(clientLimits.depth + 1))).toBe("json.depth");
    expect(ruleOf("[".repeat(200_000), { ...clientLimits, bytes: 1_000_000 })).toBe("json.depth");
  });

  test("may have as many members as the limit, and no more, wherever they are", () => {
    const limits = { ...clientLimits, members: 4 };
    expect(ruleOf("[1,2,[3]]", limits)).toBeUndefined();
    expect(ruleOf('[1,{"a":2},[3]]', limits)).toBe("json.members");
  });

  test("may be as long as the limit, and no longer, spaces included", () => {
    const limits = { ...clientLimits, bytes: 5 };
    expect(ruleOf("[1] \n", limits)).toBeUndefined();
    expect(ruleOf("[1] \n ", limits)).toBe("json.size");
  });

  test("is refused with the byte and the place", () => {
    const parsed = parseJson(bytes('{"HostConfig":{"Binds":["\u20ac",01]}}'));
    expect(parsed).toEqual({
      ok: false,
      problem: { rule: "json.number", what: "not a number", offset: 30, path: "HostConfig.Binds[1]" },
    });
  });
});

test("an answer of the engine may have any keys, fractions and exponents, but not one key twice", () => {
  expect(ruleOf('{"\u00e9":1.5,"A":1e3,"a":-0,"b":"\\ud800"}', engineLimits)).toBeUndefined();
  expect(ruleOf('{"a":1,"a":1}', engineLimits)).toBe("json.duplicate-key");
});
