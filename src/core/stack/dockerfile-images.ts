/** What decides which images a build starts from: its arguments, its target, and contexts that stand for images. */
export interface BuildInputs {
  readonly args: Readonly<Record<string, string | null | undefined>>;
  readonly target?: string | undefined;
  readonly additional_contexts: Readonly<Record<string, string>>;
}

interface Stage {
  readonly name: string | undefined;
  /** What it is made from or copies from: names of stages, numbers, or images. */
  readonly needs: readonly string[];
}

/**
 * The images that a build needs: those of the target's stage and of the stages that it uses, and the frontend that a
 * `# syntax=` line names. One whose name depends on an argument without a value is left out.
 */
export function imagesOfDockerfile(text: string, inputs: BuildInputs): string[] {
  const lines = logicalLines(text);
  const stages = stagesOf(lines, inputs.args);
  const target = inputs.target?.toLowerCase();
  const last = stages.at(-1);
  const used = new Set(stages.filter(({ name }) => target !== undefined && name === target));
  if (used.size === 0 && last !== undefined) used.add(last);
  const images = new Set<string>();
  for (const stage of used) {
    for (const need of stage.needs) {
      const other = stages.find(({ name }, index) => name === need.toLowerCase() || String(index) === need);
      if (other !== undefined && other !== stage) used.add(other);
      else if (need !== "scratch" && !(need in inputs.additional_contexts)) images.add(need);
    }
  }
  return [...frontendOf(text), ...images];
}

function frontendOf(text: string): string[] {
  const [, frontend] = /^(?:#[^\n]*\n)*?#\s*syntax\s*=\s*(\S+)/i.exec(text) ?? [];
  return frontend === undefined ? [] : [frontend];
}

/** Lines without comments, those that end in a backslash joined with the next. */
function logicalLines(text: string): string[] {
  const lines = text.split(/\r?\n/).filter((line) => !/^\s*#/.test(line));
  return lines
    .join("\n")
    .replaceAll(/[\\`][ \t]*\n/g, " ")
    .split("\n")
    .map((line) => line.trim());
}

function stagesOf(lines: readonly string[], args: BuildInputs["args"]): Stage[] {
  const values = new Map<string, string>();
  const stages: (Stage & { readonly needs: string[] })[] = [];
  for (const line of lines) {
    const [, word = "", rest = ""] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
    const stage = stages.at(-1);
    switch (word.toUpperCase()) {
      case "ARG":
        if (stage === undefined) for (const [name, value] of declared(rest, args)) values.set(name, value);
        break;
      case "FROM": {
        const [, image = "", , name] = /^(?:--\S+\s+)*(\S+)(\s+AS\s+(\S+))?/i.exec(rest) ?? [];
        stages.push({ name: name?.toLowerCase(), needs: expanded(image, values) });
        break;
      }
      default:
        for (const [, from = ""] of rest.matchAll(/(?:--from=|--mount=\S*\bfrom=)([^\s,]+)/g))
          stage?.needs.push(...expanded(from, values));
    }
  }
  return stages;
}

/** The arguments of a line with their values: what the build was given, or else the default. */
function declared(rest: string, args: BuildInputs["args"]): (readonly [string, string])[] {
  return rest.split(/\s+/).flatMap((word) => {
    const [name = "", ...value] = word.split("=");
    const written = value.length > 0 ? value.join("=").replaceAll(/["']/g, "") : undefined;
    const known = args[name] ?? written;
    return known === undefined ? [] : [[name, known] as const];
  });
}

/** The reference with its arguments filled in; none where one of them has no value. */
function expanded(reference: string, values: ReadonlyMap<string, string>): string[] {
  let isKnown = true;
  const text = reference.replaceAll(
    /\$(?:(\w+)|\{(\w+)(?::?-([^}]*))?\})/g,
    (_, plain?: string, braced?: string, otherwise?: string) => {
      const value = values.get(plain ?? braced ?? "") ?? otherwise;
      isKnown &&= value !== undefined && value !== "";
      return value ?? "";
    },
  );
  return isKnown && text !== "" ? [text] : [];
}
