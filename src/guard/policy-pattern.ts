/** Stands for the owner in a pattern: `{owner}-sandbox-.*`. As a regular expression by itself it would be an error. */
const ownerMark = "{owner}";

/**
 * A regular expression of a policy, which always has to match the whole of a text. Throws a SyntaxError with a reason
 * that an operator can act on.
 */
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

/** The pattern as it was compiled, without what anchors it. */
export function patternSource(pattern: RegExp): string {
  return pattern.source.replace(/^\^\(\?:([\s\S]*)\)\$$/, "$1");
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
