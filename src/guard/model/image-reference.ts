/** A reference to an image as Docker reads it: the name in full, and a tag or a digest. */
export interface ImageReference {
  /** With registry: `docker.io/library/alpine`. */
  readonly name: string;
  readonly version:
    | { readonly kind: "tag"; readonly tag: string }
    | { readonly kind: "digest"; readonly digest: string };
}

const grammar = /^(?<name>[^@]+?)(?::(?<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@(?<digest>sha256:[0-9a-f]{64}))?$/;
const pathGrammar = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const hostPart = "[a-z0-9](?:[a-z0-9-]*[a-z0-9])?";
const registryGrammar = new RegExp(`^${hostPart}(?:\\.${hostPart})*(?::\\d{1,5})?$`);

/**
 * Reads a reference as the engine does: `alpine` is `docker.io/library/alpine:latest`, and with a digest a tag does not
 * count. Undefined: no reference, or one that the engine could take for the id of an image.
 */
export function readImageReference(text: string): ImageReference | undefined {
  if (text.length > 400 || /^[0-9a-f]{64}$/.test(text) || /^sha256:/.test(text)) return undefined;
  const { name, tag, digest } = grammar.exec(text)?.groups ?? {};
  const full = name === undefined ? undefined : fullName(name);
  if (full === undefined) return undefined;
  if (digest !== undefined) return { name: full, version: { kind: "digest", digest } };
  return { name: full, version: { kind: "tag", tag: tag ?? "latest" } };
}

/** The name with its registry; the first part is one if it has a dot or a colon in it, or is `localhost`. */
function fullName(name: string): string | undefined {
  const slash = name.indexOf("/");
  const first = name.slice(0, Math.max(slash, 0));
  const hasRegistry = first === "localhost" || /[.:]/.test(first);
  const registry = hasRegistry ? first.replace(/^index\.docker\.io$/, "docker.io") : "docker.io";
  const path = hasRegistry ? name.slice(slash + 1) : name;
  if (!registryGrammar.test(registry) || !pathGrammar.test(path)) return undefined;
  return `${registry}/${registry !== "docker.io" || path.includes("/") ? path : `library/${path}`}`;
}

/** The one spelling of a reference: two references mean the same image exactly if these texts are equal. */
export function canonicalReference(text: string): string | undefined {
  const reference = readImageReference(text);
  if (reference === undefined) return undefined;
  const { name, version } = reference;
  return version.kind === "tag" ? `${name}:${version.tag}` : `${name}@${version.digest}`;
}

/** A reference as Docker shows it, always with its tag: `alpine:latest`. */
export function familiarReference(text: string): string | undefined {
  return canonicalReference(text)?.replace(/^docker\.io\/(?:library\/(?=[^/]+$))?/, "");
}
