import { spellingsOf } from "./redact-spellings.ts";

/** What stands where a secret stood. It is never redacted again, and never written back as a value. */
export const redactedMark = "‹redacted›";

/** Builds a function that replaces every spelling of every secret in a text; secrets under four characters are skipped. */
export function createRedactor(secrets: Iterable<string>): (text: string) => string {
  const spellings = spellingsOf(secrets);
  return (text) => replaceRanges(text, findRanges(text, spellings));
}

/** Takes text in pieces that may tear a secret apart. */
export interface StreamRedactor {
  write(chunk: string): void;
  /** Passes on what was held back; to be called when the stream ends. */
  flush(): void;
}

/** Redacts a stream: of each chunk only an end that may be the beginning of a secret waits for the next chunk. */
export function createStreamRedactor(secrets: Iterable<string>, sink: (text: string) => void): StreamRedactor {
  const spellings = spellingsOf(secrets);
  let pending = "";
  const pass = (end: number, ranges: readonly Range[]) => {
    const text = replaceRanges(
      pending.slice(0, end),
      ranges.filter((range) => range.end <= end),
    );
    pending = pending.slice(end);
    if (text !== "") sink(text);
  };
  return {
    write(chunk) {
      pending += chunk;
      const ranges = findRanges(pending, spellings);
      const open = openEnd(pending, spellings);
      pass(ranges.find((range) => range.start < open && open < range.end)?.start ?? open, ranges);
    },
    flush() {
      pass(pending.length, findRanges(pending, spellings));
    },
  };
}

interface Range {
  readonly start: number;
  readonly end: number;
}

/** Where secrets are, overlapping ones joined, in order. A mark counts as one, so that it is replaced by itself. */
function findRanges(text: string, spellings: readonly string[]): Range[] {
  const found: Range[] = [];
  for (const spelling of [redactedMark, ...spellings]) {
    for (let start = text.indexOf(spelling); start !== -1; start = text.indexOf(spelling, start + 1)) {
      found.push({ start, end: start + spelling.length });
    }
  }
  found.sort((a, b) => a.start - b.start);
  const joined: Range[] = [];
  for (const range of found) {
    const last = joined.at(-1);
    if (last === undefined || range.start >= last.end) joined.push(range);
    else if (range.end > last.end) joined[joined.length - 1] = { start: last.start, end: range.end };
  }
  return joined;
}

function replaceRanges(text: string, ranges: readonly Range[]): string {
  let result = "";
  let end = 0;
  for (const range of ranges) {
    result += text.slice(end, range.start) + redactedMark;
    end = range.end;
  }
  return result + text.slice(end);
}

/** Where the earliest end of the text begins that more text could complete to a spelling; the text's length if none. */
function openEnd(text: string, spellings: readonly string[]): number {
  let open = text.length;
  for (const spelling of [redactedMark, ...spellings]) {
    for (let start = Math.max(0, text.length - spelling.length + 1); start < open; start += 1) {
      if (spelling.startsWith(text.slice(start))) open = start;
    }
  }
  return open;
}

/**
 * Tells by its name whether a variable or key holds a secret: `…_KEY`, `…_TOKEN`, `…_PASSWORD`, `…SECRET…`, `…_DSN` and
 * the like. Names of places (`…_FILE`, `…_PATH`, `…_DIR`) and public keys are none.
 */
export function looksSecret(keyName: string): boolean {
  const words = keyName
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .toUpperCase()
    .replace(/[^A-Z0-9]+/g, "_");
  if (/_(?:FILE|PATH|DIR)$|PUBLIC_?KEY/.test(words)) return false;
  if (/PASSWORD|PASSWD|PASSPHRASE|SECRET|CREDENTIAL|PRIVATE|API_?KEY|BASIC_?AUTH/.test(words)) return true;
  return /(?:^|_)(?:\w*KEYS?|\w*TOKEN|PASS|DSN|AUTHORIZATION|COOKIE)(?:_\d+)?$|_PWD$/.test(words);
}

/**
 * Walks what `docker compose config --format json` says and keeps its structure: replaces values under secret-looking
 * names, in `KEY=value` lists as well, the values of generated secrets, contents of secrets and configs, passwords in
 * URLs, and, with `redactor`, known secrets in any text.
 */
export function redactModel(json: unknown, redactor: (text: string) => string): unknown {
  return redactValue(json, [], redactor);
}

function redactValue(value: unknown, path: readonly string[], redactor: (text: string) => string): unknown {
  if (typeof value === "string") return redactText(value, path, redactor);
  // Passwords of digits come as numbers; true, false and null give nothing away.
  if (typeof value === "number") return isSecretPlace(path) ? redactedMark : value;
  if (Array.isArray(value)) return value.map((item) => redactValue(item, [...path, "[]"], redactor));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, redactValue(item, [...path, key], redactor)]),
  );
}

function redactText(text: string, path: readonly string[], redactor: (text: string) => string): string {
  // That a secret is empty is worth knowing and no secret.
  if (text === "") return text;
  if (isSecretPlace(path)) return redactedMark;
  const pair = path.at(-1) === "[]" ? /^(-{0,2}[A-Za-z_][\w.-]*)=./s.exec(text) : null;
  if (pair?.[1] !== undefined && looksSecret(pair[1])) return `${pair[1]}=${redactedMark}`;
  return redactUserinfo(redactor(text));
}

function isSecretPlace(path: readonly string[]): boolean {
  const [top, section] = path;
  const name = path.at(-1) ?? "";
  if (top?.startsWith("x-sandbox-deploy") && section === "secrets" && name === "value") return true;
  if ((top === "secrets" || top === "configs") && name === "content") return true;
  return looksSecret(name);
}

/** A name without a password is a credential as well where people put tokens: in `https://TOKEN@host`. */
function redactUserinfo(text: string): string {
  return text
    .replace(/\b([a-z][a-z0-9+.-]*:\/\/[^\s/?#:@]*):[^\s/?#]+@/gi, `$1:${redactedMark}@`)
    .replace(/\b(https?:\/\/)[^\s/?#:@‹]+@/gi, `$1${redactedMark}@`);
}
