import { isNumber, type JsonObject, type JsonValue, serializeJson } from "./json.ts";
import { malformed, quoted, type Reading, read } from "./reading.ts";

/**
 * dockerode writes the options of a call into the query and into the body alike, whichever of the two the engine reads.
 * Here the one is taken out where the other says the same, so that the model of each sees only what belongs to it.
 * Nothing is lost: what is taken out of the query would not be sent on anyway, and the body keeps it.
 */
export function queryWithoutEcho(
  pairs: readonly (readonly [name: string, value: string])[],
  known: (name: string) => boolean,
  body: JsonObject | undefined,
): Reading<ReadonlyMap<string, string>> {
  const parameters = new Map<string, string>();
  for (const [name, value] of pairs) {
    if (!known(name) && body?.has(name)) continue;
    if (parameters.has(name)) return malformed("query.repeated", `the query names ${quoted(name)} twice`);
    parameters.set(name, value);
  }
  return read(parameters);
}

/** The members of a body that do not merely repeat a parameter. */
export function bodyWithoutEcho(body: JsonObject, parameters: ReadonlyMap<string, string>): JsonObject {
  return new Map([...body].filter(([name, member]) => !repeats(member, parameters.get(name))));
}

function repeats(member: JsonValue, parameter: string | undefined): boolean {
  if (typeof member === "string") return member === parameter;
  return (typeof member === "boolean" || isNumber(member)) && serializeJson(member) === parameter;
}
