/** Secrets shorter than this are not looked for: they would black out ordinary words. */
export const shortestSecret = 4;

/**
 * Lists every spelling in which a set of secrets may show up in output: plain, as Compose, URLs, JSON, YAML and shells
 * escape them, and as base64 or hex, alone or inside a longer encoded text. Longest first, without duplicates.
 */
export function spellingsOf(secrets: Iterable<string>): readonly string[] {
  const spellings = new Set(
    [...secrets].flatMap(printedParts).flatMap((part) => [...escapedForms(part), ...encodedForms(part)]),
  );
  return [...spellings].filter((spelling) => spelling.length >= shortestSecret).sort((a, b) => b.length - a.length);
}

/** A file's value comes back without its last newline, and log prefixes tear the lines of a key apart. */
function printedParts(secret: string): string[] {
  // Every PEM text has these lines, public certificates too.
  const isMark = (line: string) => /^-----(BEGIN|END) [A-Z0-9 ]+-----$/.test(line.trim());
  const lines = secret.split(/\r?\n/).filter((line) => line.trim().length >= 2 * shortestSecret && !isMark(line));
  return [secret, secret.trim(), ...lines].filter((part) => part.trim().length >= shortestSecret);
}

function escapedForms(secret: string): string[] {
  const dollars = [secret, secret.replaceAll("$", "$$$$")];
  // Twice, because logs of one program are quoted in the JSON of another.
  const json = dollars.flatMap(jsonForms);
  return [...dollars, ...json, ...json.flatMap(jsonForms), ...urlForms(secret), ...dollars.flatMap(shellForms)];
}

function jsonForms(text: string): string[] {
  const json = JSON.stringify(text).slice(1, -1);
  const withoutHtml = json.replace(/[<>&]/g, unicodeEscape);
  return [json, withoutHtml, json.replaceAll("/", "\\/"), json.replace(/[^\x20-\x7e]/g, unicodeEscape)];
}

function unicodeEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function urlForms(secret: string): string[] {
  const component = encodeURIComponent(secret.replace(/\p{Surrogate}/gu, "\uFFFD"));
  const strict = component.replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
  const form = strict.replaceAll("%20", "+").replaceAll("~", "%7E");
  const upper = [component, strict, form, strict.replaceAll("%2F", "/"), form.replaceAll("%2A", "*")];
  return upper.flatMap((text) => [text, text.replace(/%[0-9A-F]{2}/g, (encoded) => encoded.toLowerCase())]);
}

function shellForms(text: string): string[] {
  const double = text.replace(/[\\"$`]/g, "\\$&");
  return [
    text.replaceAll("'", `'\\''`),
    text.replaceAll("'", `'"'"'`),
    text.replaceAll("'", "\\'"),
    text.replaceAll("'", "''"),
    double,
  ];
}

function encodedForms(secret: string): string[] {
  const bytes = Buffer.from(secret, "utf8");
  const hex = bytes.toString("hex");
  const embedded = [0, 1, 2].map((shift) => embeddedBase64(bytes, shift));
  const base64 = [bytes.toString("base64"), ...embedded];
  return [hex, hex.toUpperCase(), ...base64, ...base64.map((text) => text.replaceAll("+", "-").replaceAll("/", "_"))];
}

/** The characters that the bytes alone decide when `shift` unknown bytes stand before them and any bytes behind them. */
function embeddedBase64(bytes: Uint8Array, shift: number): string {
  const padded = Buffer.concat([Buffer.alloc(shift), bytes]);
  return padded.toString("base64").slice(Math.ceil((shift * 8) / 6), Math.floor((padded.length * 8) / 6));
}
