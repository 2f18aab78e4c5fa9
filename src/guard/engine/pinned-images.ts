import type { Facts } from "../decision/decision.ts";

/** The id of each allowed image, as it was when the guard first saw it. */
export interface PinnedImages {
  readonly ids: Facts["pinnedImages"];
  /** Looks for images that were not there yet. Never changes an id: a tag that moves is noticed, not followed. */
  readonly complete: (signal?: AbortSignal) => Promise<void>;
  readonly missing: () => readonly string[];
}

/**
 * Pins what is there. An image that is missing is pinned when it first appears, since a stack may pull or build it after
 * the guard has started; until then it cannot be run. That trusts no more than pinning at the start does: a client of the
 * guard can neither tag, load, import nor build, and pulls only what the policy names.
 */
export async function pinImages(
  references: readonly string[],
  lookUp: (reference: string, signal?: AbortSignal) => Promise<string | undefined>,
): Promise<PinnedImages> {
  const ids = new Map<string, string>();
  const missing = (): string[] => references.filter((reference) => !ids.has(reference));
  const complete = async (signal?: AbortSignal): Promise<void> => {
    for (const reference of missing()) {
      const id = await lookUp(reference, signal);
      // Another request may have seen the image meanwhile: the first sight counts.
      if (id !== undefined && !ids.has(reference)) ids.set(reference, id);
    }
  };
  await complete();
  return { ids, complete, missing };
}
