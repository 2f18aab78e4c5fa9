import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { command } from "./command.ts";
import type { GitlabJob, Job } from "./workflow.ts";

/** Where a job runs and what it is given. */
export interface JobSetting {
  /** The checked-out repository. */
  readonly folder: string;
  /** A folder of the runner's own, outside of it. */
  readonly temp: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The value of each expression, by its text; one that is missing is an error of the test. */
  readonly expressions: Readonly<Record<string, string>>;
}

/** How a job went: its log in the order in which a runner sees it, and what it leaves. */
export interface JobRun {
  readonly exitCode: number;
  readonly log: string;
  /** The pages of its steps. */
  readonly summary: string;
  readonly outputs: Readonly<Record<string, string>>;
  /** The steps that were run, by name, with their exit codes. */
  readonly steps: Readonly<Record<string, number>>;
}

/** Runs the `run:` steps of a job of GitHub Actions in order, as the runner does; after a failure only those with always(). */
export async function runJob(
  job: Job,
  workflowEnv: Readonly<Record<string, string>>,
  setting: JobSetting,
): Promise<JobRun> {
  const { folder, temp } = setting;
  await mkdir(temp, { recursive: true });
  const [summaryPath, outputPath] = [join(temp, "summary.md"), join(temp, "output")];
  const steps: Record<string, number> = {};
  let [log, exitCode] = ["", 0];
  for (const { name, run, if: condition = "", env = {} } of job.steps) {
    if (run === undefined || (exitCode !== 0 && !condition.includes("always()"))) continue;
    const given = { ...workflowEnv, ...resolved(env, setting.expressions) };
    const runner = { CI: "true", GITHUB_ACTIONS: "true", GITHUB_WORKSPACE: folder, RUNNER_TEMP: temp };
    const files = { GITHUB_STEP_SUMMARY: summaryPath, GITHUB_OUTPUT: outputPath };
    const ended = await runScript(run, setting, { ...runner, ...files, ...given });
    log += ended.log;
    steps[name] = ended.exitCode;
    exitCode ||= ended.exitCode;
  }
  return { exitCode, log, summary: await textOf(summaryPath), outputs: readOutputs(await textOf(outputPath)), steps };
}

/** Runs the scripts of a job of GitLab CI as a shell runner does: one shell for all, and another for what comes after. */
export async function runGitlabJob(
  job: GitlabJob,
  variables: Readonly<Record<string, string>>,
  setting: JobSetting,
): Promise<Pick<JobRun, "exitCode" | "log">> {
  await mkdir(setting.temp, { recursive: true });
  const env = { CI: "true", GITLAB_CI: "true", ...variables, ...job.variables };
  const ended = await runScript(job.script.join("\n"), setting, env);
  const after = await runScript((job.after_script ?? []).join("\n"), setting, env);
  return { exitCode: ended.exitCode, log: ended.log + after.log };
}

async function runScript(
  script: string,
  { folder, temp, env }: JobSetting,
  own: Readonly<Record<string, string>>,
): Promise<{ readonly exitCode: number; readonly log: string }> {
  const path = join(temp, "step.sh");
  await writeFile(path, `exec 2>&1\n${script}`);
  const args = ["--noprofile", "--norc", "-eo", "pipefail", path];
  const { exitCode, stdout, stderr } = await command("bash", args, { cwd: folder, env: { ...env, ...own } });
  return { exitCode, log: stdout + stderr };
}

function resolved(env: Readonly<Record<string, string>>, expressions: Readonly<Record<string, string>>) {
  return Object.fromEntries(
    Object.entries(env).map(([name, text]) => [
      name,
      text.replace(/\$\{\{ *(.*?) *\}\}/g, (_whole, expression: string) => {
        const value = expressions[expression];
        if (value === undefined) throw new Error(`no value is given for the expression ${expression}`);
        return value;
      }),
    ]),
  );
}

async function textOf(path: string): Promise<string> {
  return existsSync(path) ? readFile(path, "utf8") : "";
}

/** What `name<<WORD`, lines and `WORD` say; the rest of the file is ignored. */
function readOutputs(text: string): Record<string, string> {
  const found = [...text.matchAll(/^(\w+)<<(\w+)\n([\s\S]*?)^\2$/gm)];
  return Object.fromEntries(found.map(([, name = "", , value = ""]) => [name, value]));
}

/** A line that the runner obeys. */
export interface Obeyed {
  readonly name: string;
  readonly rest: string;
}

/** What GitHub's runner obeys of a log: commands of either form, none between `stop-commands` and its word. */
export function obeyedLines(log: string): readonly Obeyed[] {
  const obeyed: Obeyed[] = [];
  let word: string | undefined;
  for (const line of log.split(/\r\n|\r|\n/)) {
    const found = /^\s*::([^\s:]+)(?: [^:]*)?::(.*)$/.exec(line) ?? /##\[([\w-]+)[^\]]*\](.*)$/.exec(line);
    const [, name = "", rest = ""] = found ?? [];
    if (word !== undefined) {
      if (name === word) word = undefined;
      continue;
    }
    if (name === "stop-commands") word = rest;
    else if (found) obeyed.push({ name, rest });
  }
  return obeyed;
}
