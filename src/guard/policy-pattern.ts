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
    throw new SyntaxError("something repeated inside of something repeated, such as (a+)+, can take for ever to match");
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

/** Whether a group that has `*`, `+` or `{n,}` in it is itself repeated without end: such a pattern can be made to hang. */
function hasNestedRepetition(text: string): boolean {
  const bare = text.replace(/\\[\s\S]/g, "x").replace(/\[[^\]]*\]/g, "x");
  const endless = /[*+]|\{\d+,\}/;
  for (let rest = bare; ; ) {
    // Innermost groups first; a group without repetition inside becomes a letter.
    const group = /\((?:\?(?::|=|!|<=|<!|<\w+>))?([^()]*)\)(\*|\+|\{\d+,\}|)/.exec(rest);
    if (group === null) return false;
    const [whole, inside = "", repeated = ""] = group;
    if (repeated !== "" && endless.test(inside)) return true;
    // What repeats inside still does, seen from the group around it.
    rest = rest.replace(whole, () => (endless.test(inside) || repeated !== "" ? "x*" : "x"));
  }
}
