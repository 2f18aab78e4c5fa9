import { isArray, isNumber, isObject, type JsonObject, type JsonValue, jsonInteger } from "../request/json.ts";
import type { BodyDraft } from "./body-draft.ts";

/** Whether a value says nothing: the docker CLI sends about 60 such fields with every container. */
export function isZero(value: JsonValue | undefined): boolean {
  if (value === undefined || value === null || value === false || value === "") return true;
  if (isArray(value)) return value.length === 0;
  if (isObject(value)) return value.size === 0;
  return isNumber(value) && /^-?0$/.test(value.digits);
}

/** A text, or undefined where there is none. NUL ends a text early for whoever reads it as C does. */
export function readText(draft: BodyDraft, field: string, value: JsonValue | undefined): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string") return wrongType(draft, field, "a string");
  if (value.includes("\0")) {
    return draft.refuse({ rule: "body.nul", field, what: `${field} has a NUL character in it`, status: 400 });
  }
  return value;
}

/** True or false; false where there is none. */
export function readFlag(draft: BodyDraft, field: string, value: JsonValue | undefined): boolean {
  if (value === undefined || value === null) return false;
  if (typeof value === "boolean") return value;
  wrongType(draft, field, "true or false");
  return false;
}

/** An integer, or undefined where there is none. */
export function readInteger(draft: BodyDraft, field: string, value: JsonValue | undefined): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isNumber(value) || !/^-?\d+$/.test(value.digits)) return wrongType(draft, field, "an integer");
  const number = Number(value.digits);
  return Number.isSafeInteger(number) ? number : wrongType(draft, field, "an integer below 2^53");
}

/** The items of a list; none where there is no list. */
export function readList(draft: BodyDraft, field: string, value: JsonValue | undefined): readonly JsonValue[] {
  if (value === undefined || value === null) return [];
  if (isArray(value)) return value;
  wrongType(draft, field, "a list");
  return [];
}

/** The texts of a list; undefined where there is no list, which is not the same as an empty one for every field. */
export function readTexts(draft: BodyDraft, field: string, value: JsonValue | undefined): string[] | undefined {
  if (value === undefined || value === null) return undefined;
  return readList(draft, field, value).flatMap((item, index) => {
    const at = `${field}[${index}]`;
    const text = item === null ? wrongType(draft, at, "a string") : readText(draft, at, item);
    return text === undefined ? [] : [text];
  });
}

/** The members of an object; none where there is no object. */
export function readMembers(draft: BodyDraft, field: string, value: JsonValue | undefined): JsonObject {
  if (value === undefined || value === null) return new Map();
  if (isObject(value)) return value;
  wrongType(draft, field, "an object");
  return new Map();
}

/** An object of what is there, in this order. */
export function jsonObject(members: Readonly<Record<string, JsonValue | undefined>>): JsonObject {
  const object = new Map<string, JsonValue>();
  for (const [name, value] of Object.entries(members)) if (value !== undefined) object.set(name, value);
  return object;
}

/** The JSON number of an integer, or nothing. */
export function optionalInteger(value: number | undefined): JsonValue | undefined {
  return value === undefined ? undefined : jsonInteger(value);
}

function wrongType(draft: BodyDraft, field: string, wanted: string): undefined {
  return draft.refuse({ rule: "body.type", field, what: `${field} has to be ${wanted}`, status: 400 });
}
