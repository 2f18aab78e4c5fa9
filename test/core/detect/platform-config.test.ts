import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findValue, isTruthy, readPlatformConfig } from "../../../src/core/detect/platform-config.ts";
import { loadPyYaml } from "../../../src/core/detect/pyyaml.ts";
import type { PyNode } from "../../../src/core/detect/pyyaml-tree.ts";

const read = (text: string) => readPlatformConfig({ file: "config.yaml", text });

/** The value under `a`, as kind and text. */
function valueIn(text: string): string {
  const outcome = read(text);
  if (!outcome.ok) return outcome.findings.map(({ code }) => code).join(" ");
  const node = findValue(outcome.value.entries, "a");
  return node ? show(node) : "absent";
}

function show(node: PyNode): string {
  switch (node.kind) {
    case "null":
      return "null";
    case "bool":
    case "int":
    case "float":
      return `${node.kind} ${node.value}`;
    case "str":
      return `str ${JSON.stringify(node.value)}`;
    case "timestamp":
      return "timestamp";
    case "list":
      return `[${node.items.map(show).join(", ")}]`;
    case "map":
      return `{${node.entries.map(({ key, value }) => `${show(key)}: ${show(value)}`).join(", ")}}`;
  }
}

describe("a plain scalar has the type that PyYAML gives it", () => {
  it.each([
    ["yes", "bool true"],
    ["On", "bool true"],
    ["off", "bool false"],
    ["NO", "bool false"],
    ["y", 'str "y"'],
    ["n", 'str "n"'],
    ["oN", 'str "oN"'],
    ["~", "null"],
    ["", "null"],
    ["NULL", "null"],
    ["nULL", 'str "nULL"'],
    ["010", "int 8"],
    ["08", 'str "08"'],
    ["0o7", 'str "0o7"'],
    ["0x1F", "int 31"],
    ["-0b101", "int -5"],
    ["1_000", "int 1000"],
    ["12:30", "int 750"],
    ["0:30", 'str "0:30"'],
    ["190:20:30.15", "float 685230.15"],
    [".5", "float 0.5"],
    ["-.5", 'str "-.5"'],
    ["1e3", 'str "1e3"'],
    ["1.0e3", 'str "1.0e3"'],
    ["1.0e+3", "float 1000"],
    [".inf", "float Infinity"],
    ["-.INF", "float -Infinity"],
    [".NaN", "float NaN"],
    ["Infinity", 'str "Infinity"'],
    ["99999999999999999999", "int 99999999999999999999"],
    ["2024-02-29", "timestamp"],
    ["2001-12-14 21:59:43.10 -5", "timestamp"],
    ["2001-1-1", 'str "2001-1-1"'],
    ["2023-02-29", "D020"],
    ["2001-12-14 25:00:00", "D020"],
    ["0b_", "D020"],
    ["1".repeat(4301), "D020"],
    ["=", "D020"],
    ["<<", "D020"],
    ["a#b", 'str "a#b"'],
    ["a #b", 'str "a"'],
    ["a:b", 'str "a:b"'],
    ["http://h:1/p", 'str "http://h:1/p"'],
    ["-", "D010"],
    ["@x", "D010"],
    ["%x", "D010"],
    ["'it''s'", 'str "it\'s"'],
    ["'no'", 'str "no"'],
    ['"\\x41\\/"', 'str "A/"'],
    ['"\\q"', "D010"],
    ["!!str 12", 'str "12"'],
    ['!!int "12"', "int 12"],
    ["!!int x", "D020"],
    ["!foo x", "D020"],
    ["!!python/object:os.system x", "D020"],
  ])("%j is %s", (text, expected) => expect(valueIn(`a: ${text}\n`)).toBe(expected));
});

