/** The columns that text for people is made for. */
export const textColumns = 80;

/** Breaks text at its blanks so that no line is wider than `columns`; a word that is wider by itself stays whole. */
export function wrapText(
  text: string,
  first: string,
  rest = " ".repeat(first.length),
  columns = textColumns,
): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ").filter((each) => each !== "")) {
    const last = lines.at(-1);
    if (last !== undefined && `${last} ${word}`.length <= columns) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(`${last === undefined ? first : rest}${word}`);
  }
  return lines;
}
