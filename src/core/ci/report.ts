import type { Finding } from "../findings/finding.ts";
import type { Plan, PlanQuestion } from "../plan/plan.ts";
import { planText } from "../plan/plan-text.ts";
import type { PrivilegeChange } from "../privileges/privilege.ts";

/** How one piece of work went. */
export interface TaskReport {
  readonly title: string;
  readonly outcome: "done" | "failed" | "not begun";
  readonly seconds: number;
}

/** What a pipeline keeps of a plan. */
export interface PlanReport {
  readonly project: string;
  readonly mode: string | undefined;
  readonly steps: number;
  readonly text: string;
  readonly privileges: readonly PrivilegeChange[];
  /** What nobody has accepted. */
  readonly open: readonly Pick<PlanQuestion, "kind" | "name" | "text">[];
}

/** How one command went, without a secret: what summaries and test reports are written from. */
export interface CommandReport {
  readonly command: string;
  readonly version: string;
  readonly exitCode: number;
  readonly seconds: number;
  readonly plan: PlanReport | undefined;
  /** What it answered, as text. */
  readonly result: string;
  readonly findings: readonly Finding[];
  readonly tasks: readonly TaskReport[];
}

/** What is kept of a plan; every text passes `shown`, which takes secrets out. */
export function planReport(plan: Plan, shown: (text: string) => string): PlanReport {
  return {
    project: plan.project,
    mode: plan.mode,
    steps: plan.steps.length,
    text: shown(planText(plan)),
    privileges: plan.privileges.map((each) => ({ ...each, service: shown(each.service), detail: shown(each.detail) })),
    open: plan.questions
      .filter(({ acceptedBy }) => acceptedBy === undefined)
      .map(({ kind, name, text }) => ({ kind, name, text: shown(text) })),
  };
}

const outcomes: Readonly<Record<number, string>> = {
  0: "done",
  1: "failed",
  2: "wrong usage or configuration",
  3: "refused before any change",
  4: "another deploy holds the lock",
  10: "there is something to do",
  70: "a bug in the tool",
  130: "interrupted",
};

/** What an exit code says, in a few words. */
export function outcomeText({ command, exitCode, plan }: Pick<CommandReport, "command" | "exitCode" | "plan">): string {
  if (command === "plan" && exitCode === 0 && plan !== undefined)
    return plan.steps === 0 ? "nothing to do" : "there is something to do";
  return outcomes[exitCode] ?? "ended";
}

/** Whether a pipeline should stop: that there is something to do is no failure. */
export function hasFailed({ exitCode }: Pick<CommandReport, "exitCode">): boolean {
  return exitCode !== 0 && exitCode !== 10;
}
