/** Everything that a terminal obeys rather than shows: C0 but tab and newline, DEL, C1, and what turns the writing direction. */
const obeyed = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** A text from somewhere else as a terminal may show it: what would move the cursor or rewrite lines stands there in letters. */
export function visibleText(text: string): string {
  return text.replace(obeyed, escaped);
}

/** A value from somewhere else on one line, so that it cannot look like lines of ours. */
export function visibleLine(text: string): string {
  return visibleText(text).replace(/[\t\n]/g, escaped);
}

/** A stream of logs: colours stay, whatever else a terminal obeys does not. */
export function visibleLog(text: string): string {
  const parts = text.split(/(\u001b\[[0-9;]*m)/);
  return parts.map((part, index) => (index % 2 === 1 ? part : visibleText(part.replaceAll("\r\n", "\n")))).join("");
}

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
}