describe("a document has the structure that PyYAML gives it", () => {
  it.each([
    ["flow style", "{a: {b: 1, c: [x, 'y']}}", '{str "b": int 1, str "c": [str "x", str "y"]}'],
    ["a flow key without a space", "a: {b:1}", '{str "b:1": null}'],
    ["a quoted flow key without a space", 'a: {"b":1}', '{str "b": int 1}'],
    ["a question mark in a flow value", "a: [http://h?x=1]", "D010"],
    ["CRLF line breaks", "a: |\r\n  x\r\n  y\r\n", 'str "x\\ny\\n"'],
    ["lone carriage returns", "b: 1\ra: 2\r", "int 2"],
    ["a byte order mark", "\uFEFFa: 1", "int 1"],
    ["a byte order mark inside", "b: 1\n\uFEFFa: 1", "D010"],
    ["a next-line character", "b: x\u0085a: 1", "D010"],
    ["a line separator that hides a key in a comment", "# x\u2028a: 1", "D010"],
    ["a control character", "a: \u0007", "D010"],
    ["a lone surrogate", "a: \ud800", "D010"],
    ["an emoji", "a: \u{1F600}", 'str "\u{1F600}"'],
    ["an alias", "b: &x 1\na: *x", "int 1"],
    ["an undefined alias", "a: *x", "D020"],
    ["an alias inside its own anchor", "a: &x [*x]", "D020"],
    ["an anchor defined twice", "b: &x 1\na: &x 2", "D020"],
    ["an anchor with a dot in its name", "a: &x.y 1", "D010"],
    ["a merge key", "b: &x {k: 1}\na: {<<: *x, l: 2}", '{str "k": int 1, str "l": int 2}'],
    ["a merge key after the key it would set", "b: &x {k: 1}\na: {k: 2, <<: *x}", '{str "k": int 2}'],
    ["the first of merged mappings", "a: {<<: [{k: 1}, {k: 2}]}", '{str "k": int 1}'],
    ["a second merge key", "a:\n  <<: {k: 1}\n  <<: {k: 2}", '{str "k": int 2}'],
    ["a merge of text", "a: {<<: x}", "D020"],
    ["a quoted merge key", 'a: {"<<": 1}', '{str "<<": int 1}'],
    ["keys that are equal in Python", "a: {1: x, true: y, 1.0: z}", '{float 1: str "z"}'],
    ["a list as a key", "[a]: 1", "D020"],
    ["an equals sign as a key", "a: {=: 1}", '{str "=": int 1}'],
    ["%YAML 1.2", "%YAML 1.2\n---\na: yes", "bool true"],
    ["%YAML 2.0", "%YAML 2.0\n---\na: 1", "D020"],
    ["a start marker with content", "--- {a: 1}", "int 1"],
    ["a closing marker", "a: 1\n...\n", "int 1"],
    ["a second document", "a: 1\n---\nb: 1", "D020"],
    ["a second document that is empty", "a: 1\n---\n", "D020"],
    ["a tab as indentation", "a:\n\t- b", "D010"],
    ["a tab after a colon", "a:\tb", "D010"],
    ["a tab before a comment", "a: b\t# c", "D010"],
    ["a tab in a block of text", "a: |\n  x\ty\n", 'str "x\\ty\\n"'],
    ["a tab in quotes", 'a: "x\ty"', 'str "x\\ty"'],
    ["a folded block", "a: >\n  x\n  y\n\n    z\n", 'str "x y\\n\\n  z\\n"'],
    ["an indentation indicator", "a: |2\n   x\n", 'str " x\\n"'],
    ["a kept block", "a: |+\n  x\n\n", 'str "x\\n\\n"'],
    ["a block at the end without a line break", "a: |\n  x", 'str "x"'],
    ["a nested mapping on one line", "a: b: c", "D010"],
    ["a mapping that follows a flow mapping", "a: {b: c}: d", "D010"],
    ["a colon without a key", "a: 1\n: b", "D010"],
    ["a key on two lines", "a: {b\n : c}", "D010"],
    ["a key above 1024 characters", `${"x".repeat(1025)}: 1`, "D010"],
    ["an unterminated quote", 'a: "x', "D010"],
    ["an unterminated bracket", "a: [1", "D010"],
    ["a list at the top", "- a", "D020"],
    ["text at the top", "a", "D020"],
    ["nothing at all", "# only a comment\n", "absent"],
    ["an empty list at the top, which is falsy", "[]", "absent"],
  ])("%s", (_name, text, expected) => expect(valueIn(text)).toBe(expected));
});

describe("a document on which the reading is not certain is refused, never guessed", () => {
  it.each([
    ["differs on a set", "a: !!set {x}"],
    ["differs on an ordered map", "a: !!omap [b: 1]"],
    ["differs on binary data", "a: !!binary aGk="],
    ["differs on an explicit float tag on a whole number", "a: !!float 1"],
    ["differs on the bare tag !", "a: ! x"],
    ["differs on %TAG", "%TAG !e! tag:yaml.org,2002:\n---\na: !e!int 5"],
    ["differs on an unknown directive", "%FOO x\n---\na: 1"],
    ["differs on ? keys", "? a\n: b"],
    ["differs on an alias as a key next to its colon", "a: &x b\n*x: d"],
    ["differs on lines of a flow collection that begin at the margin", 'a: {"b": c,\n"d": e}'],
    ["differs on line separators", 'a: "\u2029"'],
    ["differs on a line of spaces in a block with an indentation indicator", "a: |1\n   \nb: 1"],
    ["differs on spaces at the very end of a block", "a: |\n  x\n   "],
    ["differs on an empty line after an escaped line break", 'a: "x\\\n\n  y"'],
    ["differs on a hundred levels", `a: ${"[".repeat(101)}${"]".repeat(101)}`],
  ])("%s", (_name, text) => expect(read(text).ok).toBe(false));
});

