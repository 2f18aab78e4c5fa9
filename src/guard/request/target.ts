import { malformed, quoted, type Reading, read } from "./reading.ts";

type Pairs = readonly (readonly [name: string, value: string])[];

/** What a request line asks for, taken apart. */
export interface Target {
  /** `1.41`, or undefined where the client names none. */
  readonly version: string | undefined;
  /** Without the version: `/containers/json`. */
  readonly path: string;
  /** Decoded names and values. */
  readonly query: Pairs;
}

const maximumLength = 8192;
const maximumParameters = 256;

/**
 * Takes the target of a request apart. It is judged as it stands on the request line, before anything is decoded: an
 * escape, a dot segment or an empty segment in the path would be resolved by the engine's router, and maybe otherwise
 * by whoever stands before it. No client needs any of them.
 */
export function readTarget(raw: string): Reading<Target> {
  if (raw.length > maximumLength)
    return malformed("target.length", `a target of more than ${maximumLength} characters`);
  const question = raw.indexOf("?");
  const path = question < 0 ? raw : raw.slice(0, question);
  if (!/^\/[A-Za-z0-9_./:@-]+$/.test(path) || /\/\/|\/\.{1,2}(?:\/|$)/.test(path))
    return malformed("target.grammar", `the path ${quoted(path)} has something in it that no path of Docker's API has`);
  const query = readPairs(question < 0 ? "" : raw.slice(question + 1));
  if (query.kind !== "read") return query;
  const [, version, rest = path] = /^\/v(1\.\d\d)(\/.+)$/.exec(path) ?? [];
  return read({ version, path: rest, query: query.value });
}

/** Reads a query as Go's `url.ParseQuery` does, except that what is dubious to it is refused. */
function readPairs(text: string): Reading<Pairs> {
  const pairs: [string, string][] = [];
  if (text === "") return read(pairs);
  // A semicolon separated pairs up to Go 1.16 and is an error since; `?` and `#` are for other readers to stumble over.
  if (!/^(?:[A-Za-z0-9._~:/@!$'()*,+=&-]|%[0-9A-Fa-f]{2})*$/.test(text))
    return malformed("query.grammar", "the query has characters that have to be escaped, or broken escapes");
  for (const pair of text.split("&")) {
    const [name, value] = splitPair(pair).map(decode);
    if (name === undefined || name === "" || value === undefined)
      return malformed("query.grammar", `the query has a part that is no name and value: ${quoted(pair)}`);
    pairs.push([name, value]);
  }
  if (pairs.length > maximumParameters) return malformed("query.length", `more than ${maximumParameters} parameters`);
  return read(pairs);
}

function splitPair(pair: string): [name: string, value: string] {
  const equals = pair.indexOf("=");
  return equals < 0 ? [pair, ""] : [pair.slice(0, equals), pair.slice(equals + 1)];
}

/** One pass of decoding: what is escaped twice stays escaped once. Undefined: not UTF-8, or a control character. */
function decode(text: string): string | undefined {
  try {
    const decoded = decodeURIComponent(text.replaceAll("+", " "));
    return /[\u0000-\u001f\u007f]/.test(decoded) ? undefined : decoded;
  } catch {
    return undefined;
  }
}

/** The target for the engine: version, path and query from parts that were understood. */
export function writeTarget(version: string, path: string, query: ReadonlyMap<string, string>): string {
  const pairs = [...query].map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
  return `/v${version}${path}${pairs.length > 0 ? `?${pairs.join("&")}` : ""}`;
}
