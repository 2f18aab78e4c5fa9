import type { LineReader } from "./build-lines.ts";

const units: Readonly<Record<string, number>> = { "": 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12 };

/**
 * Reads what `docker compose --progress plain pull` prints: ` gateway Pulling`, for each layer ` 154dd229b786 Downloading [=>  ]
 * 36.76kB/3.147MB`, and ` gateway Pulled`. A layer that several images share is one.
 */
export function readPullLines(): LineReader {
  const images = new Map<string, boolean>();
  const layers = new Map<string, { readonly done: number; readonly all: number }>();
  return (line) => {
    const [, name, what = ""] = /^ *(?:Image )?(\S+) +(\S.*)$/.exec(line) ?? [];
    if (name === undefined) return undefined;
    if (/^[0-9a-f]{12}$/.test(name)) {
      const layer = layerAfter(what, layers.get(name));
      if (layer === undefined) return undefined;
      layers.set(name, layer);
    } else if (/^(?:Pulling|Pulled|Skipped)\b/.test(what)) images.set(name, !what.startsWith("Pulling"));
    else return undefined;
    return pullText([...images.values()], [...layers.values()]);
  };
}

function layerAfter(what: string, before = { done: 0, all: 0 }) {
  if (/^(?:Download complete|Pull complete|Already exists)/.test(what)) return { ...before, done: before.all };
  const [, done, doneUnit = "", all, allUnit = ""] =
    /^Downloading .* ([\d.]+)([kMGT]?)B\/([\d.]+)([kMGT]?)B/.exec(what) ?? [];
  if (done === undefined || all === undefined) return undefined;
  return { done: Number(done) * (units[doneUnit] ?? 1), all: Number(all) * (units[allUnit] ?? 1) };
}

function pullText(
  images: readonly boolean[],
  layers: readonly { readonly done: number; readonly all: number }[],
): string {
  const sum = (part: "done" | "all") => layers.reduce((total, layer) => total + layer[part], 0);
  const count = `${images.filter((isDone) => isDone).length} of ${images.length} ${images.length === 1 ? "image" : "images"}`;
  const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);
  return sum("all") === 0 ? count : `${count}, ${megabytes(sum("done"))} of ${megabytes(sum("all"))} MB`;
}
