import { failure, type Outcome, success } from "../findings/finding.ts";
import type { Source } from "../findings/source.ts";
import { expandEscapes, type Interpolation, interpolate, type Resolve } from "./env-expand.ts";
import { interpolationFinding, scanFinding } from "./env-finding.ts";
import { type EnvQuote, type EnvStatement, scanEnv } from "./env-scan.ts";

/** One line of an environment file that gives a variable a value. */
export interface EnvEntry {
  readonly key: string;
  /** The value that Compose interpolates with: the one of the process environment where it has the key. */
  readonly value: string;
  /** The value that this file gives, whatever the process environment holds; `env_file:` delivers this one. */
  readonly fileValue: string;
  /** The place of the key, both from 1. */
  readonly line: number;
  readonly column: number;
  readonly quote: EnvQuote;
  /** Whether a variable was filled in. */
  readonly interpolated: boolean;
  /** Whether one of them is written as `$NAME`, without braces: a password with a dollar sign in it looks the same. */
  readonly bare: boolean;
  /** Every variable that the value refers to. */
  readonly variables: readonly string[];
  /** Names that the value refers to and that are not set: Compose puts an empty string there and exits 0. */
  readonly unset: readonly string[];
}

/** What an environment file says, in the order of its lines; of entries with one key the last one counts. */
export interface EnvFile {
  readonly entries: readonly EnvEntry[];
}

/** The variables that a file sets, by key: the last entry of a key wins. */
export function envValues(file: EnvFile): ReadonlyMap<string, string> {
  return new Map(file.entries.map((entry) => [entry.key, entry.value]));
}

/** The entries that count: of those with one key the last. */
export function countingEntries({ entries }: EnvFile): EnvEntry[] {
  const last = new Map(entries.map((entry, index) => [entry.key, index]));
  return entries.filter(({ key }, index) => last.get(key) === index);
}

/**
 * Reads the text of an environment file as Docker Compose does. `lookup` is the process environment: it beats the file.
 * A text that Compose refuses is finding D030 with the place only, because the line may hold a secret.
 */
export function parseEnvFile(source: Source, lookup: ReadonlyMap<string, string>): Outcome<EnvFile> {
  const scan = scanEnv(source.text);
  if (!scan.ok) return failure(scanFinding(source, scan.failure));
  const seen = new Map<string, string>();
  const resolve = (name: string) => lookup.get(name) ?? seen.get(name);
  const placeAt = placeCounter(source.text);
  const entries: EnvEntry[] = [];
  for (const statement of scan.statements) {
    const evaluated = evaluate(statement, resolve);
    if (evaluated === undefined) continue;
    if (!evaluated.ok) return failure(interpolationFinding(source, statement, evaluated.reason));
    const { key } = statement;
    seen.set(key, evaluated.value);
    // Compose accepts `=value`, but no process can have a variable without a name.
    if (key === "") continue;
    entries.push({
      key,
      value: lookup.get(key) ?? evaluated.value,
      fileValue: evaluated.value,
      ...placeAt(statement.offset),
      quote: statement.kind === "assign" ? statement.quote : "none",
      interpolated: evaluated.variables.length > 0,
      bare: evaluated.variables.length > 0 && statement.kind === "assign" && bareVariable.test(statement.raw),
      variables: evaluated.variables,
      unset: evaluated.unset,
    });
  }
  return success({ entries });
}

/** A doubled or escaped dollar sign begins no variable. */
const bareVariable = /(?<![\\$])(?:\$\$)*\$[A-Za-z_]/;

function evaluate(statement: EnvStatement, resolve: Resolve): Interpolation | undefined {
  if (statement.kind === "inherit") {
    const value = resolve(statement.key);
    return value === undefined ? undefined : { ok: true, value, variables: [], unset: [] };
  }
  switch (statement.quote) {
    case "single":
      return { ok: true, value: statement.raw, variables: [], unset: [] };
    case "double":
      return interpolate(expandEscapes(statement.raw), resolve);
    case "none":
      return interpolate(statement.raw, resolve);
  }
}

/** Counts lines and columns for rising offsets in one pass over the text; a byte order mark is no column. */
function placeCounter(text: string): (offset: number) => { readonly line: number; readonly column: number } {
  let line = 1;
  let counted = 0;
  let lineStart = text.startsWith("\uFEFF") ? 1 : 0;
  return (offset) => {
    for (; counted < offset; counted += 1) {
      if (text[counted] !== "\n") continue;
      line += 1;
      lineStart = counted + 1;
    }
    return { line, column: offset - lineStart + 1 };
  };
}
