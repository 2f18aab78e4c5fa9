import { countingEntries, parseEnvFile } from "./env-file.ts";
import { type EnvStatement, scanEnv } from "./env-scan.ts";

/** A variable that an environment file should have. */
export interface EnvAddition {
  readonly key: string;
  readonly value: string;
  /** Written above the variable, one `#` per line. */
  readonly comment?: string;
}

/** An environment file cannot be edited as asked; the message names the key and never the value. */
export class EnvEditError extends Error {
  override readonly name = "EnvEditError";
}

/**
 * Adds variables to the text of an environment file and keeps every byte that is there. A key that has a value keeps it;
 * a key whose last line is empty (`KEY=`, `KEY=""`) gets the value in that place; any other is appended, in the line
 * endings of the file. Throws EnvEditError where Compose would not read the value back exactly.
 */
export function appendToEnvFile(text: string, additions: readonly EnvAddition[]): string {
  return additions.reduce(addVariable, text);
}

function addVariable(text: string, { key, value, comment }: EnvAddition): string {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(key)) throw new EnvEditError("a variable to add has a name that is not allowed");
  const scan = scanEnv(text);
  if (!scan.ok) throw new EnvEditError(`${key} cannot be added: the environment file cannot be parsed`);
  const existing = scan.statements.findLast((statement) => statement.key === key && statement.kind === "assign");
  if (existing?.kind === "assign") return value === "" ? text : fillEmpty(text, existing, value);
  const eol = /\r?\n/.exec(text)?.[0] ?? "\n";
  const mended = text === "" || text.endsWith("\n") ? text : text + eol;
  const above = comment === undefined ? [] : comment.split(/\r\n|\r|\n/).map((line) => `# ${line}`.trimEnd());
  return mended + [...above, `${key}=${writeValue(key, value)}`].map((line) => line + eol).join("");
}

function fillEmpty(text: string, existing: Extract<EnvStatement, { kind: "assign" }>, value: string): string {
  if (existing.raw !== "") return text;
  if (existing.quote === "none") {
    const written = writeValue(existing.key, value);
    return text.slice(0, existing.separatorEnd) + written + text.slice(existing.separatorEnd);
  }
  // A comment or a statement may follow the closing quote directly, so the new value must end in a quote as well.
  return text.slice(0, existing.valueStart) + quoteValue(existing.key, value) + text.slice(existing.valueEnd);
}

function writeValue(key: string, value: string): string {
  return /^[A-Za-z0-9_-]*$/.test(value) ? value : quoteValue(key, value);
}

/** Single quotes keep everything but a backslash before a quote or at the end; double quotes can escape that too. */
function quoteValue(key: string, value: string): string {
  if (value.includes("\0") || /\p{Surrogate}/u.test(value)) {
    throw new EnvEditError(`${key} cannot be added: its value holds a character that no environment variable can have`);
  }
  const backslashMeetsQuote = /(?<!\\)(?:\\\\)*\\(?:'|$)/.test(value);
  return backslashMeetsQuote ? `"${value.replace(/[\\"$]/g, "\\$&")}"` : `'${value.replaceAll("'", "\\'")}'`;
}

/**
 * Gives a variable another value in the text of an environment file, in the last line that assigns it, or at the end; every
 * other byte stays. `lookup` is the process environment. Throws EnvEditError where Compose would not read back exactly
 * that change.
 */
export function setInEnvFile(
  text: string,
  key: string,
  value: string,
  lookup: ReadonlyMap<string, string> = new Map(),
): string {
  const scan = scanEnv(text);
  const existing = scan.ok
    ? scan.statements.findLast((statement) => statement.key === key && statement.kind === "assign")
    : undefined;
  const edited =
    existing?.kind === "assign" && existing.raw !== ""
      ? text.slice(0, existing.valueStart) + replacement(existing, value) + text.slice(existing.valueEnd)
      : appendToEnvFile(text, [{ key, value }]);
  if (!isExactly(text, edited, key, value, lookup))
    throw new EnvEditError(
      `${key} cannot be set: its line in the environment file is written in a way that hides others`,
    );
  return edited;
}

function replacement({ key, quote }: Extract<EnvStatement, { kind: "assign" }>, value: string): string {
  // A statement may follow a closing quote directly, so the new value must end in a quote as well.
  return quote === "none" && value !== "" ? writeValue(key, value) : quoteValue(key, value);
}

/** Whether a file reads as before but for one key, and for what refers to it. */
function isExactly(
  before: string,
  after: string,
  key: string,
  value: string,
  lookup: ReadonlyMap<string, string>,
): boolean {
  const [old, now] = [before, after].map((text) => parseEnvFile({ file: "", text }, lookup));
  if (!now?.ok) return false;
  const entries = countingEntries(now.value);
  if (entries.find((entry) => entry.key === key)?.fileValue !== value) return false;
  if (!old?.ok) return false;
  const others = countingEntries(old.value).filter((entry) => entry.key !== key);
  const rest = new Map(entries.map((entry) => [entry.key, entry]));
  return (
    others.length === rest.size - 1 &&
    others.every((entry) => {
      const same = rest.get(entry.key);
      return same !== undefined && (same.interpolated || same.fileValue === entry.fileValue);
    })
  );
}
