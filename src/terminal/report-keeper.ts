import type { ReportPaths } from "../core/ci/pipeline.ts";
import type { CommandReport, TaskReport } from "../core/ci/report.ts";
import type { Finding } from "../core/findings/finding.ts";
import { shownFinding } from "../core/findings/finding.ts";
import type { Plan } from "../core/plan/plan.ts";
import { createRedactor } from "../core/secrets/redact.ts";
import { redactedDocument } from "../core/secrets/redacted-document.ts";
import { fitted, type Text } from "../core/text/fitted-text.ts";
import { visibleText } from "../core/text/visible-text.ts";
import type { ExitCode } from "../errors.ts";
import type { Files } from "../files.ts";
import type { Reporter, Task } from "../world.ts";

/** What the files are about, and where they go. */
export interface Keeping {
  readonly command: string;
  readonly version: string;
  readonly paths: ReportPaths;
  readonly files: Pick<Files, "writeAtomic" | "append">;
  readonly elapsedSeconds: () => number;
}

interface Kept {
  plan?: Plan;
  result?: { readonly text: Text; readonly document: unknown };
  readonly findings: Finding[];
  readonly tasks: TaskReport[];
}

/** A reporter that also keeps what is told to it, and writes it into files at the end. A secret that is revealed is not kept. */
export function keepReport(reporter: Reporter, keeping: Keeping): Reporter {
  const kept: Kept = { findings: [], tasks: [] };
  const begun = keeping.elapsedSeconds();
  return {
    ...reporter,
    planned(plan) {
      kept.plan = plan;
    },
    result(text, document) {
      kept.result = { text, document };
      reporter.result(text, document);
    },
    findings(findings, exitCode) {
      kept.findings.push(...findings);
      reporter.findings(findings, exitCode);
    },
    tasks: (tasks) => runTimed(reporter, tasks, kept.tasks, keeping.elapsedSeconds),
    async conclude(exitCode) {
      const texts = await textsOf(keeping, kept, exitCode, createRedactor(reporter.hidden()), begun);
      const unwritten = await writeAll(keeping, texts);
      if (unwritten.length > 0) reporter.findings(unwritten, 0);
      await reporter.conclude(exitCode);
    },
  };
}

async function runTimed(
  reporter: Reporter,
  tasks: readonly Task[],
  reports: TaskReport[],
  elapsedSeconds: () => number,
): Promise<void> {
  const done = new Map<Task, TaskReport>();
  const timed = tasks.map(
    (task): Task => ({
      title: task.title,
      async run(progress) {
        const begun = elapsedSeconds();
        const report = (outcome: TaskReport["outcome"]) =>
          done.set(task, { title: task.title, outcome, seconds: elapsedSeconds() - begun });
        report("failed");
        await task.run(progress);
        report("done");
      },
    }),
  );
  try {
    await reporter.tasks(timed);
  } finally {
    reports.push(
      ...tasks.map((task) => done.get(task) ?? ({ title: task.title, outcome: "not begun", seconds: 0 } as const)),
    );
  }
}

interface Texts {
  readonly summary: string;
  readonly junit: string;
  readonly json: string;
}

/** Secrets are taken out of each text before it is escaped: behind that they would not be recognised. */
async function textsOf(
  { command, version, elapsedSeconds }: Keeping,
  { plan, result, findings, tasks }: Kept,
  exitCode: ExitCode,
  redact: (text: string) => string,
  begun: number,
): Promise<Texts> {
  const shown = (text: string) => visibleText(redact(text));
  const [{ planReport }, { summaryMarkdown }, { junitXml }, { reportDocument }] = await Promise.all([
    import("../core/ci/report.ts"),
    import("../core/ci/summary.ts"),
    import("../core/ci/junit.ts"),
    import("../core/ci/report-document.ts"),
  ]);
  const report: CommandReport = {
    ...{ command, version, exitCode, seconds: elapsedSeconds() - begun },
    plan: plan && planReport(plan, shown),
    result: result === undefined ? "" : fitted(result.text, undefined, shown),
    findings: findings.map((each) => shownFinding(each, shown)),
    tasks: tasks.map((each) => ({ ...each, title: shown(each.title) })),
  };
  const document = redactedDocument(reportDocument(report, plan, result?.document), redact);
  return {
    summary: summaryMarkdown(report),
    junit: junitXml(report),
    json: `${JSON.stringify(document, null, 2)}\n`,
  };
}

/** Others of the pipeline read them, under other users as well. */
const mode = 0o644;

async function writeAll({ files, paths }: Keeping, { summary, junit, json }: Texts): Promise<Finding[]> {
  const write = (path: string | undefined, text: string) => path && files.writeAtomic(path, text, { mode });
  const add = (path: string | undefined) =>
    path && files.append(path, summary, { mode, limitBytes: Number.MAX_SAFE_INTEGER });
  const results = await Promise.allSettled([
    write(paths.summary, summary),
    write(paths.junit, junit),
    write(paths.json, json),
    add(paths.stepSummary),
  ]);
  return results.flatMap((each) => (each.status === "fulfilled" ? [] : [unwritten(each.reason)]));
}

/** What was deployed is deployed: the exit code stays what it is. */
function unwritten(error: unknown): Finding {
  return {
    code: "D117",
    severity: "warning",
    message: `${error instanceof Error ? error.message : String(error)}; what the command did holds all the same`,
    fix: "name a file in a folder that is there and may be written",
  };
}
