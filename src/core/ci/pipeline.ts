import { resolvePath } from "../stack/stack.ts";

/** Whose log the lines go to: GitHub and GitLab give some of them a meaning. */
export type Pipeline = "github" | "gitlab" | "plain";

type Environment = Readonly<Record<string, string | undefined>>;

/** How people switch off what programs do where that variable is set. */
const off = /^(|0|false|no|off)$/i;

/** The pipeline that a command runs in, by `--ci` or by the variable that every one of them sets; undefined for none. */
export function pipelineOf(env: Environment, ci: boolean | undefined): Pipeline | undefined {
  if (ci !== true && off.test(env["CI"] ?? "")) return undefined;
  if (env["GITHUB_ACTIONS"] === "true") return "github";
  return env["GITLAB_CI"] === "true" ? "gitlab" : "plain";
}

/** Flags that name files which tell of a command. */
export interface ReportFlags {
  readonly summaryFile?: string;
  readonly junitFile?: string;
  readonly jsonFile?: string;
}

/** Where it is written how a command went, as absolute paths. */
export interface ReportPaths {
  /** Markdown: the page of a job, or the body of a comment. */
  readonly summary: string | undefined;
  readonly junit: string | undefined;
  readonly json: string | undefined;
  /** The page that GitHub gives to each step, to which summaries are added. */
  readonly stepSummary: string | undefined;
}

/** The files that flags or variables name, and GitHub's page of the step; undefined where there is nothing to write. */
export function reportPathsOf(
  env: Environment,
  flags: ReportFlags,
  pipeline: Pipeline | undefined,
  folders: { readonly cwd: string; readonly home: string },
): ReportPaths | undefined {
  const at = (path: string | undefined) => (path ? resolvePath(folders.cwd, folders.home, path) : undefined);
  const paths = {
    summary: at(flags.summaryFile ?? env["DEPLOY_SUMMARY_FILE"]),
    junit: at(flags.junitFile ?? env["DEPLOY_JUNIT_FILE"]),
    json: at(flags.jsonFile ?? env["DEPLOY_JSON_FILE"]),
    stepSummary: pipeline === "github" ? at(env["GITHUB_STEP_SUMMARY"]) : undefined,
  };
  return Object.values(paths).every((path) => path === undefined) ? undefined : paths;
}
