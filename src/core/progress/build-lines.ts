/** Where some work stands after a line of a child process; undefined where that line says nothing of it. */
export type LineReader = (line: string) => string | undefined;

/**
 * Reads what BuildKit prints with `--progress plain`: `#8 [gateway build 2/5] RUN npm ci` begins a step, `#8 DONE 2.4s` ends
 * it, and what stands between is its output. Steps of several images run at the same time.
 */
export function readBuildLines(): LineReader {
  const steps = new Map<string, string>();
  return (line) => {
    const [, number, rest = ""] = /^#(\d+) (.*)$/.exec(line) ?? [];
    if (number === undefined) return otherLine(line);
    const [, where, what = ""] = /^\[([^\]]+)\] (.*)$/.exec(rest) ?? [];
    if (where !== undefined) {
      const step = stepText(where, what);
      if (step !== undefined) steps.set(number, step);
      return step;
    }
    const step = steps.get(number);
    if (step === undefined) return undefined;
    if (/^(?:DONE|CACHED|CANCELED|ERROR)\b/.test(rest)) {
      steps.delete(number);
      return [...steps.values()].at(-1);
    }
    const [, done, all] = /^sha256:\w+ ([\d.]+\w*B) \/ ([\d.]+\w*B)/.exec(rest) ?? [];
    return done === undefined ? step : `${step}, ${done} of ${all}`;
  };
}

/** What a step does; of those that BuildKit takes for itself only the one that asks a registry may last. */
function stepText(where: string, what: string): string | undefined {
  if (where === "auth") return undefined;
  if (!/\binternal$/.test(where)) return `${where}: ${what}`;
  const image = /^load metadata for (.*)$/.exec(what)?.[1];
  return image === undefined ? undefined : `looking up ${image}`;
}

/** The line of Compose for an image that is done, and those of the builder before BuildKit. */
function otherLine(line: string): string | undefined {
  const built = /^ *(?:Image )?(\S+) +Built *$/.exec(line)?.[1];
  if (built !== undefined) return `${built} is built`;
  const [, step, what] = /^ *Step (\d+\/\d+) : (.*)$/.exec(line) ?? [];
  return step === undefined ? undefined : `step ${step}: ${what}`;
}
