import { parseAllDocuments, type YAMLParseError } from "yaml";
import { checkExpansion } from "./pyyaml-expansion.ts";
import { type Refusal, refusedCharacter, refusedToken, tooDeep } from "./pyyaml-lexis.ts";
import { buildTree, type DuplicateKey, type PyNode } from "./pyyaml-tree.ts";

/** A document as PyYAML's `safe_load` would return it, or why it would raise; offsets are into `text`. */
export type PyLoad = { readonly text: string } & (
  | { readonly ok: true; readonly root: PyNode; readonly duplicates: readonly DuplicateKey[] }
  | { readonly ok: false; readonly refusals: readonly [Refusal, ...Refusal[]] }
);

/** Reads YAML 1.1 as Python does from a file opened as text (PyYAML 6.0); what is uncertain is refused, never guessed. */
export function loadPyYaml(original: string): PyLoad {
  const text = original.replace(/^\uFEFF/, "").replace(/\r\n?/g, "\n");
  const lexical = refusedCharacter(text) ?? refusedToken(text);
  if (lexical) return { ok: false, text, refusals: [lexical] };
  try {
    return { text, ...loadDocument(text) };
  } catch (error) {
    if (error instanceof RangeError) return { ok: false, text, refusals: [tooDeep(0)] };
    throw error;
  }
}

type Loaded =
  | { readonly ok: true; readonly root: PyNode; readonly duplicates: readonly DuplicateKey[] }
  | { readonly ok: false; readonly refusals: readonly [Refusal, ...Refusal[]] };

function loadDocument(text: string): Loaded {
  // Failsafe leaves every scalar as text: the types come from PyYAML's resolver, not from the package's.
  const documents = parseAllDocuments(text, {
    version: "1.1",
    schema: "failsafe",
    uniqueKeys: false,
    keepSourceTokens: true,
    strict: true,
    prettyErrors: false,
    logLevel: "silent",
  });
  const [first, second] = [...documents];
  if (!first) return { ok: true, root: { kind: "null", offset: 0 }, duplicates: [] };
  const [error, ...errors] = first.errors.map(syntaxRefusal);
  if (error) return { ok: false, refusals: [error, ...errors] };
  if (second) {
    const problem = "holds a second document";
    return {
      ok: false,
      refusals: [
        { offset: second.range[0], kind: "content", problem, fix: "keep one document; remove the second ---" },
      ],
    };
  }
  const tree = buildTree(first, text);
  const [refusal, ...refusals] = tree.refusals.length > 0 ? tree.refusals : checkExpansion(tree.root);
  if (refusal) return { ok: false, refusals: [refusal, ...refusals] };
  return { ok: true, root: tree.root, duplicates: tree.duplicates };
}

/** The package's own messages quote the file, so only its codes are used. */
function syntaxRefusal(error: YAMLParseError): Refusal {
  const problem = syntaxProblems[error.code] ?? "is not valid YAML here";
  const fix =
    error.code === "BAD_INDENT"
      ? "indent it like its neighbours, and inside { } or [ ] further than the key"
      : undefined;
  return { offset: error.pos[0], kind: "syntax", problem, ...(fix === undefined ? {} : { fix }) };
}

const syntaxProblems: Partial<Record<YAMLParseError["code"], string>> = {
  BAD_ALIAS: "has an alias without a name or an anchor",
  BAD_DQ_ESCAPE: "has an unknown backslash escape in double quotes",
  BAD_INDENT: "is not indented as YAML needs it here",
  BAD_SCALAR_START: "has a value that starts with a character that must be quoted",
  BLOCK_AS_IMPLICIT_KEY: "has a nested mapping on one line",
  BLOCK_IN_FLOW: "has a block collection inside { } or [ ]",
  KEY_OVER_1024_CHARS: "has a key longer than 1024 characters",
  MISSING_CHAR: "lacks a closing quote, a bracket, a comma or a colon here",
  MULTILINE_IMPLICIT_KEY: "has a key that spans several lines",
  TAB_AS_INDENT: "is indented with a tab",
};
