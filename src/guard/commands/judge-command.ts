import { performance } from "node:perf_hooks";
import * as z from "zod";
import type { Verdict } from "../decision/body-decision.ts";
import type { ContainerFact } from "../decision/decision.ts";
import { judgeAgain } from "../decision/judge-again.ts";
import { beginInquiry, lookUpContainer, type Sources } from "../engine/facts.ts";
import { countCreates } from "../engine/quotas.ts";
import { type Engine, engineAt } from "../engine/upstream.ts";
import { errorCode } from "../failure.ts";
import { ownerLabel } from "../model/labels.ts";
import type { Policy } from "../policy/policy.ts";
import { engineVersion } from "../serve/start.ts";
import { usualTimeouts } from "../serve/timeouts.ts";

/** A container that has more than a policy allows, or of which nobody could tell. */
export interface BeyondPolicy {
  /** The word by which it was asked about. */
  readonly container: string;
  readonly rule: string;
  /** Without the words around it, such as `HostConfig.Binds[0]: the policy allows no directory of the host`. */
  readonly what: string;
}

const roundsMax = 16;

/** Ids of images that a guard pinned, now or earlier, by the name in the policy. */
export type KnownIds = ReadonlyMap<string, readonly string[]>;

const knownSchema = z.record(z.string(), z.array(z.string()));

/** Reads what guards pinned from JSON; without any, images are judged by their names alone. Throws where it is none. */
export function readKnownIds(text: string | undefined): KnownIds {
  if (text === undefined) return new Map();
  const parsed = knownSchema.safeParse(parsedJson(text));
  if (!parsed.success) throw new Error('--pinned takes lists of ids by name, as JSON: {"NAME": ["sha256:..."]}');
  return new Map(Object.entries(parsed.data));
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Which of these containers have more than the policy would give them, by the rules that hold before every start. Whose they
 * are is for whoever asks to know, as well as what was pinned: a name that `known` lacks is judged as a name. One that is
 * gone has nothing.
 */
export async function judgeContainers(
  policy: Policy,
  upstreamPath: string,
  references: readonly string[],
  known: KnownIds,
): Promise<BeyondPolicy[]> {
  const engine = engineAt(upstreamPath, usualTimeouts.questionMs);
  const apiVersion = await engineVersion(engine);
  const judged = await Promise.all(
    references.map(async (container) => {
      const refusal = await judgeOne({ engine, apiVersion, known }, policy, container);
      return refusal === undefined ? [] : [{ container, ...refusal }];
    }),
  );
  return judged.flat();
}

async function judgeOne(
  { engine, apiVersion, known }: { readonly engine: Engine; readonly apiVersion: string; readonly known: KnownIds },
  policy: Policy,
  reference: string,
): Promise<Omit<BeyondPolicy, "container"> | undefined> {
  try {
    const found = await lookUpContainer(engine, apiVersion, reference);
    if (found === undefined) return undefined;
    const sources: Sources = { engine, apiVersion, owner: policy.owner, ...standIns(found, policy, known) };
    const inquiry = beginInquiry(sources, new AbortController().signal);
    const container = { ...found, labels: { ...found.labels, [ownerLabel]: policy.owner } };
    for (let round = 0; round < roundsMax; round += 1) {
      const verdict = judgeAgain(container, policy, inquiry.facts);
      if (verdict.kind === "pass") return undefined;
      if (verdict.kind === "deny") return { rule: verdict.rule, what: whatOf(verdict) };
      await inquiry.establish(verdict.questions);
    }
    return { rule: "decision.endless", what: "it was not judged after many rounds of questions" };
  } catch (error) {
    return { rule: "container.unjudged", what: `it could not be judged: ${plain(errorCode(error))}` };
  }
}

/** An image that was made anew takes nothing from what was started before, as long as a guard once pinned what that runs. */
function standIns(
  { imageId }: ContainerFact,
  { images }: Policy,
  known: KnownIds,
): Pick<Sources, "pinnedImages" | "creates"> {
  const pinnedOf = (image: string): string => {
    const [first = imageId, ...more] = known.get(image) ?? [];
    return more.includes(imageId) ? imageId : first;
  };
  return {
    pinnedImages: new Map(images.map((image) => [image, pinnedOf(image)])),
    creates: countCreates(() => performance.now()),
  };
}

/** What the policy would make of it says enough: why that may be is told by whoever asks. */
function whatOf({ rule, notes, message }: Extract<Verdict, { readonly kind: "deny" }>): string {
  const [change] = rule === "container.beyond-policy" ? (notes.rewrites ?? []) : [];
  return change ?? plain(message);
}

function plain(message: string): string {
  return message.replace(/^sandbox guard: | \(rule [^)]*\)$/g, "");
}
