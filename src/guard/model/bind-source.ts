import type { Policy } from "../policy/policy.ts";
import { isAtLeast } from "../request/api-version.ts";
import { quoted } from "../request/reading.ts";
import type { ContainerDraft } from "./body-draft.ts";
import { isCleanPath, pathBelow } from "./clean-path.ts";
import type { MountRequest } from "./mount-request.ts";

/** A directory of the host that the policy lets a sandbox have. */
export interface BindSource {
  /** Where it really is, every symlink followed. */
  readonly path: string;
  /** The same below the real root. */
  readonly relative: string;
  /** Whether the policy makes it read-only. */
  readonly readOnly: boolean;
}

type Binds = NonNullable<Policy["binds"]>;

/** Of the first API whose engines mount parts of volumes, and look for them without leaving the volume. */
const subpathVersion = "1.45";

/**
 * Finds out whether a path of the host may be mounted, and where it really is. Undefined: refused, or not known yet.
 *
 * The real path is what is judged and what is sent: a link that was followed here is not followed again by the engine,
 * and before a start what was sent has to lead to itself. What that leaves open is a directory on the way that becomes
 * a link between this look and the mount; with `binds.volume` the engine itself closes it.
 */
export function resolveBind(draft: ContainerDraft, request: MountRequest, source: string): BindSource | undefined {
  const { field, target } = request;
  const { binds } = draft.policy;
  const refuse = (rule: string, what: string, status = 403): undefined =>
    draft.refuse({ rule: `bind.${rule}`, field, what: `${field}: ${what}`, status });
  if (binds === undefined) return refuse("off", "the policy allows no directory of the host");
  if (!isCleanPath(source)) return refuse("path", `${quoted(source)} is not absolute, or has "." or ".." in it`);
  if (binds.volume !== undefined && !isAtLeast(draft.facts.engine.apiVersion, subpathVersion)) {
    return refuse(
      "engine-too-old",
      "the policy mounts parts of a volume, which takes an engine with API 1.45 or later",
    );
  }
  const root = draft.fact(draft.facts.path(binds.root));
  if (root !== undefined && root.value === undefined) {
    return refuse("root-missing", `the policy's ${binds.root} is not there, or this guard does not see it`);
  }
  const below = pathBelow(binds.root, source) ?? (root?.value && pathBelow(root.value, source));
  if (below === undefined) {
    return root && refuse("outside-root", `${quoted(source)} is not below ${binds.root}`);
  }
  const entry = entryFor(binds, below, target);
  if (entry === undefined) {
    return refuse("not-allowed", `the policy does not allow ${quoted(below)} at ${quoted(target)}`);
  }
  // Nothing but what is allowed by its name is looked up for a client.
  const real = draft.fact(draft.facts.path(source));
  if (root?.value === undefined || real === undefined) return undefined;
  if (real.value === undefined) return refuse("missing", `there is no ${quoted(source)}; make it first`, 400);
  const relative = pathBelow(root.value, real.value);
  if (relative === undefined) return refuse("outside-root", `${quoted(source)} is a link that leads out of the root`);
  if (entryFor(binds, relative, target) !== entry) {
    return refuse("not-allowed", `${quoted(source)} is a link to ${quoted(relative)}, which the policy does not allow`);
  }
  if (relative !== below) draft.rewrite(`${field}.Source`, below, relative);
  return { path: real.value, relative, readOnly: entry.readOnly };
}

function entryFor(binds: Binds, below: string, target: string): Binds["allowed"][number] | undefined {
  return binds.allowed.find((each) => each.source.test(below) && each.target.test(target));
}
