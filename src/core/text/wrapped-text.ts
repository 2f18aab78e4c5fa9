import { fitText, textColumns } from "./fitted-text.ts";
import { textWidth } from "./text-width.ts";

/** Below this there is no room for columns of a table beside each other. */
const narrowColumns = 60;

/** Breaks text at its blanks so that no line is wider than `columns`; a word that is wider by itself stays whole. */
export function wrapText(
  text: string,
  first: string,
  rest = " ".repeat(textWidth(first)),
  columns = textColumns,
): string[] {
  if (columns < narrowColumns && text !== "" && rest.length > columns / 4)
    return fitText(`${first}${text}`, columns).split("\n");
  const lines: string[] = [];
  for (const word of text.split(" ").filter((each) => each !== "")) {
    const last = lines.at(-1);
    if (last !== undefined && textWidth(`${last} ${word}`) <= columns) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(`${last === undefined ? first : rest}${word}`);
  }
  return lines;
}
