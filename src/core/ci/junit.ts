import { type Finding, formatFinding } from "../findings/finding.ts";
import { type CommandReport, hasFailed, outcomeText, type TaskReport } from "./report.ts";

interface TestCase {
  readonly kind: "command" | "task" | "finding" | "privilege";
  readonly name: string;
  readonly seconds?: number;
  readonly file?: string | undefined;
  /** Why it failed; `type` is a finding's code or the kind of what failed. */
  readonly failure?: { readonly type: string; readonly message: string; readonly text: string };
  readonly skipped?: string;
  readonly output?: string;
}

/**
 * The command as a suite of JUnit's XML: the command itself, its tasks, the privileges that the stack gains and the findings
 * are its test cases. Errors and what nobody accepted have failed; a warning has passed and says what it is about.
 */
export function junitXml(report: CommandReport): string {
  const cases = [
    commandCase(report),
    ...report.tasks.map(taskCase),
    ...privilegeCases(report),
    ...report.findings.map(findingCase),
  ];
  const count = (key: "failure" | "skipped") => cases.filter((each) => each[key] !== undefined).length;
  const counts = { tests: cases.length, failures: count("failure"), errors: 0, skipped: count("skipped") };
  const time = report.seconds.toFixed(3);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes({ name: "deploy", ...counts, time })}>`,
    `<testsuite${attributes({ name: `deploy ${report.command}`, ...counts, time })}>`,
    ...cases.map((each) => caseXml(each, report.command)),
    "</testsuite>",
    "</testsuites>",
    "",
  ].join("\n");
}

function commandCase(report: CommandReport): TestCase {
  const { command, exitCode, seconds, plan } = report;
  const message = `${outcomeText(report)} (exit ${exitCode})`;
  return {
    kind: "command",
    name: `deploy ${command}`,
    seconds,
    ...(hasFailed(report) ? { failure: { type: `exit ${exitCode}`, message, text: message } } : {}),
    ...(plan === undefined ? {} : { output: plan.text }),
  };
}

function taskCase({ title, outcome, seconds }: TaskReport): TestCase {
  const message = "the findings say why";
  return {
    ...{ kind: "task", name: title, seconds },
    ...(outcome === "failed" ? { failure: { type: "task", message, text: message } } : {}),
    ...(outcome === "not begun" ? { skipped: "something before it failed" } : {}),
  };
}

/** A question may be about several privileges of several services; one that is open fails for all of its name. */
function privilegeCases({ plan }: CommandReport): TestCase[] {
  const open = new Map((plan?.open ?? []).map(({ name, text }) => [String(name), text]));
  return (plan?.privileges ?? [])
    .filter(({ change }) => change === "gained")
    .map(({ service, kind, detail, consent }) => {
      const text = consent === undefined ? undefined : open.get(consent);
      const message = `${consent} is not accepted`;
      return {
        ...{ kind: "privilege", name: `${service} gains ${kind} ${detail}` },
        ...(text === undefined ? {} : { failure: { type: "consent", message, text } }),
      };
    });
}

function findingCase(finding: Finding): TestCase {
  const { code, message, severity, at } = finding;
  const text = formatFinding(finding);
  return {
    ...{ kind: "finding", name: `${code} ${message}`, file: at?.file },
    ...(severity === "error" ? { failure: { type: code, message, text } } : { output: text }),
  };
}

function caseXml({ kind, name, seconds = 0, file, failure, skipped, output }: TestCase, command: string): string {
  const head = { name, classname: `deploy.${command}.${kind}`, time: seconds.toFixed(3), file };
  const body = [
    ...(failure === undefined
      ? []
      : [`<failure${attributes({ message: failure.message, type: failure.type })}>${xmlText(failure.text)}</failure>`]),
    ...(skipped === undefined ? [] : [`<skipped${attributes({ message: skipped })}/>`]),
    ...(output === undefined ? [] : [`<system-out>${xmlText(output)}</system-out>`]),
  ];
  return body.length === 0
    ? `<testcase${attributes(head)}/>`
    : [`<testcase${attributes(head)}>`, ...body, "</testcase>"].join("\n");
}

function attributes(values: Readonly<Record<string, string | number | undefined>>): string {
  return Object.entries(values)
    .flatMap(([name, value]) => (value === undefined ? [] : [` ${name}="${xmlAttribute(String(value))}"`]))
    .join("");
}

/** What XML 1.0 cannot hold at all, not even by its number, halves of a pair of characters among it. */
const unspeakable = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu;

const entities: Readonly<Record<string, string>> = {
  ...{ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" },
  ...{ "\t": "&#9;", "\n": "&#10;", "\r": "&#13;" },
};

/** Text as an element of XML holds it; a reader would take a carriage return for a line break. */
export function xmlText(text: string): string {
  return text.replace(unspeakable, "\u{fffd}").replace(/[&<>"\r]/g, (character) => entities[character] ?? character);
}

/** Text as an attribute holds it; a reader would take line breaks and tabs for blanks. */
export function xmlAttribute(text: string): string {
  return xmlText(text).replace(/[\t\n]/g, (character) => entities[character] ?? character);
}
