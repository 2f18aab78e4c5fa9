import fc from "fast-check";

/** A JSON text that need not mean one thing: keys may stand twice, in any spelling, and values may be of any type. */
export interface LooseField {
  readonly key: string;
  readonly value: LooseValue;
}

/** A value as text, or an object whose keys are still to be spelled. */
export type LooseValue = string | { readonly fields: readonly LooseField[] };

/** Spellings of a key: mostly its own, and all that Go takes for the same, or that another reader might. */
function spellings(key: string): fc.Arbitrary<string> {
  const quote = JSON.stringify;
  const escaped = [...key].map((letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`).join("");
  const some = fc.nat({ max: Math.max(key.length - 1, 0) });
  return fc.oneof(
    { weight: 24, arbitrary: fc.constant(quote(key)) },
    { weight: 1, arbitrary: fc.constantFrom(quote(key.toLowerCase()), quote(key.toUpperCase()), `"${escaped}"`) },
    { weight: 1, arbitrary: fc.constant(quote(key.replace(/s/i, "\u017f"))) },
    { weight: 1, arbitrary: fc.constant(`"${key.replace(/s/i, "\\u017f")}"`) },
    { weight: 1, arbitrary: fc.constant(quote(key.replace(/k/i, "\u212a"))) },
    {
      weight: 1,
      arbitrary: some.map((at) => `"${key.slice(0, at)}${escaped.slice(at * 6, at * 6 + 6)}${key.slice(at + 1)}"`),
    },
    { weight: 1, arbitrary: fc.constantFrom(quote(` ${key}`), quote(`${key}\0`), quote(`${key}\u200b`)) },
  );
}

/** The texts of a value. */
export function textOf(value: LooseValue): fc.Arbitrary<string> {
  if (typeof value === "string") return fc.constant(value);
  const members = value.fields.map(({ key, value: inner }) =>
    fc.tuple(spellings(key), textOf(inner)).map(([name, text]) => `${name}:${text}`),
  );
  const space = fc.constantFrom("", "", "", " ", "\n");
  return fc.tuple(space, fc.tuple(...members)).map(([gap, texts]) => `{${gap}${texts.join(`,${gap}`)}${gap}}`);
}
