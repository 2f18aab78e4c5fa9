import { CST, Lexer } from "yaml";

/** A place where PyYAML would refuse a file, or where its reading is not certain enough to decide by. */
export interface Refusal {
  readonly offset: number;
  /** `syntax`: the text is no YAML that PyYAML reads; `content`: it is, but `safe_load` or this tool refuses what it says. */
  readonly kind: "syntax" | "content";
  /** What is wrong, as a clause that follows the file's name. Never quotes values. */
  readonly problem: string;
  readonly fix?: string;
}

/** The nesting above which a file is refused; Python's recursion limit stops PyYAML a little later. */
export const deepestNesting = 100;

const unprintable = /[^\t\n\x20-\x7E\x85\u00A0-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u;
const strangeBreak = /[\x85\u2028\u2029]/;

/** Finds the first character that PyYAML's reader refuses, or that it alone takes for a line break. */
export function refusedCharacter(text: string): Refusal | undefined {
  const hidden = unprintable.exec(text);
  if (hidden) return syntax(hidden.index, `has the unprintable character ${codePoint(hidden[0])}`, "remove it");
  const lineBreak = strangeBreak.exec(text);
  if (lineBreak) {
    const problem = `has the invisible character ${codePoint(lineBreak[0])}, which PyYAML takes for a line break`;
    return syntax(lineBreak.index, problem, "remove it, or write it as an escape in double quotes");
  }
  const mark = text.indexOf("\uFEFF");
  if (mark >= 0) return syntax(mark, "has a byte order mark in the middle", "remove the invisible character");
  return undefined;
}

/** Finds the first token that the `yaml` package accepts and PyYAML's scanner refuses or reads in another way. */
export function refusedToken(text: string): Refusal | undefined {
  const scan: Scan = { offset: 0, flowDepth: 0, dashes: 0, directives: 0, before: undefined, indented: false };
  let scalarNext = false;
  for (const lexeme of new Lexer().lex(text)) {
    if (isControl(lexeme)) {
      scalarNext = lexeme === CST.SCALAR;
      continue;
    }
    const type = scalarNext
      ? scan.before === "block-scalar-header"
        ? "block-scalar"
        : "scalar"
      : CST.tokenType(lexeme);
    scalarNext = false;
    advance(scan, type);
    const refusal = checkNesting(scan) ?? checkLexeme(type, lexeme, scan);
    if (refusal) return refusal;
    if (type !== null && !ignorable.includes(type)) scan.before = type;
    scan.offset += lexeme.length;
  }
  if (scan.before !== "directive-line") return undefined;
  return content(0, "has a directive and no document", "remove the line that starts with %");
}

const ignorable = ["space", "newline", "comment"];
const valueEnds = ["scalar", "single-quoted-scalar", "double-quoted-scalar", "alias", "flow-map-end", "flow-seq-end"];

interface Scan {
  offset: number;
  flowDepth: number;
  /** How many sequences begin on this line. */
  dashes: number;
  directives: number;
  /** The type of the last token that is neither white space nor a comment. */
  before: string | undefined;
  /** Whether the last block of text says its own indentation, such as `|2`. */
  indented: boolean;
}

function advance(scan: Scan, type: string | null): void {
  if (type === "flow-map-start" || type === "flow-seq-start") scan.flowDepth += 1;
  if (type === "flow-map-end" || type === "flow-seq-end") scan.flowDepth -= 1;
  if (type === "newline") scan.dashes = 0;
  if (type === "seq-item-ind") scan.dashes += 1;
  if (type === "directive-line") scan.directives += 1;
}

function checkNesting(scan: Scan): Refusal | undefined {
  return Math.max(scan.flowDepth, scan.dashes) > deepestNesting ? tooDeep(scan.offset) : undefined;
}

/** The refusal of a file whose collections are nested deeper than is read. */
export function tooDeep(offset: number): Refusal {
  return { offset, kind: "content", problem: `nests collections more than ${deepestNesting} deep` };
}

function checkLexeme(type: string | null, lexeme: string, scan: Scan): Refusal | undefined {
  const { offset } = scan;
  switch (type) {
    case "space":
      return lexeme.includes("\t") ? tab(offset + lexeme.indexOf("\t")) : undefined;
    case "scalar":
      return checkPlain(lexeme, scan);
    case "block-scalar-header":
      scan.indented = /[0-9]/.test(lexeme);
      return undefined;
    case "block-scalar":
      if (!scan.indented || !/^ +$/m.test(lexeme)) return undefined;
      return syntax(offset, "has a line of spaces in a block of text that says its indentation", "empty that line");
    case "single-quoted-scalar":
      return /^'(?:[^']|'')*'$/.test(lexeme) ? undefined : syntax(offset, "lacks the closing quote of a value");
    case "double-quoted-scalar":
      if (!/\\\n[ \t]*\n/.test(lexeme)) return undefined;
      return syntax(
        offset,
        "has an empty line after a backslash in double quotes",
        "write \\n where a line break is meant",
      );
    case "explicit-key-ind":
      return syntax(offset, "uses ? for a key", "write the key without the ?");
    case "anchor":
    case "alias":
      if (!/^[&*][0-9A-Za-z_-]+$/.test(lexeme)) {
        return syntax(offset, "has an anchor whose name is not made of letters, digits, - and _");
      }
      return checkComma(type, scan);
    case "tag":
      return checkComma(type, scan);
    case "doc-end":
      return scan.before ? undefined : syntax(offset, "starts with the end of a document (...)", "remove the line");
    case "directive-line":
      if (scan.directives === 1 && /^%YAML +1\.[0-9]+ *(?:#.*)?$/.test(lexeme)) return undefined;
      return content(offset, "starts with a directive other than one %YAML 1.x", "remove the line that starts with %");
    default:
      return undefined;
  }
}

function checkComma(type: string, { offset, flowDepth, before }: Scan): Refusal | undefined {
  if (type === "alias" || flowDepth === 0 || !valueEnds.includes(before ?? "")) return undefined;
  return syntax(offset, "lacks a comma between two values");
}

function checkPlain(lexeme: string, { offset, flowDepth }: Scan): Refusal | undefined {
  if (lexeme.includes("\t")) return tab(offset + lexeme.indexOf("\t"));
  if (flowDepth > 0 && /^:|\?/.test(lexeme)) {
    return syntax(offset, "has a ? or a leading : inside { } or [ ] without quotes", "quote the value");
  }
  return undefined;
}

function tab(offset: number): Refusal {
  return syntax(offset, "has a tab where PyYAML allows only spaces", "replace the tab by spaces");
}

function syntax(offset: number, problem: string, fix?: string): Refusal {
  return { offset, kind: "syntax", problem, ...(fix === undefined ? {} : { fix }) };
}

function content(offset: number, problem: string, fix: string): Refusal {
  return { offset, kind: "content", problem, fix };
}

function isControl(lexeme: string): boolean {
  return lexeme === CST.BOM || lexeme === CST.DOCUMENT || lexeme === CST.FLOW_END || lexeme === CST.SCALAR;
}

function codePoint(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}