describe("findings", () => {
  it("names both places of a key that is there twice", () => {
    const outcome = read("a: 1\nb:\n  c: 1\n  c: 2\n");
    expect(outcome.ok).toBe(true);
    expect(outcome.findings).toMatchObject([
      {
        code: "D022",
        severity: "warning",
        at: { line: 4, column: 3 },
        message: expect.stringContaining("config.yaml:3:3"),
      },
    ]);
  });

  it("does not call an overridden merged key a duplicate", () => {
    expect(read("b: &x {k: 1}\na: {<<: *x, k: 2}").findings).toEqual([]);
  });

  it.each([
    ["an unclosed quote", 'k: "sk-sentinel'],
    ["stray text", "a: 1\nsk-sentinel\nb: 2"],
    ["a date that does not exist", "a: {k: sk-sentinel, d: 2023-02-29}"],
    ["a duplicate", "a: sk-sentinel\na: sk-sentinel"],
    ["text at the top", "sk-sentinel"],
  ])("never quotes a value: %s", (_name, text) => {
    const { findings } = read(text);
    expect(findings).not.toEqual([]);
    expect(JSON.stringify(findings)).not.toContain("sentinel");
  });

  it.each([
    ["LF", "\n", 3],
    ["CRLF", "\r\n", 3],
    ["CR", "\r", 3],
  ])("counts lines with %s", (_name, lineBreak, line) => {
    expect(read(["a: 1", "b: 2", "\tc: 3"].join(lineBreak)).findings[0]?.at?.line).toBe(line);
  });
});

describe("hostile documents", () => {
  it("refuses aliases that multiply instead of expanding them", () => {
    const laughs = Array.from({ length: 12 }, (_, level) =>
      level === 0 ? "a0: &a0 [x, x]" : `a${level}: &a${level} [${`*a${level - 1}, `.repeat(9)}]`,
    );
    expect(read(laughs.join("\n")).findings).toMatchObject([
      { code: "D020", message: expect.stringContaining("aliases") },
    ]);
  });

  it.each(["[", "- ", "{a: ", "a: &a "])("survives %j five thousand times", (text) => {
    expect(read(text.repeat(5000)).ok).toBe(false);
  });

  it("survives a long chain of aliases", () => {
    const chain = Array.from(
      { length: 3000 },
      (_, level) => `a${level}: &a${level} [${level ? `*a${level - 1}` : "x"}]`,
    );
    expect(read(chain.join("\n")).ok).toBe(false);
  });

  it("never throws, whatever the text", () => {
    const yamlish = fc.string({
      unit: fc.constantFrom(..."ab:-?[]{},#&*!|>'\"%@ \n\t\r\\<=~01.$\u0085\uFEFF"),
      maxLength: 40,
    });
    fc.assert(
      fc.property(fc.oneof(yamlish, fc.string({ unit: "binary" })), (text) => typeof loadPyYaml(text).ok === "boolean"),
    );
  });

  it("reads a value that JSON can write back as the same value", () => {
    const json = fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null)));
    const clean = json.filter(
      (value) => !/[\x7f-\x9f\u2028\u2029\uFEFF\uFFFE\uFFFF\\]|[\ud800-\udfff]/.test(JSON.stringify(value)),
    );
    fc.assert(
      fc.property(clean, (value) => {
        const load = loadPyYaml(JSON.stringify(value));
        return load.ok && load.root.kind === "map" && load.root.entries.length === Object.keys(value).length;
      }),
    );
  });
});

describe("truthiness is Python's", () => {
  it.each([
    ["''", false],
    ["' '", true],
    ["'false'", true],
    ["false", false],
    ["no", false],
    ["~", false],
    ["0", false],
    ["0.0", false],
    ["-0.0", false],
    [".nan", true],
    ["1", true],
    ["[]", false],
    ["[~]", true],
    ["{}", false],
    ["{b: ~}", true],
    ["2020-01-01", true],
  ])("%s", (text, expected) => {
    const outcome = read(`a: ${text}`);
    const node = outcome.ok ? findValue(outcome.value.entries, "a") : undefined;
    expect(node && isTruthy(node)).toBe(expected);
  });
});
