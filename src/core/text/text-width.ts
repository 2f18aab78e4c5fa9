/** Characters of two columns in a terminal: East Asian wide and full-width ones, and pictures. */
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u4dbf\u4e00-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6ff}\u{1f900}-\u{1faff}\u{20000}-\u{3fffd}]/u;
/** Characters that stand on or in the one before them. */
const none = /\p{Mn}|\p{Me}|[\u200b-\u200d]/u;

/** The columns that a text takes in a terminal: two for a wide character, none for one that joins the one before. */
export function textWidth(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += none.test(character) ? 0 : wide.test(character) ? 2 : 1;
  return width;
}

/** The text with as many blanks behind it as it lacks to so many columns. */
export function padded(text: string, columns: number): string {
  return text + " ".repeat(Math.max(columns - textWidth(text), 0));
}
