import { textWidth } from "./text-width.ts";

/** The columns that text for people is made for where no terminal says how many it has. */
export const textColumns = 80;

/**
 * What is shown: text for people, or how it lays itself out on so many columns (with no terminal, which may be as wide as it
 * likes, those of the usual one), or lines that other programs read.
 */
export type Text = string | ((columns: number, isTerminal: boolean) => string) | { readonly whole: string };

/** The text for a terminal of so many columns, or for no terminal: then nothing is broken that was not laid out so. */
export function fitted(text: Text, columns: number | undefined, shown: (text: string) => string): string {
  if (typeof text === "object") return shown(text.whole);
  // Made visible and redacted before it is broken: half a secret is not recognised.
  const whole = shown(typeof text === "string" ? text : text(columns ?? textColumns, columns !== undefined));
  return columns === undefined ? whole : fitText(whole, columns);
}

/** Breaks the lines that are wider: between their columns, then at their blanks. A word that is wider by itself stays whole. */
export function fitText(text: string, columns: number): string {
  return text
    .split("\n")
    .flatMap((line) => (textWidth(line) <= columns ? [line] : fitLine(line, columns)))
    .join("\n");
}

/** Marks behind which the lines that follow begin. */
const marker = /^(?:(?:fix|why): |[-+~?✔✖] |\d+\. )/;

function fitLine(line: string, columns: number): string[] {
  const deepest = Math.floor(columns * 0.4);
  const blanks = line.search(/\S|$/);
  const indent = blanks <= deepest ? blanks : 2;
  const cells = cellsOf(line.slice(blanks));
  const column = cells.map(({ start }) => indent + start).findLast((start) => start > indent && start <= deepest);
  const hang = column ?? indent + hangOf(line.slice(blanks), cells.length);
  const lines: string[] = [];
  let current = " ".repeat(indent);
  for (const { text, width } of cells) {
    if (textWidth(current) > hang && textWidth(current) + textWidth(text) > columns) {
      lines.push(current);
      current = " ".repeat(hang);
    }
    const broken = breakWords(text, current, { hang, least: indent + 2, columns });
    current = broken.pop() ?? "";
    lines.push(...broken);
    current += " ".repeat(Math.max(width - textWidth(text), 0));
  }
  return [...lines, current].map((each) => each.trimEnd());
}

function hangOf(text: string, cells: number): number {
  return cells > 1 ? 4 : (marker.exec(text)?.[0].length ?? 2);
}

interface Cell {
  readonly text: string;
  readonly start: number;
  /** Up to the next one. */
  readonly width: number;
}

/** The parts of a line between which there are two blanks or more. */
function cellsOf(line: string): Cell[] {
  const cells = line.matchAll(/(\S+(?: \S+)*)( *)/g);
  return [...cells].map(({ 0: whole, 1: text = "", index }) => ({
    ...{ text, start: textWidth(line.slice(0, index)), width: textWidth(whole) },
  }));
}

function breakWords(
  text: string,
  start: string,
  { hang, least, columns }: { readonly hang: number; readonly least: number; readonly columns: number },
): string[] {
  const lines = [start];
  for (const word of text.split(" ")) {
    const last = lines.at(-1) ?? "";
    const joined = last.trim() === "" || last.endsWith("  ") ? `${last}${word}` : `${last} ${word}`;
    if (textWidth(joined) <= columns) lines[lines.length - 1] = joined;
    else {
      const isEmpty = last.trim() === "";
      const indent = hang + textWidth(word) <= columns ? hang : least;
      const next = `${" ".repeat(isEmpty ? Math.min(last.length, indent) : indent)}${word}`;
      if (isEmpty) lines[lines.length - 1] = next;
      else lines.push(next);
    }
  }
  return lines;
}
