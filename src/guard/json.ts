/** A JSON value as it was written: a number keeps its digits, so that nothing is rounded on the way. */
export type JsonValue = null | boolean | string | JsonNumber | readonly JsonValue[] | JsonObject;

/** An object with each of its keys once, in order. A map, because `__proto__` is a key like any other. */
export type JsonObject = ReadonlyMap<string, JsonValue>;

/** The digits of a number; only integers that a double holds exactly are accepted at all. */
export interface JsonNumber {
  readonly digits: string;
}
