import { buildProfile } from "../stack/stack.ts";

/** What a recorded model has to name otherwise to mean the same today. */
export interface Replacements {
  /** Images by service: a tag or an id that still is what ran, where the service's own reference is no longer. */
  readonly images: Readonly<Record<string, string>>;
  /** The same by reference, for images that no service runs: sandboxes are made from what variables name. */
  readonly sandboxImages: ReadonlyMap<string, string>;
  /** Files of the host by path: the recorded copy of one whose content is another one by now. */
  readonly files: ReadonlyMap<string, string>;
}

/**
 * The merged model of an earlier deployment as Compose can run it again: without builds where an image has a name, so that
 * none is made from sources of today, and with what changed since replaced. Where nothing did, Compose's hashes of the
 * services are those of then, so that their containers stay. Throws where the text is no model.
 */
export function runnableModel(text: string, replacements: Replacements): string {
  const { sandboxImages, files } = replacements;
  const model = recordOf(JSON.parse(text));
  const services = mapValues(recordOf(model["services"]), (service, name) =>
    runnableService(recordOf(service), replacements.images[name], replacements),
  );
  const extensions = Object.entries(model).filter(([key]) => key.startsWith("x-sandbox-deploy"));
  const own = extensions.map(([key, value]) => [key, extensionOf(value, sandboxImages)] as const);
  const declared = { ...filesOf(model, "secrets", files), ...filesOf(model, "configs", files) };
  return `${JSON.stringify({ ...model, services, ...declared, ...Object.fromEntries(own) })}\n`;
}

function runnableService(
  { build, ...rest }: Readonly<Record<string, unknown>>,
  kept: string | undefined,
  { sandboxImages, files }: Replacements,
) {
  const image = kept ?? rest["image"];
  const service = { ...rest, ...(image === undefined ? {} : { image }) };
  if (isOnlyBuilt(rest)) return { ...service, build };
  return {
    ...service,
    // Compose names such an image itself, and refuses a service with neither.
    ...(image === undefined ? { build } : {}),
    ...volumesOf(rest, files),
    ...environmentOf(rest, sandboxImages),
  };
}

/** A variable may name several images, parted by spaces or commas. */
function environmentOf({ environment }: Readonly<Record<string, unknown>>, images: Replacements["sandboxImages"]) {
  if (environment === undefined || images.size === 0) return {};
  const named = (text: string) => text.replace(/[^\s,]+/g, (word) => images.get(word) ?? word);
  return {
    environment: mapValues(recordOf(environment), (value) => (typeof value === "string" ? named(value) : value)),
  };
}

function extensionOf(value: unknown, images: Replacements["sandboxImages"]): unknown {
  const { builtImages, ...rest } = recordOf(value ?? {});
  if (builtImages === undefined) return value;
  const named = (image: unknown) => (typeof image === "string" ? images.get(image) : undefined) ?? image;
  return { ...rest, builtImages: mapValues(recordOf(builtImages), named) };
}

/** Whether a text is a merged model that can be made runnable; one that was cut off is none. */
export function isModel(text: string): boolean {
  try {
    runnableModel(text, { images: {}, sandboxImages: new Map(), files: new Map() });
    return true;
  } catch {
    return false;
  }
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
