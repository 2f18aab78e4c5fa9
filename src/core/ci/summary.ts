import { formatFinding } from "../findings/finding.ts";
import type { PrivilegeChange } from "../privileges/privilege.ts";
import { type CommandReport, outcomeText } from "./report.ts";

/**
 * The body of a comment on GitHub may have 65,536 characters; GitLab takes more. It is counted in bytes, for on its way there
 * it is the value of a variable, which may have 128 KiB.
 */
const summaryBytes = 60_000;

/** Each block is cut here, so that all of them fit. */
const blockBytes = 14_000;

/** A page of Markdown: what the command did, the privileges, the plan, the findings. Nothing from elsewhere is markup in it. */
export function summaryMarkdown(report: CommandReport): string {
  const whole = page(report, report.plan ? [...privilegeTable(report.plan.privileges), ...openList(report)] : []);
  if (lengthWithin(whole, summaryBytes) === whole.length) return whole;
  const shorter = page(report, ["The plan names the privileges."]);
  if (lengthWithin(shorter, summaryBytes) === shorter.length) return shorter;
  return `${heading(report).join("\n\n")}\n\nThe rest does not fit here; the log has all of it.\n`;
}

function heading(report: CommandReport): string[] {
  const { command, exitCode, plan } = report;
  return [
    `<!-- sandbox-deploy ${command} ${plan?.project ?? ""} -->`,
    `### ${codeSpan(`deploy ${command}`)}: ${outcomeText(report)} (exit ${exitCode})`,
  ];
}

function page(report: CommandReport, privileges: readonly string[]): string {
  const { command, plan, findings, result } = report;
  const parts = [
    ...heading(report),
    ...(plan === undefined ? [] : [headLine(report), ...privileges]),
    ...(findings.length === 0 ? [] : ["#### Findings", fenced(findings.map(formatFinding).join("\n"))]),
    ...(plan === undefined ? [] : ["#### Plan", fenced(plan.text)]),
    ...(result === "" || command === "plan" ? [] : ["#### Result", fenced(result)]),
  ];
  return `${parts.join("\n\n")}\n`;
}

function headLine({ plan, tasks, seconds }: CommandReport): string {
  const count = (kind: PrivilegeChange["change"]) => plan?.privileges.filter(({ change }) => change === kind).length;
  const work =
    tasks.length === 0
      ? ""
      : `, ${tasks.filter(({ outcome }) => outcome === "done").length} of ${tasks.length} tasks done in ${Math.round(seconds)} s`;
  return `Project ${codeSpan(plan?.project ?? "")}, mode ${codeSpan(plan?.mode ?? "none")}: ${plan?.steps} steps, ${count("gained")} privileges gained, ${count("lost")} lost, ${count("kept")} kept${work}.`;
}

const marks = { gained: "**gained**", lost: "lost", kept: "kept" } as const;

function privilegeTable(privileges: readonly PrivilegeChange[]): string[] {
  if (privileges.length === 0) return ["No privileges."];
  const rows = privileges.map(({ change, service, kind, detail, consent }) =>
    ["", marks[change], cell(service), cell(kind), cell(detail), consent === undefined ? "no" : cell(consent), ""].join(
      "|",
    ),
  );
  return [["|change|service|privilege|what|reaches the host|", "|---|---|---|---|---|", ...rows].join("\n")];
}

/** A vertical bar ends a cell also within code. */
function cell(text: string): string {
  return codeSpan(text).replaceAll("|", "\\|");
}

function openList({ plan }: CommandReport): string[] {
  if (plan === undefined || plan.open.length === 0) return [];
  return [
    "#### Not accepted",
    plan.open.map(({ name, text }) => `- ${codeSpan(name)}: ${codeSpan(text)}`).join("\n"),
    "A privilege is accepted by an entry with a reason under `accept:` in `deploy.config.yaml`.",
  ];
}

/** Text that Markdown leaves as it is, on one line. */
export function codeSpan(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  if (line === "") return "";
  const ticks = "`".repeat(longestRun(line) + 1);
  return `${ticks} ${line} ${ticks}`;
}

/** A block that Markdown leaves as it is: its fence is longer than any within. What is too long for a comment is cut. */
export function fenced(text: string, limit = blockBytes): string {
  const fence = "`".repeat(Math.max(3, longestRun(text) + 1));
  const length = lengthWithin(text, limit);
  const cut = length === text.length ? text : `${text.slice(0, length)}\n… cut here; the log has all of it`;
  return `${fence}text\n${cut}\n${fence}`;
}

/** How many characters fit into so many bytes; no character is parted. */
function lengthWithin(text: string, bytes: number): number {
  return new TextEncoder().encodeInto(text, new Uint8Array(bytes)).read;
}

function longestRun(text: string): number {
  return Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
}
