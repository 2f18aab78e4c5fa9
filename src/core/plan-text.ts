import type { Plan, PlanQuestion } from "./plan.ts";
import { describeStep } from "./plan-steps.ts";
import type { PrivilegeChange } from "./privilege.ts";

/** The plan as people read it; compared whole by the golden tests. */
export function planText(plan: Plan): string {
  const sections = [head(plan), privilegeLines(plan.privileges), stepLines(plan), questionLines(plan.questions)];
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n");
}

function head(plan: Plan): string[] {
  const row = (name: string, values: readonly string[]) =>
    values.map((value, index) => `${(index === 0 ? name : "").padEnd(10)}${value}`);
  return [
    ...row("mode", plan.mode ? [plan.mode] : []),
    ...row("because", plan.because ? [plan.because.text] : []),
    ...row("project", [plan.project]),
    ...row("files", plan.composeFiles),
    ...row("services", plan.services.length > 0 ? [plan.services.join(", ")] : []),
  ];
}

const marks = { gained: "+", lost: "-", kept: " " } as const;

function privilegeLines(privileges: readonly PrivilegeChange[]): string[] {
  if (privileges.length === 0) return ["privileges: none"];
  const width = (select: (each: PrivilegeChange) => string) =>
    Math.max(...privileges.map((each) => select(each).length));
  const serviceWidth = width(({ service }) => service);
  const kindWidth = width(({ kind }) => kind);
  const lines = privileges.map((each) => {
    const reach = each.consent ? `  reaches the host: ${each.consent}` : "";
    return `  ${marks[each.change]} ${each.service.padEnd(serviceWidth)}  ${each.kind.padEnd(kindWidth)}  ${each.detail}${reach}`;
  });
  return ["privileges (+ gained, - lost)", ...lines];
}

function stepLines({ steps }: Plan): string[] {
  if (steps.length === 0) return ["steps: none, everything is as it should be"];
  return [
    "steps",
    ...steps.flatMap((step, index) => [`  ${index + 1}. ${describeStep(step)}`, `     why: ${step.why}`]),
  ];
}

function questionLines(questions: readonly PlanQuestion[]): string[] {
  if (questions.length === 0) return [];
  return ["questions", ...questions.flatMap((question) => [`  ? ${question.text}`, `    ${questionState(question)}`])];
}

function questionState({ acceptedBy, kind, name }: PlanQuestion): string {
  if (acceptedBy !== undefined) return `accepted (${acceptedBy})`;
  switch (kind) {
    case "host-privilege":
      return `open: accept it with --accept ${name}, or with an entry under accept: in deploy.config.yaml`;
    case "data-loss":
      return "open: confirm it with --yes";
  }
}
