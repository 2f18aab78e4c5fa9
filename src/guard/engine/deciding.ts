import type { ClientRequest, Decision, Facts } from "../decision/decision.ts";
import { Failure } from "../failure.ts";
import type { Policy } from "../policy/policy.ts";
import type { Inquiry } from "./facts.ts";

/** Decides from values alone: the same request, policy and facts always get the same decision. */
export type Decide = (request: ClientRequest, policy: Policy, facts: Facts) => Decision;

/** A decision that needs no more facts. */
export type Outcome = Exclude<Decision, { readonly kind: "ask" }>;

const roundsMax = 16;

/** Decides, finds out what is asked, and decides again. What does not come to an end is a `Failure`. */
export async function settle(
  decide: Decide,
  request: ClientRequest,
  policy: Policy,
  inquiry: Inquiry,
): Promise<Outcome> {
  for (let round = 0; round < roundsMax; round += 1) {
    const decision = decide(request, policy, inquiry.facts);
    if (decision.kind !== "ask") return decision;
    await inquiry.establish(decision.questions);
  }
  throw new Failure("decision.endless", 500, `the request was not decided after ${roundsMax} rounds of questions`);
}
