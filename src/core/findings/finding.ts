import type { FindingCode } from "./finding-codes.ts";

/** An error stops, a warning is shown and passed over, info explains. */
export type Severity = "error" | "warning" | "info";

/** A place in a file; line and column count from 1. */
export interface Position {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
  /** The text of that line, for the marker below it. Left out where the line may hold a secret. */
  readonly text?: string;
}

/** Something wrong or worth knowing, with a stable code and what to do about it. Messages never hold secrets. */
export interface Finding {
  readonly code: FindingCode;
  readonly severity: Severity;
  readonly message: string;
  readonly fix?: string;
  /** The name by which `--accept` makes a warning of this error, where that may be. */
  readonly acceptName?: string;
  readonly at?: Position;
}

/** Either a value or the findings that say why there is none. Warnings may accompany a value. */
export type Outcome<T> =
  | { readonly ok: true; readonly value: T; readonly findings: readonly Finding[] }
  | { readonly ok: false; readonly findings: readonly Finding[] };

/** A value, with the warnings that came with it. */
export function success<T>(value: T, findings: readonly Finding[] = []): Outcome<T> {
  return { ok: true, value, findings };
}

/** No value, and why. */
export function failure(...findings: readonly Finding[]): Outcome<never> {
  return { ok: false, findings };
}

/** The finding with every text in it as `shown` makes it, which takes secrets out. */
export function shownFinding(finding: Finding, shown: (text: string) => string): Finding {
  const { message, fix, at } = finding;
  return {
    ...finding,
    message: shown(message),
    ...(fix === undefined ? {} : { fix: shown(fix) }),
    ...(at === undefined
      ? {}
      : { at: { ...at, file: shown(at.file), ...(at.text === undefined ? {} : { text: shown(at.text) }) } }),
  };
}

/** Renders one finding: `file:line:col severity code message`, the line with a marker, and the fix. */
export function formatFinding(finding: Finding): string {
  return formatFindingWithin(finding, Number.POSITIVE_INFINITY);
}

/** The same, of a line that is wider than a terminal only the part around the marker. */
export function formatFindingWithin(finding: Finding, columns: number): string {
  const { at } = finding;
  const place = at ? [at.file, at.line, at.column].filter((part) => part !== undefined).join(":") + " " : "";
  const lines = [`${place}${finding.severity} ${finding.code} ${finding.message}`];
  if (at?.text !== undefined && at.line !== undefined) {
    const number = String(at.line);
    const { text, marked } = around(at.text, (at.column ?? 1) - 1, columns - number.length - 5);
    lines.push(`  ${number} | ${text}`);
    if (at.column !== undefined) lines.push(`  ${" ".repeat(number.length)} | ${blanks(text, marked)}^`);
  }
  if (finding.fix) lines.push(`  fix: ${finding.fix}`);
  return lines.join("\n");
}

/** The part of a line that has room, with the marked character in it; a line that fits is whole. */
function around(line: string, marked: number, room: number): { readonly text: string; readonly marked: number } {
  if (line.length <= room) return { text: line, marked };
  const start = Math.max(0, Math.min(marked - Math.floor(room / 2), line.length - room));
  const end = start + room;
  const [before, after] = [start > 0 ? "…" : "", end < line.length ? "…" : ""];
  const text = `${before}${line.slice(start + before.length, end - after.length)}${after}`;
  return { text, marked: marked - start };
}

/** As wide as the first characters of a text: a tab stays a tab, so that the marker stands below its place. */
function blanks(text: string, count: number): string {
  return text.slice(0, count).replace(/[^\t]/g, " ").padEnd(count);
}
