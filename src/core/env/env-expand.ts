/** Gives the value of a variable, or undefined when it is not set. */
export type Resolve = (name: string) => string | undefined;

/** A template with its variables filled in, or why Compose would refuse it. Nothing of the template is in a refusal. */
export type Interpolation =
  | {
      readonly ok: true;
      readonly value: string;
      /** Every variable that was looked up, in order. */
      readonly variables: readonly string[];
      /** Variables that became an empty string because they are not set. */
      readonly unset: readonly string[];
    }
  | { readonly ok: false; readonly reason: "malformed" | "required" };

const escapeSequence = /\\(?:[abcfnrtv$"\\]|0\d{0,3})/g;
const simpleEscapes: Readonly<Record<string, string>> = {
  "\\a": "\x07",
  "\\b": "\b",
  "\\f": "\f",
  "\\n": "\n",
  "\\r": "\r",
  "\\t": "\t",
  "\\v": "\v",
  '\\"': '"',
  "\\\\": "\\",
  // Interpolation runs afterwards and turns the doubled dollar into one.
  "\\$": "$$",
};

/** Resolves the escapes of a double-quoted value as Compose does; `\$` becomes `$$` for the interpolation after it. */
export function expandEscapes(raw: string): string {
  return raw.replace(escapeSequence, (match) => {
    if (!match.startsWith("\\0")) return simpleEscapes[match] ?? match;
    const digits = match.slice(2);
    const code = /^[0-3][0-7]{2}$/.test(digits) ? Number.parseInt(digits, 8) : undefined;
    // A malformed octal escape stays, but Compose has taken its zero away by then.
    return code === undefined ? `\\${digits}` : String.fromCodePoint(code);
  });
}

// Case folding as in Compose: with the flags `i` and `u`, so that the very same names are accepted.
const variable =
  /\$(?:(?<escaped>\$)|(?<named>[_a-z][_a-z0-9]*)|\{(?:(?<braced>[_a-z][_a-z0-9]*)(?:(?<operator>:?[-+?])[^\n]*)?\}|))/giu;

/** Fills in `$NAME`, `${NAME}` and `${NAME:-…}`, `-`, `:+`, `+`, `:?`, `?` as Compose does (compose-go's template). */
export function interpolate(template: string, resolve: Resolve): Interpolation {
  let value = "";
  let end = 0;
  const variables: string[] = [];
  const unset: string[] = [];
  for (const match of template.matchAll(variable)) {
    const part = replaceMatch(match, resolve);
    if (!part.ok) return part;
    value += template.slice(end, match.index) + part.value;
    end = match.index + match[0].length;
    variables.push(...part.variables);
    unset.push(...part.unset);
  }
  return { ok: true, value: value + template.slice(end), variables, unset };
}

function replaceMatch(match: RegExpMatchArray, resolve: Resolve): Interpolation {
  const { escaped, named, braced, operator } = match.groups ?? {};
  if (escaped !== undefined) return { ok: true, value: "$", variables: [], unset: [] };
  const name = named ?? braced;
  if (name === undefined) return { ok: false, reason: "malformed" };
  if (operator === undefined) {
    const value = resolve(name);
    return { ok: true, value: value ?? "", variables: [name], unset: value === undefined ? [name] : [] };
  }
  // The match runs to the last brace of the line: what follows the brace that closes this variable is a template again.
  const close = closingBrace(match[0]);
  const whole = close === -1 ? match[0] : match[0].slice(0, close + 1);
  const operand = whole.slice(2 + name.length + operator.length, -1);
  const head = applyOperator(name, operator, operand, resolve);
  if (!head.ok) return head;
  const tail = interpolate(match[0].slice(whole.length), resolve);
  if (!tail.ok) return tail;
  return {
    ok: true,
    value: head.value + tail.value,
    variables: [name, ...head.variables, ...tail.variables],
    unset: [...head.unset, ...tail.unset],
  };
}

function applyOperator(name: string, operator: string, operand: string, resolve: Resolve): Interpolation {
  const value = resolve(name);
  const present = operator.startsWith(":") ? value !== undefined && value !== "" : value !== undefined;
  const kept = { ok: true, value: value ?? "", variables: [], unset: [] } as const;
  if (operator.endsWith("+")) return present ? interpolate(operand, resolve) : kept;
  if (present) return kept;
  if (operator.endsWith("-")) return interpolate(operand, resolve);
  return { ok: false, reason: "required" };
}

/** Compose does not look at the character after an opening brace: `${A:-{}}` therefore never closes for it. */
function closingBrace(text: string): number {
  let open = 0;
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === "}") {
      open -= 1;
      if (open === 0) return at;
    }
    if (text[at] === "{") {
      open += 1;
      at += 1;
    }
  }
  return -1;
}
