import { deny } from "../decision/body-decision.ts";
import { isArray, isObject, type JsonObject, type JsonValue, serializeJson } from "./json.ts";
import { parseJson } from "./json-reader.ts";
import { malformed, quoted, type Reading, read } from "./reading.ts";

/** Filters of a list: what is listed matches one of the values of each name, or all of them for labels. */
export type Filters = ReadonlyMap<string, readonly string[]>;

/** The names of filters that a route takes, each with what its values have to match. */
export type FilterNames = Readonly<Record<string, RegExp>>;

const maximumValues = 64;

/**
 * Reads the parameter `filters`, in the form of the docker CLI, `{"name":{"x":true}}`, or of older clients,
 * `{"name":["x"]}`.
 */
export function readFilters(text: string, names: FilterNames): Reading<Filters> {
  if (text === "") return read(new Map());
  const parsed = parseJson(new TextEncoder().encode(text));
  if (!parsed.ok)
    return malformed(parsed.problem.rule, `filters: ${parsed.problem.what} (at byte ${parsed.problem.offset})`);
  if (!isObject(parsed.value)) return malformed("query.filters", "filters have to be an object");
  const filters = new Map<string, readonly string[]>();
  for (const [name, value] of parsed.value) {
    const values = readValues(value);
    if (values === undefined || values.length > maximumValues)
      return malformed("query.filters", `the values of the filter ${quoted(name)} have to be texts`);
    if (values.length === 0) continue;
    const pattern = Object.hasOwn(names, name) ? names[name] : undefined;
    if (pattern === undefined) return deny("query.filter-unknown", `the filter ${quoted(name)} is not taken`);
    const wrong = values.find((each) => !pattern.test(each));
    if (wrong !== undefined)
      return deny("query.filter-value", `the filter ${quoted(name)} does not take ${quoted(wrong)}`);
    filters.set(name, values);
  }
  return read(filters);
}

function readValues(value: JsonValue): readonly string[] | undefined {
  if (isArray(value)) return value.every((each) => typeof each === "string") ? value : undefined;
  // A value that is marked `false` counts for some filters of the engine and not for others.
  if (isObject(value)) return [...value.values()].every((each) => each === true) ? [...value.keys()] : undefined;
  return value === null ? [] : undefined;
}

/** Filters with one more value that everything listed has to match. */
export function requiring(filters: Filters, name: string, value: string): Filters {
  const values = (filters.get(name) ?? []).filter((each) => each !== value);
  return new Map([...filters, [name, [...values, value]]]);
}

/** The text of filters, in the form that engines of every age read. */
export function writeFilters(filters: Filters): string {
  const object: JsonObject = new Map(
    [...filters].map(([name, values]) => [name, new Map(values.map((value) => [value, true]))]),
  );
  return serializeJson(object);
}
