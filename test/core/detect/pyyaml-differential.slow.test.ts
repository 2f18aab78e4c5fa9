import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { expect, it } from "vitest";
import { z } from "zod";
import { loadPyYaml } from "../../../src/core/detect/pyyaml.ts";
import type { PyNode } from "../../../src/core/detect/pyyaml-tree.ts";
import { handwritten } from "./pyyaml-corpus.ts";

/** Loads each document of a JSON list as Python does from a file opened as text, and writes the values with their types. */
const oracle = `
import datetime, json, struct, sys, yaml

def write(value):
    if value is None: return ["null"]
    if isinstance(value, bool): return ["bool", value]
    if isinstance(value, int): return ["int", hex(value)]
    if isinstance(value, float): return ["float", "nan" if value != value else struct.pack(">d", value).hex()]
    if isinstance(value, str): return ["str", value]
    if isinstance(value, datetime.date): return ["timestamp"]
    if isinstance(value, list): return ["list", [write(item) for item in value]]
    if isinstance(value, dict): return ["map", [[write_key(key), write(item)] for key, item in value.items()]]
    return ["other", type(value).__name__]

def write_key(key):
    whole = isinstance(key, int) or (isinstance(key, float) and key.is_integer())
    return ["number", hex(int(key))] if whole else write(key)

answers = []
for document in json.load(sys.stdin):
    try:
        answers.append(json.dumps(write(yaml.safe_load(document.replace("\\r\\n", "\\n").replace("\\r", "\\n")))))
    except Exception:
        answers.append(None)
json.dump(answers, sys.stdout)
`;

function askPyYaml(documents: readonly string[]): readonly (string | null)[] {
  for (const python of ["python3", "/usr/bin/python3"]) {
    if (spawnSync(python, ["-c", "import yaml"]).status !== 0) continue;
    const { status, stdout, stderr } = spawnSync(python, ["-c", oracle], {
      input: JSON.stringify(documents),
      encoding: "utf8",
      maxBuffer: 2 ** 28,
    });
    if (status !== 0) throw new Error(`PyYAML could not be asked: ${stderr}`);
    return z.array(z.string().nullable()).parse(JSON.parse(stdout));
  }
  throw new Error(
    "This test compares with PyYAML, and no python3 with the yaml module was found: install python3-yaml.",
  );
}

function write(node: PyNode): unknown {
  switch (node.kind) {
    case "null":
    case "timestamp":
      return [node.kind];
    case "bool":
    case "str":
      return [node.kind, node.value];
    case "int":
      return ["int", hex(node.value)];
    case "float":
      return ["float", Number.isNaN(node.value) ? "nan" : doubleBytes(node.value)];
    case "list":
      return ["list", node.items.map(write)];
    case "map":
      return ["map", node.entries.map(({ key, value }) => [writeKey(key), write(value)])];
  }
}

function writeKey(key: PyNode): unknown {
  if (key.kind === "int") return ["number", hex(key.value)];
  if (key.kind === "bool") return ["number", key.value ? "0x1" : "0x0"];
  return key.kind === "float" && Number.isInteger(key.value) ? ["number", hex(BigInt(key.value))] : write(key);
}

function hex(value: bigint): string {
  return value < 0n ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`;
}

function doubleBytes(value: number): string {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes.toString("hex");
}

const token = fc.constantFrom(
  ...[
    "a",
    "b",
    "use",
    "sandbox",
    "1",
    "no",
    "~",
    '"q"',
    "'s'",
    "$V",
    "http://h:1/p",
    "a#b",
    "a:b",
    "-a",
    "<<",
    " ",
    "  ",
    "\n",
    "\n  ",
  ],
  ...[
    "\n    ",
    "\n ",
    ": ",
    ":",
    ", ",
    ",",
    "[",
    "]",
    "{",
    "}",
    "- ",
    "-",
    " # c",
    "#",
    "&a ",
    "*a",
    "!!str ",
    "|\n",
    ">-\n ",
    "---\n",
  ],
  ...["\t", '"', "'", "\r\n", "\\", "<<: *a", "é", "?", "...\n"],
);
const block = fc.constantFrom(
  ...[
    "a: 1",
    "sandbox:",
    "  use: x:Y",
    '  use: "x"',
    "- a",
    "- b: 1",
    "  - c",
    "  c: [1, 2]",
    "  d: {e: f}",
    "# c",
    "",
    "key: |",
  ],
  ...[
    "  text",
    "    more",
    " less",
    "k: >-",
    "",
    "  x",
    "- - c",
    "- k: v",
    "  k2: v2",
    "&a x: 1",
    "y: *a",
    "z: &b",
    "  n: 1",
    "w:",
  ],
  ...[
    "  <<: *b",
    'q: "a',
    '  b"',
    "p: plain",
    "  cont",
    "{a: 1}",
    "u: [a,",
    "  b]",
    "v: {a: 1,",
    "a:",
    "-",
    "  - - x",
    "n: |1",
    "n: |+",
  ],
);
const flow = fc.constantFrom(
  ...'a|b|"q"|\'s\'|:|: |,|, | |\n |[|]|{|}|# c\n|&a |*a|-|1|a:b|"q":|http://x:1'.split("|"),
);
const generated = fc.oneof(
  fc.array(token, { maxLength: 9 }).map((parts) => parts.join("")),
  fc.array(block, { maxLength: 7 }).map((lines) => `${lines.join("\n")}\n`),
  fc.array(block, { maxLength: 7 }).map((lines) => lines.join("\r\n")),
  fc.array(flow, { maxLength: 9 }).map((parts) => `a: {${parts.join("")}}`),
  fc.array(flow, { maxLength: 9 }).map((parts) => `a: [${parts.join("")}]`),
);

/** What is refused although PyYAML reads it; no other difference is allowed. */
const stricter = [
  "nests collections more than",
  "uses ? for a key",
  "has a ? or a leading : inside",
  "uses a tag that",
  "uses the tag !!",
  "is one block of text",
  "ends in spaces inside a block",
  "has a line of spaces in a block",
  "has a byte order mark in the middle",
  "is not indented as YAML needs it here",
  "lacks a closing quote",
  "has a block collection inside",
  "has a key that spans several lines",
  "has an anchor whose name",
  "has a colon without a key",
  "puts *",
  "lacks a comma between two values",
];

const documents = [...new Set([...handwritten, ...fc.sample(generated, { numRuns: 2500, seed: 20_240_229 })])];

it("a document has the value that PyYAML gives it, or is refused", () => {
  const answers = askPyYaml(documents);
  const problems: unknown[] = [];
  let agreed = 0;
  for (const [index, document] of documents.entries()) {
    const load = loadPyYaml(document);
    const theirs = answers[index] ?? null;
    const ours = load.ok ? JSON.stringify(write(load.root)) : null;
    if (load.ok ? theirs !== null && ours === JSON.stringify(JSON.parse(theirs)) : theirs === null) agreed += 1;
    else if (load.ok) problems.push({ document, ours, theirs });
    else if (!stricter.some((problem) => load.refusals[0].problem.startsWith(problem))) {
      problems.push({ document, refused: load.refusals[0].problem, theirs });
    }
  }
  expect(problems).toEqual([]);
  expect(agreed / documents.length).toBeGreaterThan(0.9);
});
