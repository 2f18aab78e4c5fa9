/** How a value of an environment file is written. */
export type EnvQuote = "none" | "single" | "double";

/** One statement of an environment file as it is written; offsets are UTF-16 units into the whole text. */
export type EnvStatement =
  | { readonly kind: "inherit"; readonly key: string; readonly offset: number }
  | {
      readonly kind: "assign";
      readonly key: string;
      readonly offset: number;
      readonly quote: EnvQuote;
      /** The value without its quotes and without an inline comment; escapes and variables are still in it. */
      readonly raw: string;
      /** Where a value begins that follows the `=` or `:` directly. */
      readonly separatorEnd: number;
      /** The written value with its quotes. */
      readonly valueStart: number;
      readonly valueEnd: number;
    };

/** Why Compose would refuse the text, and where. Text of the file is never part of it. */
export interface EnvScanFailure {
  readonly reason: "unterminated-quote" | "bad-name" | "space-in-name" | "missing-name";
  readonly offset: number;
  /** Where the quoted value began that ends just before the mistake: the likely culprit when it spans lines. */
  readonly quoteBefore?: number;
}

/** What the grammar makes of a text: its statements, or the first mistake. */
export type EnvScan =
  | { readonly ok: true; readonly statements: readonly EnvStatement[] }
  | { readonly ok: false; readonly failure: EnvScanFailure };

// Compose knows two kinds of space: within a line, and everything Unicode calls white space.
const lineSpace = "\\t\\v\\f\\r \\u0085\\u00a0";
const anySpace = `${lineSpace}\\n\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000`;

const gap = new RegExp(`(?:[${anySpace}]|#[^\\n]*)*`, "y");
const exportWord = new RegExp(`(?:export(?=[\\t\\n\\f\\r ])[${lineSpace}]*)?`, "y");
const nameCharacters = new RegExp(`[\\p{L}\\p{N}_.\\-[\\]${lineSpace}]*`, "uy");
const lineSpaces = new RegExp(`[${lineSpace}]*`, "y");
const restOfLine = /[^\n]*/y;
const trailingSpace = new RegExp(`[${anySpace}]+$`);

/**
 * Splits the text of an environment file into statements by the grammar of Compose's dotenv parser (compose-go),
 * which lets a second statement follow a quoted value on the same line and drops a bare name that ends the file.
 */
export function scanEnv(text: string): EnvScan {
  const statements: EnvStatement[] = [];
  let at = text.startsWith("\uFEFF") ? 1 : 0;
  let quoteBefore: number | undefined;
  for (;;) {
    const offset = at + matchAt(gap, text, at).length;
    if (offset === text.length) return { ok: true, statements };
    const name = scanName(text, offset);
    if (name.kind === "failure") {
      const failure = { reason: name.reason, offset: name.offset };
      return { ok: false, failure: quoteBefore === undefined ? failure : { ...failure, quoteBefore } };
    }
    if (name.kind === "end") return { ok: true, statements };
    quoteBefore = undefined;
    if (name.kind === "inherit") {
      if (name.key !== "") statements.push({ kind: "inherit", key: name.key, offset });
      at = name.end;
      continue;
    }
    const valueStart = name.end + matchAt(lineSpaces, text, name.end).length;
    const value = scanValue(text, valueStart);
    if (value === undefined) return { ok: false, failure: { reason: "unterminated-quote", offset: valueStart } };
    const { next, ...written } = value;
    statements.push({ kind: "assign", key: name.key, offset, separatorEnd: name.end, ...written });
    if (value.quote !== "none") quoteBefore = value.valueStart;
    at = next;
  }
}

type ScannedName =
  | { readonly kind: "assign" | "inherit"; readonly key: string; readonly end: number }
  | { readonly kind: "end" }
  | { readonly kind: "failure"; readonly reason: EnvScanFailure["reason"]; readonly offset: number };

function scanName(text: string, offset: number): ScannedName {
  const start = offset + matchAt(exportWord, text, offset).length;
  if (start === text.length) return { kind: "failure", reason: "missing-name", offset };
  const written = matchAt(nameCharacters, text, start);
  const end = start + written.length;
  const terminator = text[end];
  if (terminator === undefined) return { kind: "end" };
  if (terminator !== "=" && terminator !== ":" && terminator !== "\n") {
    return { kind: "failure", reason: "bad-name", offset: end };
  }
  const key = written.replace(trailingSpace, "");
  if (key.includes(" ")) return { kind: "failure", reason: "space-in-name", offset: start };
  return { kind: terminator === "\n" ? "inherit" : "assign", key, end: end + 1 };
}

interface ScannedValue {
  readonly quote: EnvQuote;
  readonly raw: string;
  readonly valueStart: number;
  readonly valueEnd: number;
  readonly next: number;
}

function scanValue(text: string, start: number): ScannedValue | undefined {
  const opening = text[start];
  if (opening === '"' || opening === "'") return scanQuoted(text, start, opening);
  const line = matchAt(restOfLine, text, start);
  const comment = line.indexOf(" #");
  const raw = (comment === -1 ? line : line.slice(0, comment)).replace(trailingSpace, "");
  const next = Math.min(start + line.length + 1, text.length);
  return { quote: "none", raw, valueStart: start, valueEnd: start + raw.length, next };
}

function scanQuoted(text: string, start: number, quote: "'" | '"'): ScannedValue | undefined {
  let raw = "";
  for (let at = start + 1; at < text.length; at += 1) {
    const character = text[at];
    if (character === quote) {
      const end = at + 1;
      return { quote: quote === "'" ? "single" : "double", raw, valueStart: start, valueEnd: end, next: end };
    }
    if (character === "\\") {
      // Only a quote loses its backslash here; every other pair is kept whole, so that \\ never escapes a quote.
      at += 1;
      const escaped = text[at] ?? "";
      raw += escaped === quote ? quote : `\\${escaped}`;
      continue;
    }
    raw += character;
  }
  return undefined;
}

function matchAt(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? "";
}
