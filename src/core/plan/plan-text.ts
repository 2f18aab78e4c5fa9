import { type HandChange, handChangeText } from "../drift/hand-changes.ts";
import type { Privilege, PrivilegeChange } from "../privileges/privilege.ts";
import { relativePath } from "../stack/stack.ts";
import { fitText, textColumns } from "../text/fitted-text.ts";
import { wrapText } from "../text/wrapped-text.ts";
import type { Plan, PlanQuestion } from "./plan.ts";
import { describeStep, type ServiceStart, type Step } from "./plan-steps.ts";

/** Whether two plans do the same. Which sandboxes there are changes by itself while a gateway works. */
export function samePlan(left: Plan, right: Plan): boolean {
  return planText(withoutSandboxNames(left)) === planText(withoutSandboxNames(right));
}

/** Nor is it news what a program leaves in its directory meanwhile. */
function withoutSandboxNames(plan: Plan): Plan {
  return {
    ...plan,
    credentials: (plan.credentials ?? []).map(({ contents: _, ...rest }) => rest),
    questions: plan.questions.map(({ contents: _, ...rest }) => rest),
    steps: plan.steps.map((step) => (step.kind === "remove-sandboxes" ? { ...step, names: [] } : step)),
  };
}

/** The plan as people read it; compared whole by the golden tests. */
export function planText(plan: Plan, columns = textColumns): string {
  const sections = [
    head(plan, columns),
    privilegeLines(plan.privileges, columns),
    credentialLines(plan.credentials ?? [], columns),
    driftLines(plan.drift ?? [], columns),
    stepLines(plan, columns),
    questionLines(plan.questions, columns),
  ];
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n");
}

function head(plan: Plan, columns: number): string[] {
  const { mode, because, project, root = "/", composeFiles, rolledBackTo, services } = plan;
  const row = (name: string, value: string | undefined) => wrapText(value ?? "", name.padEnd(10), undefined, columns);
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

function privilegeLines(privileges: readonly PrivilegeChange[], columns: number): string[] {
  if (privileges.length === 0) return ["privileges: none"];
  return ["privileges (+ gained, - lost)", ...privilegeRows(privileges, ({ change }) => `${marks[change]} `, columns)];
}

/** Privileges in columns, each behind its mark. */
export function privilegeRows<P extends Privilege>(
  privileges: readonly P[],
  mark: (privilege: P) => string,
  columns = textColumns,
): string[] {
  const serviceColumns = columnsOf(privileges.map(({ service }) => service));
  const kindColumns = columnsOf(privileges.map(({ kind }) => kind));
  return privileges.flatMap((privilege) => {
    const { service, kind, detail, consent } = privilege;
    const first = `  ${mark(privilege)}${service.padEnd(serviceColumns)}  ${kind.padEnd(kindColumns)}  `;
    const lines = wrapText(detail, first, undefined, columns);
    if (consent === undefined) return lines;
    const reach = `reaches the host: ${consent}`;
    const joined = `${lines.join("")}  ${reach}`;
    if (lines.length === 1 && joined.length <= columns) return [joined];
    return [...lines, ...fitText(" ".repeat(first.length) + reach, columns).split("\n")];
  });
}

function credentialLines(credentials: NonNullable<Plan["credentials"]>, columns: number): string[] {
  if (credentials.length === 0) return [];
  const nameColumns = columnsOf(credentials.map(({ name }) => name));
  const formColumns = columnsOf(credentials.map(({ form }) => form));
  const rows = credentials.flatMap(({ name, form, exposure, contents }) =>
    wrapText(
      contents === undefined ? exposure : `${exposure}; ${contents}`,
      `  ${name.padEnd(nameColumns)}  ${form.padEnd(formColumns)}  `,
      undefined,
      columns,
    ),
  );
  const open = credentials.filter(({ inReachOfCode }) => inReachOfCode);
  const service = open[0]?.service;
  const warning = `in local mode code that a model wrote runs in ${service}, and reads what ${service} can read`;
  return [
    "credentials that are lent",
    ...rows,
    ...(service === undefined ? [] : wrapText(warning, "  ", undefined, columns)),
  ];
}

/** What became of containers since the last deployment, a line each. */
export function driftLines(drift: readonly HandChange[], columns = textColumns): string[] {
  if (drift.length === 0) return [];
  const lines = drift.flatMap((each) => wrapText(handChangeText(each), "  ", undefined, columns));
  return ["not as the last deployment left it", ...lines];
}

function stepLines({ steps }: Plan, columns: number): string[] {
  if (steps.length === 0) return wrapText("steps: none, every container is as planned", "", "  ", columns);
  return ["steps", ...steps.flatMap((step, index) => linesOf(step, `  ${index + 1}. `, columns))];
}

function linesOf(step: Step, first: string, columns: number): string[] {
  const indent = " ".repeat(first.length);
  if (step.kind === "start" && step.services.length > 1)
    return [`${first}bring up ${step.services.length} services`, ...startLines(step.services, indent, columns)];
  const wrapped = (text: string, before: string) => wrapText(text, before, undefined, columns);
  return [...wrapped(describeStep(step), first), ...wrapped(step.why, `${indent}why: `)];
}

function startLines(starts: readonly ServiceStart[], indent: string, columns: number): string[] {
  const kindColumns = columnsOf(starts.map(({ kind }) => kind));
  const serviceColumns = columnsOf(starts.map(({ service }) => service));
  return starts.flatMap(({ kind, service, why }) =>
    wrapText(why, `${indent}${kind.padEnd(kindColumns)}  ${service.padEnd(serviceColumns)}  `, undefined, columns),
  );
}

function questionLines(questions: readonly PlanQuestion[], columns: number): string[] {
  if (questions.length === 0) return [];
  const lines = questions.flatMap((question) => [
    ...question.text
      .split("; ")
      .flatMap((part, index) => wrapText(part, index === 0 ? "  ? " : "    ", undefined, columns)),
    ...wrapText(questionState(question), "    ", undefined, columns),
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
    case "exposure":
      return "open: confirm it with --yes, or with an entry under accept: in deploy.config.yaml";
    case "data-loss":
    case "foreign-containers":
    case "former-project":
      return "open: confirm it with --yes";
  }
}

function columnsOf(texts: readonly string[]): number {
  return Math.max(...texts.map((text) => text.length));
}
