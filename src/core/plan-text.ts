import { type HandChange, handChangeText } from "./hand-changes.ts";
import type { Plan, PlanQuestion } from "./plan.ts";
import { describeStep, type ServiceStart, type Step } from "./plan-steps.ts";
import type { Privilege, PrivilegeChange } from "./privilege.ts";
import { relativePath } from "./stack.ts";
import { textColumns, wrapText } from "./wrapped-text.ts";

/** Whether two plans do the same. Which sandboxes there are changes by itself while a gateway works. */
export function samePlan(left: Plan, right: Plan): boolean {
  return planText(withoutSandboxNames(left)) === planText(withoutSandboxNames(right));
}

function withoutSandboxNames(plan: Plan): Plan {
  return {
    ...plan,
    steps: plan.steps.map((step) => (step.kind === "remove-sandboxes" ? { ...step, names: [] } : step)),
  };
}

/** The plan as people read it, for 80 columns; compared whole by the golden tests. */
export function planText(plan: Plan): string {
  const sections = [
    head(plan),
    privilegeLines(plan.privileges),
    driftLines(plan.drift ?? []),
    stepLines(plan),
    questionLines(plan.questions),
  ];
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n");
}

function head({ mode, because, project, root = "/", composeFiles, rolledBackTo, services }: Plan): string[] {
  const row = (name: string, value: string | undefined) => wrapText(value ?? "", name.padEnd(10));
  const files = composeFiles.flatMap((file, index) => row(index === 0 ? "files" : "", relativePath(root, file)));
  return [
    ...row("mode", mode),
    ...row("because", because?.text),
    ...row("project", project),
    ...files,
    ...row("services", services.join(", ")),
    ...(rolledBackTo === undefined ? [] : row("runs", `deployment ${rolledBackTo}, since a rollback`)),
  ];
}

const marks = { gained: "+", lost: "-", kept: " " } as const;

function privilegeLines(privileges: readonly PrivilegeChange[]): string[] {
  if (privileges.length === 0) return ["privileges: none"];
  return ["privileges (+ gained, - lost)", ...privilegeRows(privileges, ({ change }) => `${marks[change]} `)];
}

/** Privileges in columns, each behind its mark. */
export function privilegeRows<P extends Privilege>(privileges: readonly P[], mark: (privilege: P) => string): string[] {
  const serviceColumns = columnsOf(privileges.map(({ service }) => service));
  const kindColumns = columnsOf(privileges.map(({ kind }) => kind));
  return privileges.flatMap((privilege) => {
    const { service, kind, detail, consent } = privilege;
    const first = `  ${mark(privilege)}${service.padEnd(serviceColumns)}  ${kind.padEnd(kindColumns)}  `;
    const lines = wrapText(detail, first);
    if (consent === undefined) return lines;
    const reach = `reaches the host: ${consent}`;
    const joined = `${lines.join("")}  ${reach}`;
    return lines.length === 1 && joined.length <= textColumns ? [joined] : [...lines, " ".repeat(first.length) + reach];
  });
}

/** What became of containers since the last deployment, a line each. */
export function driftLines(drift: readonly HandChange[]): string[] {
  if (drift.length === 0) return [];
  return ["not as the last deployment left it", ...drift.flatMap((each) => wrapText(handChangeText(each), "  "))];
}

function stepLines({ steps }: Plan): string[] {
  if (steps.length === 0) return ["steps: none, every container is as planned"];
  return ["steps", ...steps.flatMap((step, index) => linesOf(step, `  ${index + 1}. `))];
}

function linesOf(step: Step, first: string): string[] {
  const indent = " ".repeat(first.length);
  if (step.kind === "start" && step.services.length > 1)
    return [`${first}bring up ${step.services.length} services`, ...startLines(step.services, indent)];
  return [...wrapText(describeStep(step), first), ...wrapText(step.why, `${indent}why: `)];
}

function startLines(starts: readonly ServiceStart[], indent: string): string[] {
  const kindColumns = columnsOf(starts.map(({ kind }) => kind));
  const serviceColumns = columnsOf(starts.map(({ service }) => service));
  return starts.flatMap(({ kind, service, why }) =>
    wrapText(why, `${indent}${kind.padEnd(kindColumns)}  ${service.padEnd(serviceColumns)}  `),
  );
}

function questionLines(questions: readonly PlanQuestion[]): string[] {
  if (questions.length === 0) return [];
  const lines = questions.flatMap((question) => [
    ...question.text.split("; ").flatMap((part, index) => wrapText(part, index === 0 ? "  ? " : "    ")),
    ...wrapText(questionState(question), "    "),
  ]);
  return ["questions", ...lines];
}

function questionState({ acceptedBy, kind, name }: PlanQuestion): string {
  if (acceptedBy !== undefined) return `accepted (${acceptedBy})`;
  switch (kind) {
    case "host-privilege":
      return `open: accept it with --accept ${name}, or with an entry under accept: in deploy.config.yaml`;
    case "foreign-project":
    case "held-lock":
      return `open: accept it with --accept ${name}`;
    case "data-loss":
    case "foreign-containers":
    case "former-project":
      return "open: confirm it with --yes";
  }
}

function columnsOf(texts: readonly string[]): number {
  return Math.max(...texts.map((text) => text.length));
}
