import type { Position } from "./finding.ts";

/** A text file that was read, under the name that messages show. */
export interface Source {
  readonly file: string;
  readonly text: string;
}

/** Turns an offset into a position with its line's text, for a file that holds no secrets. */
export function positionAt(source: Source, offset: number): Position {
  const before = source.text.slice(0, offset);
  const lineStart = Math.max(before.lastIndexOf("\n"), before.lastIndexOf("\r")) + 1;
  const line = before.split(/\r\n|\r|\n/).length;
  const text = source.text.slice(lineStart).split(/[\r\n]/, 1)[0] ?? "";
  const hidden = lineStart === 0 && text.startsWith("\uFEFF") ? 1 : 0;
  return { file: source.file, line, column: offset - lineStart + 1 - hidden, text: text.slice(hidden) };
}
