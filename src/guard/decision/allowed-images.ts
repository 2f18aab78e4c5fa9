import { canonicalReference, familiarReference, readImageReference } from "../model/image-reference.ts";
import type { Policy } from "../policy/policy.ts";
import type { Filters } from "../request/filters.ts";
import { absent, known, quoted, type Reading, read } from "../request/reading.ts";
import { deny } from "./body-decision.ts";
import type { Facts } from "./decision.ts";

/** The entry of the policy that a reference means: the same image in any of its spellings. */
export function allowedImage(policy: Policy, reference: string): string | undefined {
  const wanted = canonicalReference(reference);
  return wanted === undefined ? undefined : policy.images.find((each) => canonicalReference(each) === wanted);
}

/** The id of an image that a client may know of: one that the policy names, or that was pinned when the guard started. */
export function visibleImage(reference: string, policy: Policy, facts: Facts): Reading<string> {
  const familiar = familiarReference(reference) ?? reference;
  const nothing = absent("image.not-ours", `No such image: ${familiar}`);
  const allowed = allowedImage(policy, reference) !== undefined;
  if (!allowed && !/^(?:sha256:)?[0-9a-f]{6,64}$/.test(reference)) return nothing;
  // With its tag, a name such as `cafe` cannot be taken for the beginning of an id.
  const image = known(facts.image(allowed ? familiar : reference));
  if (image.kind !== "read") return image;
  const id = image.value;
  if (id === undefined) return nothing;
  if (!/^sha256:[0-9a-f]{64}$/.test(id))
    return deny("engine.answer", "the engine gave an image an id that is none", {}, 502);
  return allowed || [...facts.pinnedImages.values()].includes(id) ? read(id) : nothing;
}

/** The filters for a list of images: those that the policy names, and of these the ones that the client asks for. */
export function imageFilter(filters: Filters, policy: Policy): Filters {
  const allowed = policy.images.flatMap((each) => familiarReference(each) ?? []);
  const asked = filters.get("reference");
  const wanted = allowed.filter((each) => asked === undefined || asked.some((pattern) => matches(each, pattern)));
  return new Map([...filters, ["reference", wanted]]);
}

/** A reference or a name without tag, both in any spelling. Patterns with wildcards match nothing. */
function matches(image: string, pattern: string): boolean {
  const left = readImageReference(image);
  const right = readImageReference(pattern);
  if (left === undefined || right === undefined || left.name !== right.name) return false;
  const hasVersion = /[:@][^/]+$/.test(pattern);
  return !hasVersion || canonicalReference(image) === canonicalReference(pattern);
}

/** What a pull of an allowed image is sent as: name and tag apart, since a name without a tag would mean all of them. */
export function pullParameters(
  parameters: ReadonlyMap<string, string>,
  policy: Policy,
): Reading<{ readonly image: string; readonly parameters: ReadonlyMap<string, string> }> {
  const name = parameters.get("fromImage");
  if (name === undefined) return deny("pull.source", "only an image of a registry can be pulled: fromImage is missing");
  const tag = parameters.get("tag");
  const image = tag === undefined ? name : `${name}${/^sha256:/.test(tag) ? "@" : ":"}${tag}`;
  const reference = readImageReference(image);
  if (reference === undefined) return deny("pull.reference", `${quoted(image)} is no reference to an image`, {}, 400);
  if (allowedImage(policy, image) === undefined)
    return deny("image.not-allowed", `the image ${quoted(image)} is not allowed`, { image });
  const { version } = reference;
  const platform = parameters.get("platform");
  return read({
    image,
    parameters: new Map([
      ["fromImage", reference.name],
      ["tag", version.kind === "tag" ? version.tag : version.digest],
      ...(platform === undefined ? [] : [["platform", platform] as const]),
    ]),
  });
}
