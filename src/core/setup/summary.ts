import { textColumns } from "../text/fitted-text.ts";
import { wrapText } from "../text/wrapped-text.ts";
import type { FileChange } from "./file-changes.ts";
import { lineDiff } from "./line-diff.ts";
import type { Answers } from "./question.ts";
import { questions } from "./questions.ts";

/** What a file of changes is called in the JSON document and in text. */
export interface ShownChange {
  readonly file: string;
  readonly change: "create" | "change";
  /** Lines that go (`-`) and come (`+`). For a new file they are compared with its template. */
  readonly lines: readonly string[];
}

/** A change as it is shown; values of these variables never are. */
export function shownChange({ name, text, template, after }: FileChange, secrets: readonly string[]): ShownChange {
  const lines = lineDiff(text ?? template?.text ?? "", after).map(({ change, text: line }) =>
    `${change === "added" ? "+" : "-"} ${withoutSecret(line, secrets)}`.trimEnd(),
  );
  return { file: name, change: text === undefined ? "create" : "change", lines };
}

function withoutSecret(line: string, secrets: readonly string[]): string {
  const name = /^\s*(?:export\s+)?(\w+)\s*=/.exec(line)?.[1];
  return name !== undefined && secrets.includes(name) ? `${name}=‹hidden›` : line;
}

/** The answers, and what they change, for people. */
export function summaryText(
  answers: Answers,
  changes: readonly FileChange[],
  secrets: readonly string[],
  columns = textColumns,
): string {
  const rows = questions.flatMap(({ id, title }) => {
    const answer = answers[id];
    return answer === undefined ? [] : [{ title, answer }];
  });
  const titleColumns = Math.max(0, ...rows.map(({ title }) => title.length));
  const files = changes.flatMap((change) => {
    const { file, lines } = shownChange(change, secrets);
    return [`  ${file} ${whatHappens(change, lines.length)}`, ...lines.map((line) => `    ${line}`)];
  });
  return [
    "answers",
    ...rows.flatMap(({ title, answer }) => wrapText(answer, `  ${title.padEnd(titleColumns)}  `, undefined, columns)),
    "files",
    ...(files.length === 0 ? ["  none: they say all this already"] : files),
  ].join("\n");
}

function whatHappens({ text, template }: FileChange, lines: number): string {
  if (text !== undefined) return "changes:";
  const from = template === undefined ? "" : ` from ${template.name}`;
  return lines === 0 ? `is made${from}` : `is made${from}, but for:`;
}
