import { wrapText } from "./wrapped-text.ts";

/** Below this a description beside its term would be a column of single words. */
const leastColumns = 32;

/** One term of a help text and what it means: beside each other, or where that is too narrow below each other. */
export function helpItem(term: string, termColumns: number, description: string, columns: number): string {
  if (description === "") return `  ${term}`;
  const beside = columns - termColumns - 4 >= leastColumns;
  const lines = beside
    ? wrapText(description, `  ${term.padEnd(termColumns)}  `, " ".repeat(termColumns + 4), columns)
    : [`  ${term}`, ...wrapText(description, "      ", undefined, columns)];
  return lines.join("\n");
}
