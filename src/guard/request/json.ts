/** A JSON value as it was written: a number keeps its digits, so that nothing is rounded on the way. */
export type JsonValue = null | boolean | string | JsonNumber | readonly JsonValue[] | JsonObject;

/** An object with each of its keys once, in order. A map, because `__proto__` is a key like any other. */
export type JsonObject = ReadonlyMap<string, JsonValue>;

/** The digits of a number; only integers that a double holds exactly are accepted at all. */
export interface JsonNumber {
  readonly digits: string;
}

/** Why a text is not taken for JSON: the rule, what is wrong, at which byte, and where in the value (`HostConfig.Binds[0]`). */
export interface JsonProblem {
  readonly rule: string;
  readonly what: string;
  readonly offset: number;
  readonly path: string;
}

/** The value of a text, or the first thing that is wrong with it. */
export type ParsedJson =
  | { readonly ok: true; readonly value: JsonValue }
  | { readonly ok: false; readonly problem: JsonProblem };

/** Tells an object from the other values; `instanceof Map` would not narrow the read-only type. */
export function isObject(value: JsonValue | undefined): value is JsonObject {
  return value instanceof Map;
}

/** Tells an array from the other values. */
export function isArray(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/** Tells a number from the other values. */
export function isNumber(value: JsonValue | undefined): value is JsonNumber {
  return typeof value === "object" && value !== null && !isObject(value) && !isArray(value);
}

/** The JSON number of an integer that a double holds exactly. */
export function jsonInteger(value: number): JsonNumber {
  if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is no exact integer`);
  // `-0` is written as `0`: there is only one zero.
  return { digits: String(value) };
}

/**
 * The one text of a value: no space, keys in their order, ASCII only, so that no reader can take a byte for something
 * else. Parsing it gives the same value.
 */
export function serializeJson(value: JsonValue): string {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") return quote(value);
  if (isArray(value)) return `[${value.map(serializeJson).join(",")}]`;
  if (isObject(value))
    return `{${[...value].map(([key, member]) => `${quote(key)}:${serializeJson(member)}`).join(",")}}`;
  return value.digits;
}

function quote(text: string): string {
  return JSON.stringify(text).replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
