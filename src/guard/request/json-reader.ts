import type { JsonObject, JsonProblem, JsonValue, ParsedJson } from "./json.ts";

/** What a text may be at most, and whose it is. */
export interface JsonLimits {
  readonly bytes: number;
  /** How many arrays and objects may be inside each other. */
  readonly depth: number;
  /** How many members all objects and arrays together may have. */
  readonly members: number;
  /**
   * `client`: everything that two readers could understand in two ways is refused. `engine`: plain JSON, since the
   * labels of an image may have any keys.
   */
  readonly from: "client" | "engine";
}

/** For the body of a request. To create a container the docker CLI sends about 2 kB and 100 members; code can be in it. */
export const clientLimits: JsonLimits = { bytes: 1024 * 1024, depth: 16, members: 8192, from: "client" };

/** For an answer of the engine, which is trusted, but not without end. */
export const engineLimits: JsonLimits = { bytes: 16 * 1024 * 1024, depth: 64, members: 1_000_000, from: "engine" };

/**
 * Reads one JSON value strictly: UTF-8 without a byte order mark and nothing after the value but white space.
 *
 * The engine's decoder (Go's encoding/json) is lenient where it counts: it takes keys that differ in case, or by
 * Unicode folding, for the same, merges repeated ones, replaces what is no character, and stops after the first value.
 * A text of a client that needs any of this is refused, so that it has one meaning for everybody.
 */
export function parseJson(bytes: Uint8Array, limits: JsonLimits = clientLimits): ParsedJson {
  const reader: Reader = { bytes, limits, at: 0, depth: 0, members: 0, path: [] };
  try {
    return { ok: true, value: readText(reader) };
  } catch (error) {
    if (error instanceof JsonFault) return { ok: false, problem: error.problem };
    throw error;
  }
}

interface Reader {
  readonly bytes: Uint8Array;
  readonly limits: JsonLimits;
  readonly path: (string | number)[];
  at: number;
  depth: number;
  members: number;
}

class JsonFault extends Error {
  readonly problem: JsonProblem;
  constructor(problem: JsonProblem) {
    super(problem.what);
    this.problem = problem;
  }
}

function fault(reader: Reader, rule: string, what: string, offset = reader.at): JsonFault {
  const path = reader.path.map((step) => (typeof step === "number" ? `[${step}]` : `.${step.slice(0, 64)}`)).join("");
  return new JsonFault({ rule: `json.${rule}`, what, offset, path: path.replace(/^\./, "") });
}

function readText(reader: Reader): JsonValue {
  const { bytes, limits } = reader;
  if (bytes.length > limits.bytes) throw fault(reader, "size", `more than ${limits.bytes} bytes`);
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) throw fault(reader, "bom", "a byte order mark");
  skipSpace(reader);
  const value = readValue(reader);
  skipSpace(reader);
  if (reader.at < bytes.length) throw fault(reader, "trailing", "something after the end of the value");
  return value;
}

function peek(reader: Reader): string {
  const byte = reader.bytes[reader.at];
  return byte === undefined ? "" : String.fromCharCode(byte);
}

function skipSpace(reader: Reader): void {
  for (;;) {
    const byte = reader.bytes[reader.at];
    if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d) return;
    reader.at += 1;
  }
}

/** Whether the next byte is this one; if so, it is read. */
function take(reader: Reader, character: string): boolean {
  if (peek(reader) !== character) return false;
  reader.at += 1;
  return true;
}

function readValue(reader: Reader): JsonValue {
  switch (peek(reader)) {
    case "{":
      return nested(reader, readObject);
    case "[":
      return nested(reader, readArray);
    case '"':
      return readString(reader);
    case "t":
      return readWord(reader, "true", true);
    case "f":
      return readWord(reader, "false", false);
    case "n":
      return readWord(reader, "null", null);
    case "":
      throw fault(reader, "syntax", "the text ends where a value is due");
    default:
      return readNumber(reader);
  }
}

function nested<Value>(reader: Reader, read: (reader: Reader) => Value): Value {
  reader.depth += 1;
  if (reader.depth > reader.limits.depth)
    throw fault(reader, "depth", `more than ${reader.limits.depth} arrays and objects inside each other`);
  reader.at += 1;
  skipSpace(reader);
  const value = read(reader);
  reader.depth -= 1;
  return value;
}

function countMember(reader: Reader): void {
  reader.members += 1;
  if (reader.members > reader.limits.members)
    throw fault(reader, "members", `more than ${reader.limits.members} members`);
}

function readArray(reader: Reader): JsonValue[] {
  const items: JsonValue[] = [];
  if (take(reader, "]")) return items;
  for (;;) {
    countMember(reader);
    reader.path.push(items.length);
    items.push(readValue(reader));
    reader.path.pop();
    if (!hasNext(reader, "]")) return items;
  }
}

