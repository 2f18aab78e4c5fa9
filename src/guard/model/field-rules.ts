import type { JsonObject, JsonValue } from "../request/json.ts";
import { quoted } from "../request/reading.ts";
import type { BodyDraft } from "./body-draft.ts";
import { isZero } from "./typed-value.ts";

/** What becomes of one field of an object that a client sent. */
export type FieldRule<Context> =
  /** Understood: what is sent in its place, or nothing. Called for every field of this kind, also for one that is missing. */
  | { readonly kind: "read"; readonly read: (value: JsonValue | undefined, context: Context) => JsonValue | undefined }
  /** Understood together with another field, and never sent itself. */
  | { readonly kind: "elsewhere" }
  /** Refused unless it says nothing; the reason is for whoever gets the message. */
  | { readonly kind: "refused"; readonly because: string };

/** What there is to a kind of object. A field that is not named here is refused. */
export type FieldRules<Context> = ReadonlyMap<string, FieldRule<Context>>;

/** The rules of fields that are only ever refused, from the reason of each. */
export function refusedFields<Context>(reasons: Readonly<Record<string, string>>): [string, FieldRule<Context>][] {
  return Object.entries(reasons).map(([name, because]) => [name, { kind: "refused", because }]);
}

/** The rule of a field that is read. */
export function readField<Context>(
  read: (value: JsonValue | undefined, context: Context) => JsonValue | undefined,
): FieldRule<Context> {
  return { kind: "read", read };
}

/** The object that is sent in place of one that was received, with the fields in the order of the rules. */
export function applyRules<Context extends { readonly draft: BodyDraft }>(
  rules: FieldRules<Context>,
  received: JsonObject,
  context: Context,
  place: { readonly prefix: string; readonly rule: string },
): JsonObject {
  refuseOthers(rules, received, context.draft, place);
  const sent = new Map<string, JsonValue>();
  for (const [name, rule] of rules) {
    if (rule.kind !== "read") continue;
    const value = rule.read(received.get(name), context);
    if (value !== undefined) sent.set(name, value);
  }
  return sent;
}

/** Refuses every field that has a value and no reader. */
export function refuseOthers<Context>(
  rules: FieldRules<Context>,
  received: JsonObject,
  draft: BodyDraft,
  place: { readonly prefix: string; readonly rule: string },
): void {
  for (const [name, value] of received) {
    const rule = rules.get(name);
    const field = `${place.prefix}${name}`;
    if (rule === undefined) {
      // Also with an empty value: a name in another spelling is one to the engine, and a newer one may mean anything.
      const what = `${place.prefix}${quoted(name)} is not a field that this guard knows`;
      draft.refuse({ rule: `${place.rule}.unknown-field`, field: field.slice(0, 100), what, status: 400 });
    } else if (rule.kind === "refused" && !isZero(value)) {
      draft.refuse({ rule: `${place.rule}.${kebab(name)}`, field, what: `${field}: ${rule.because}` });
    }
  }
}

/** Words that capital letters alone do not show. */
const oddWords = /IPv\d|IOps|CPUs/g;

/** `OomKillDisable` as part of the name of a rule: `oom-kill-disable`; `GlobalIPv6Address` is `global-ipv6-address`. */
export function kebab(name: string): string {
  return name
    .replace(oddWords, (word) => word.charAt(0) + word.slice(1).toLowerCase())
    .replace(/([a-z0-9])([A-Z])/g, "$1-$2")
    .replace(/([A-Z]+)([A-Z][a-z])/g, "$1-$2")
    .toLowerCase();
}
