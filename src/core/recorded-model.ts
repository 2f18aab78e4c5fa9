import { buildProfile } from "./stack.ts";

/** What a recorded model has to name otherwise to mean the same today. */
export interface Replacements {
  /** Images by service: a tag or an id that still is what ran, where the service's own reference is no longer. */
  readonly images: Readonly<Record<string, string>>;
  /** Files of the host by path: the recorded copy of one whose content is another one by now. */
  readonly files: ReadonlyMap<string, string>;
}

/**
 * The merged model of an earlier deployment as Compose can run it again: without the builds of services that run, so that
 * no image is made from sources of today, and with what changed since replaced. Where nothing did, Compose's hashes of
 * the services are those of then, so that their containers stay. Throws where the text is no model.
 */
export function runnableModel(text: string, { images, files }: Replacements): string {
  const model = recordOf(JSON.parse(text));
  const services = mapValues(recordOf(model["services"]), (service, name) => {
    const { build, ...rest } = recordOf(service);
    if (isOnlyBuilt(rest)) return service;
    const image = images[name];
    return { ...rest, ...(image === undefined ? {} : { image }), ...volumesOf(rest, files) };
  });
  return `${JSON.stringify({ ...model, services, ...filesOf(model, "secrets", files), ...filesOf(model, "configs", files) })}\n`;
}

function isOnlyBuilt({ profiles }: Readonly<Record<string, unknown>>): boolean {
  return Array.isArray(profiles) && profiles.includes(buildProfile);
}

function volumesOf({ volumes }: Readonly<Record<string, unknown>>, files: Replacements["files"]) {
  if (!Array.isArray(volumes)) return {};
  return { volumes: volumes.map((volume) => (isBind(volume) ? withPath(volume, "source", files) : volume)) };
}

function isBind(volume: unknown): boolean {
  return recordOf(volume)["type"] === "bind";
}

function filesOf(model: Readonly<Record<string, unknown>>, key: "secrets" | "configs", files: Replacements["files"]) {
  if (model[key] === undefined) return {};
  return { [key]: mapValues(recordOf(model[key]), (each) => withPath(each, "file", files)) };
}

/** Compose doubles every `$` of its output; the paths that are looked up here are plain. */
function withPath(value: unknown, key: string, files: Replacements["files"]): unknown {
  const record = recordOf(value);
  const path = record[key];
  const replaced = typeof path === "string" ? files.get(path.replaceAll("$$", () => "$")) : undefined;
  return replaced === undefined ? value : { ...record, [key]: replaced.replaceAll("$", () => "$$") };
}

function mapValues(
  record: Readonly<Record<string, unknown>>,
  change: (value: unknown, key: string) => unknown,
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value, key)]));
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new TypeError("this is no merged model");
  return { ...value };
}
