import { randomBytes } from "node:crypto";
import type { AuditEntry } from "../audit/audit.ts";
import type { Verdict } from "../decision/body-decision.ts";
import type { ContainerFact, Facts } from "../decision/decision.ts";
import { beginInquiry, listSandboxes } from "../engine/facts.ts";
import { errorCode } from "../failure.ts";
import type { Policy } from "../policy/policy.ts";
import type { Guard } from "./operation.ts";

/** Whether a container is still within the policy; asks while facts are missing. */
export type Judge = (container: ContainerFact, policy: Policy, facts: Facts) => Verdict;

const roundsMax = 16;

/**
 * Writes down what this policy thinks of each sandbox that lives from before: guard and policy may be new, the sandbox is
 * not. Nothing is stopped; what is beyond the policy cannot be started, entered or read from until it is made again.
 */
export async function noteExisting(guard: Guard, judge: Judge): Promise<void> {
  const { engine, apiVersion, owner } = guard.sources;
  for (const id of await listSandboxes(engine, apiVersion, owner)) {
    const inquiry = beginInquiry(guard.sources, new AbortController().signal);
    try {
      const entry = await judgeOne(guard, judge, id, inquiry);
      if (entry !== undefined) guard.audit.write({ ...entry, id: randomBytes(6).toString("hex"), event: "note" });
    } finally {
      inquiry.turn()?.release();
    }
  }
}

async function judgeOne(
  guard: Guard,
  judge: Judge,
  id: string,
  inquiry: ReturnType<typeof beginInquiry>,
): Promise<Omit<AuditEntry, "id" | "event"> | undefined> {
  try {
    await inquiry.establish([{ kind: "container", reference: id }]);
    const found = inquiry.facts.container(id);
    // Removed since it was listed.
    if (!found.known || found.value === undefined) return undefined;
    const container = found.value;
    for (let round = 0; round < roundsMax; round += 1) {
      const verdict = judge(container, guard.policy, inquiry.facts);
      if (verdict.kind === "pass") return { ...verdict.notes, decision: "allow", rule: verdict.rule, container: id };
      if (verdict.kind === "deny")
        return { ...verdict.notes, decision: "deny", rule: verdict.rule, container: id, message: verdict.message };
      await inquiry.establish(verdict.questions);
    }
    return { decision: "deny", rule: "decision.endless", container: id };
  } catch (error) {
    return { decision: "deny", rule: "container.unjudged", container: id, message: errorCode(error) };
  }
}
