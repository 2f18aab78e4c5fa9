import { deny } from "../decision/body-decision.ts";
import { type FilterNames, type Filters, readFilters } from "./filters.ts";
import { malformed, quoted, type Reading, read } from "./reading.ts";

/** What the value of a parameter may be. An empty value is none, as it is for the engine, except for a flag. */
export type ParameterType =
  /** True or false, in the spellings that the engine and its clients use: `1`, `true`, `True`; `0`, `false`, an empty text. */
  | { readonly kind: "flag" }
  | { readonly kind: "integer"; readonly from: number; readonly to: number }
  | { readonly kind: "text"; readonly pattern: RegExp; readonly what: string }
  | { readonly kind: "filters"; readonly names: FilterNames }
  /** Sent by a client, and without meaning for the engine: left out. */
  | { readonly kind: "ignored" }
  /** Only taken where it asks for nothing: as a flag that is false, or an empty text. */
  | { readonly kind: "unset" };

/** The parameters that a route takes. Every other one is refused. */
export type QueryModel = Readonly<Record<string, ParameterType>>;

/** A query that was understood: what is sent, in the order of the model, and filters as data. */
export interface Query {
  readonly parameters: ReadonlyMap<string, string>;
  readonly filters: Filters;
}

/** Reads a query by the model of its route: names by exact spelling, values by type, and each in one spelling. */
export function readQuery(model: QueryModel, given: ReadonlyMap<string, string>): Reading<Query> {
  const unknown = [...given.keys()].find((name) => !Object.hasOwn(model, name));
  if (unknown !== undefined)
    return deny("query.unknown", `the parameter ${quoted(unknown)} is not one that this request may have`);
  const parameters = new Map<string, string>();
  let filters: Filters = new Map();
  for (const [name, type] of Object.entries(model)) {
    const text = given.get(name);
    if (text === undefined) continue;
    if (type.kind === "filters") {
      const value = readFilters(text, type.names);
      if (value.kind !== "read") return value;
      filters = value.value;
      continue;
    }
    const value = readParameter(name, text, type);
    if (value.kind !== "read") return value;
    if (value.value !== undefined) parameters.set(name, value.value);
  }
  return read({ parameters, filters });
}

/** The value to send, or undefined for none. */
function readParameter(
  name: string,
  text: string,
  type: Exclude<ParameterType, { kind: "filters" }>,
): Reading<string | undefined> {
  switch (type.kind) {
    case "flag": {
      const flag = readFlag(text);
      return flag === undefined ? wrongValue(name, text, "true or false") : read(flag ? "1" : "0");
    }
    case "integer": {
      if (text === "") return read(undefined);
      const inRange = /^-?\d{1,10}$/.test(text) && Number(text) >= type.from && Number(text) <= type.to;
      if (!inRange) return wrongValue(name, text, `a number from ${type.from} to ${type.to}`);
      return read(String(Number(text) + 0));
    }
    case "text":
      if (text === "") return read(undefined);
      return type.pattern.test(text) ? read(text) : wrongValue(name, text, type.what);
    case "ignored":
      return read(undefined);
    case "unset":
      if (readFlag(text) === false) return read(undefined);
      return deny("query.refused", `the parameter ${quoted(name)} is not taken`);
  }
}

function wrongValue(name: string, text: string, what: string) {
  return malformed("query.value", `the parameter ${quoted(name)} has to be ${what}, and not ${quoted(text)}`);
}

/** Reads a flag: what the engine takes for false is false; of what it takes for true, only what is meant so. */
export function readFlag(text: string): boolean | undefined {
  const value = text.toLowerCase();
  if (["", "0", "no", "false", "none"].includes(value)) return false;
  return ["1", "yes", "true"].includes(value) ? true : undefined;
}
