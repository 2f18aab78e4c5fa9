import type { Container } from "./container.ts";

/** Ids of images that sandboxes run, by the reference of the guard's policy that led to them. */
export type ImageIds = Readonly<Record<string, readonly string[]>>;

/** Which images sandboxes may run: a name alone says little, for whoever reaches the engine can give it to another image. */
export interface SandboxImages {
  /** What earlier guards of this deployment pinned, as far as its receipt and the commands before remember. */
  readonly remembered: ImageIds;
  /** What the running guard pinned, and since when it runs, RFC 3339; undefined while none says so. */
  readonly guard: { readonly pinned: Readonly<Record<string, string>>; readonly since: string } | undefined;
}

/** Every id that is known of each reference: what a receipt keeps, and what a sandbox is held against. */
export function knownImageIds({ remembered, guard }: SandboxImages): ImageIds {
  const known = new Map(Object.entries(remembered));
  for (const [name, id] of Object.entries(guard?.pinned ?? {}))
    known.set(name, [...new Set([...(known.get(name) ?? []), id])]);
  return Object.fromEntries(known);
}

/**
 * What is worth keeping: what the guard pinned, and what a sandbox that is still there was made from, which runs on under a
 * guard that was started anew.
 */
export function keptImageIds(images: SandboxImages, sandboxes: readonly Pick<Container, "imageId">[]): ImageIds {
  const used = new Set(sandboxes.map(({ imageId }) => imageId));
  const pinned = images.guard?.pinned ?? {};
  const kept = Object.entries(knownImageIds(images)).map(([name, ids]): [string, string[]] => [
    name,
    ids.filter((id) => id === pinned[name] || used.has(id)),
  ]);
  return Object.fromEntries(kept.filter(([, ids]) => ids.length > 0));
}

/** Whether somebody knows what a sandbox may run: of one that is older than its guard only a memory of earlier guards tells. */
export function isImageKnown({ created }: Pick<Container, "created">, { remembered, guard }: SandboxImages): boolean {
  return Object.keys(remembered).length > 0 || (guard !== undefined && created >= guard.since);
}
