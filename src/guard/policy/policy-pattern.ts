/** Stands for the owner in a pattern: `{owner}-sandbox-.*`. As a regular expression by itself it would be an error. */
const ownerMark = "{owner}";

/** Why a text is no pattern for a policy, in words that an operator can act on; undefined: it is one. */
export function patternProblem(source: string): string | undefined {
  try {
    compilePattern(source, "owner");
    return undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return error.message;
    throw error;
  }
}

/** A regular expression of a policy, which always has to match the whole of a text. Throws a SyntaxError for what is none. */
export function compilePattern(source: string, owner: string): RegExp {
  const text = source.replaceAll(
    ownerMark,
    owner.replace(/[^A-Za-z0-9]/g, (char) => `\\x${hex(char)}`),
  );
  // By itself first: `a)|(b` would become valid, and mean something else, between the brackets that anchor it.
  new RegExp(text, "u");
  if (hasNestedRepetition(text)) {
    throw new SyntaxError("a repetition of nothing but a repetition, such as (a+)+, can take for ever to match");
  }
  return new RegExp(`^(?:${text})$`, "u");
}

/** The pattern as it was written, without what anchors it. */
export function patternSource(pattern: RegExp): string {
  const source = pattern.source.replace(/^\^\(\?:([\s\S]*)\)\$$/, "$1");
  // JavaScript shows a slash with a backslash before it.
  return source.replace(/\\([\s\S])/g, (escaped, char) => (char === "/" ? "/" : escaped));
}

function hex(char: string): string {
  return (char.codePointAt(0) ?? 0).toString(16).padStart(2, "0");
}

/**
 * Whether a group of nothing but a repetition is itself repeated, as in `(a+)*`: there are then countless ways to match
 * the same text. `(/[a-z]+)*` is not of that kind, since each round begins with a slash.
 */
function hasNestedRepetition(text: string): boolean {
  let rest = text.replace(/\\(?:x[0-9a-f]{2}|[\s\S])/gi, "x").replace(/\[[^\]]*\]/g, "x");
  for (;;) {
    // Innermost groups first; each becomes what it is to the group around it.
    const group = /\((?:\?(?::|=|!|<=|<!|<\w+>))?([^()]*)\)([*+]|\{\d+,\}|)/.exec(rest);
    if (group === null) return false;
    const [whole, inside = "", repeated = ""] = group;
    const loose = inside.split("|").some((branch) => /^.(?:[*+]|\{\d+,\})\??$/.test(branch));
    if (loose && repeated !== "") return true;
    rest = rest.replace(whole, () => (loose || repeated !== "" ? "x*" : "x"));
  }
}