function readObject(reader: Reader): JsonObject {
  const members = new Map<string, JsonValue>();
  const seen = new Set<string>();
  if (take(reader, "}")) return members;
  for (;;) {
    countMember(reader);
    const key = readKey(reader, seen);
    skipSpace(reader);
    if (!take(reader, ":")) throw fault(reader, "syntax", "a colon is due");
    skipSpace(reader);
    reader.path.push(key);
    members.set(key, readValue(reader));
    reader.path.pop();
    if (!hasNext(reader, "}")) return members;
  }
}

function hasNext(reader: Reader, end: string): boolean {
  skipSpace(reader);
  if (take(reader, end)) return false;
  if (!take(reader, ",")) throw fault(reader, "syntax", `a comma or ${end} is due`);
  skipSpace(reader);
  return true;
}

function readKey(reader: Reader, seen: Set<string>): string {
  const start = reader.at;
  if (peek(reader) !== '"') throw fault(reader, "syntax", "a key is due");
  const key = readString(reader);
  const client = reader.limits.from === "client";
  // With ASCII alone, Unicode's simple folding is the folding of A to Z; the Kelvin sign and the long s are not ASCII.
  if (client && !/^[ -~]*$/.test(key))
    throw fault(reader, "key", "a key with other characters than printable ASCII", start);
  const folded = client ? key.toLowerCase() : key;
  if (seen.has(folded)) {
    reader.path.push(key);
    throw fault(reader, "duplicate-key", "a key that was there before (case does not count)", start);
  }
  seen.add(folded);
  return key;
}

function readWord<Value>(reader: Reader, word: string, value: Value): Value {
  for (const character of word) if (!take(reader, character)) throw fault(reader, "syntax", "not a value");
  return value;
}

const digitsMax = 64;

function readNumber(reader: Reader): JsonValue {
  const start = reader.at;
  while (reader.at - start <= digitsMax && /^[-+.0-9eE]$/.test(peek(reader))) reader.at += 1;
  const digits = String.fromCharCode(...reader.bytes.subarray(start, reader.at));
  if (reader.at === start) throw fault(reader, "syntax", "not a value");
  if (!/^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?$/.test(digits) || digits.length > digitsMax)
    throw fault(reader, "number", "not a number", start);
  if (reader.limits.from === "engine") return { digits };
  if (!/^-?\d+$/.test(digits)) throw fault(reader, "number", "a number with a fraction or an exponent", start);
  if (digits === "-0") throw fault(reader, "number", "-0 in place of 0", start);
  if (!Number.isSafeInteger(Number(digits))) throw fault(reader, "number", "an integer beyond 2^53", start);
  return { digits };
}

const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

function readString(reader: Reader): string {
  const start = reader.at;
  let text = "";
  reader.at += 1;
  for (;;) {
    text += readPlain(reader);
    if (take(reader, '"')) break;
    if (!take(reader, "\\")) throw fault(reader, "string", "a string that does not end, or a control character in one");
    text += readEscape(reader);
  }
  if (reader.limits.from === "client") judgeString(reader, text, start);
  return text;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The characters up to a quote, a backslash or something that may not be in a string. */
function readPlain(reader: Reader): string {
  const start = reader.at;
  for (;;) {
    const byte = reader.bytes[reader.at];
    if (byte === undefined || byte < 0x20 || byte === 0x22 || byte === 0x5c) break;
    reader.at += 1;
  }
  if (reader.at === start) return "";
  try {
    return decoder.decode(reader.bytes.subarray(start, reader.at));
  } catch {
    throw fault(reader, "utf8", "bytes that are not UTF-8", start);
  }
}

function readEscape(reader: Reader): string {
  const letter = peek(reader);
  const simple = Object.hasOwn(escapes, letter) ? escapes[letter] : undefined;
  if (simple === undefined && letter !== "u") throw fault(reader, "string", "an unknown escape");
  reader.at += 1;
  if (simple !== undefined) return simple;
  const hex = String.fromCharCode(...reader.bytes.subarray(reader.at, reader.at + 4));
  if (!/^[0-9A-Fa-f]{4}$/.test(hex)) throw fault(reader, "string", "an escape without four hexadecimal digits");
  reader.at += 4;
  return String.fromCharCode(Number.parseInt(hex, 16));
}

function judgeString(reader: Reader, text: string, start: number): void {
  // The engine would replace it by U+FFFD, which is not what the client wrote.
  if (!text.isWellFormed()) throw fault(reader, "string", "half of a surrogate pair", start);
  if (text.includes("\0")) throw fault(reader, "string", "a NUL character", start);
}
