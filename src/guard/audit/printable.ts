/**
 * Text of anybody as printable ASCII: what a terminal could obey or a reader could not see stands there as `\x1b` or
 * `\u{202e}`, a backslash as two. Longer texts are cut, and say so.
 */
export function printable(text: string, charactersMax = 1024): string {
  const cut = text.length > charactersMax ? text.slice(0, charactersMax) : text;
  const escaped = cut.replace(/[^ -[\]-~]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    if (character === "\\") return "\\\\";
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
  });
  return cut === text ? escaped : `${escaped}... (${text.length} characters)`;
}
