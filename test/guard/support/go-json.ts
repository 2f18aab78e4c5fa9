/**
 * A model of how the engine's decoder (Go's encoding/json) reads a body, written without the guard's own reader. It is
 * lenient: keys match a field without regard to case and by Unicode folding, keys that stand twice are merged, an array
 * that stands twice is filled from its beginning, and what follows the first value is not read.
 */
export type GoValue = null | boolean | number | string | readonly GoValue[] | GoObject;

/** An object as it is written: keys in order, with repetitions. */
export type GoObject = ReadonlyMap<string, GoValue>;

type Loose = null | boolean | number | string | { readonly items: Loose[] } | { readonly pairs: [string, Loose][] };

/** The first value of a text, with all keys as they are; throws where Go answers with an error. */
function parseLoose(text: string): Loose {
  let at = 0;
  const space = (): void => {
    while (" \t\r\n".includes(text[at] ?? "x")) at += 1;
  };
  const fail = (): never => {
    throw new SyntaxError(`at ${at}`);
  };
  const string = (): string => {
    const found = /^"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*"/.exec(text.slice(at))?.[0] ?? fail();
    at += found.length;
    return String(JSON.parse(found)).toWellFormed();
  };
  const list = <Item>(end: string, item: () => Item): Item[] => {
    const items: Item[] = [];
    at += 1;
    space();
    if (text[at] === end) {
      at += 1;
      return items;
    }
    for (;;) {
      space();
      items.push(item());
      space();
      const next = text[at];
      at += 1;
      if (next === end) return items;
      if (next !== ",") fail();
    }
  };
  const value = (): Loose => {
    space();
    const first = text[at];
    if (first === "{")
      return {
        pairs: list("}", (): [string, Loose] => {
          const key = text[at] === '"' ? string() : fail();
          space();
          if (text[at] !== ":") fail();
          at += 1;
          return [key, value()];
        }),
      };
    if (first === "[") return { items: list("]", value) };
    if (first === '"') return string();
    const word = /^(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?)/.exec(text.slice(at))?.[0] ?? fail();
    at += word.length;
    return JSON.parse(word);
  };
  return value();
}

/** Go's simple folding of the letters that fields of the engine have. */
function fold(key: string): string {
  return key.replaceAll("\u017f", "s").replaceAll("\u212a", "k").toLowerCase();
}

/** Fields of the engine's types that hold maps: their keys are data, and differ by case. */
const maps = new Set([
  "labels",
  "exposedports",
  "volumes",
  "portbindings",
  "tmpfs",
  "sysctls",
  "storageopt",
  "config",
  "annotations",
  "endpointsconfig",
  "options",
]);

/** Fields behind a pointer, which a null takes away; of the others that were set before, a null changes nothing. */
const pointers = new Set(["hostconfig", "networkingconfig", "healthcheck", "pidslimit", "init", ...maps]);

function settle(loose: Loose, before: GoValue | undefined, isMap: boolean): GoValue {
  if (loose === null || typeof loose !== "object") return loose;
  if ("items" in loose) {
    const earlier = Array.isArray(before) ? before : [];
    return loose.items.map((item, index) => settle(item, earlier[index], false));
  }
  const members = new Map(before instanceof Map ? before : []);
  for (const [key, member] of loose.pairs) {
    const name = isMap ? key : fold(key);
    if (member === null && members.has(name) && !pointers.has(name)) continue;
    members.set(name, settle(member, members.get(name), !isMap && maps.has(name)));
  }
  return members;
}

/** What the engine has understood: fields by their folded name, so that every spelling of one is found. */
export function readAsGo(text: string): GoObject {
  const value = settle(parseLoose(text), undefined, false);
  return value instanceof Map ? value : new Map();
}

/** The HostConfig that counts: its own object, or the top level where there is none. */
export function hostConfigOf(body: GoObject): GoObject {
  const own = body.get("hostconfig");
  return own instanceof Map ? own : body;
}

/** A query as Go's `url.ParseQuery` reads it: every value of every name; what it cannot read is left out. */
export function readQueryAsGo(query: string): ReadonlyMap<string, readonly string[]> {
  const values = new Map<string, string[]>();
  for (const pair of query.split("&")) {
    if (pair === "" || pair.includes(";")) continue;
    const equals = pair.indexOf("=");
    const [name, value] = [equals < 0 ? pair : pair.slice(0, equals), equals < 0 ? "" : pair.slice(equals + 1)].map(
      decodeAsGo,
    );
    if (name === undefined || value === undefined) continue;
    values.set(name, [...(values.get(name) ?? []), value]);
  }
  return values;
}

function decodeAsGo(text: string): string | undefined {
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) return undefined;
  return Buffer.from(
    text
      .replaceAll("+", " ")
      .replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    "latin1",
  ).toString("utf8");
}
