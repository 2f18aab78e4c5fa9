import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";

const root = join(import.meta.dirname, "../..");

const texts = z.record(z.string(), z.string());
/** Only the least rights: reading the code, writing the comment. */
const permissions = z.strictObject({
  contents: z.literal("read").optional(),
  "pull-requests": z.literal("write").optional(),
});
const step = z.strictObject({
  name: z.string(),
  id: z.string().optional(),
  if: z.string().optional(),
  uses: z
    .string()
    .regex(/^actions\/checkout@[0-9a-f]{40}$/, "only the checkout, pinned by its commit")
    .optional(),
  with: z.strictObject({ "persist-credentials": z.literal(false), clean: z.literal(false).optional() }).optional(),
  env: texts.optional(),
  // Whatever an expression holds would be read as part of the script.
  run: z
    .string()
    .refine((script) => !script.includes("${{"), "a value belongs into env:")
    .optional(),
});
const concurrency = z.strictObject({ group: z.string(), "cancel-in-progress": z.boolean() });
const job = z.strictObject({
  needs: z.string().optional(),
  if: z.string().optional(),
  "runs-on": z.union([z.string(), z.array(z.string())]),
  container: z.strictObject({ image: z.string(), options: z.string().optional() }).optional(),
  environment: z.string().optional(),
  concurrency: concurrency.optional(),
  "timeout-minutes": z.number().max(120),
  permissions,
  outputs: texts.optional(),
  steps: z.array(step).min(1),
});
const workflow = z.strictObject({
  name: z.string(),
  on: z.strictObject({ pull_request: z.null(), push: z.strictObject({ branches: z.array(z.string()) }) }),
  permissions: z.strictObject({}),
  env: texts.optional(),
  concurrency: concurrency.optional(),
  jobs: z.record(z.string(), job),
});

/** A workflow of GitHub Actions, as far as those of this repository go. */
export type Workflow = z.infer<typeof workflow>;
/** One of its jobs. */
export type Job = Workflow["jobs"][string];

/** Reads a workflow of this repository; a key that GitHub or this project does not know is an error. */
export function readWorkflow(path: string): Workflow {
  return workflow.parse(parse(readFileSync(join(root, path), "utf8")));
}

const rules = z.array(z.strictObject({ if: z.string(), when: z.enum(["always", "manual"]).optional() })).min(1);
const gitlabJob = z.strictObject({
  stage: z.string(),
  tags: z.array(z.string()).optional(),
  needs: z.array(z.string()).optional(),
  timeout: z.string(),
  rules,
  environment: z.strictObject({ name: z.string() }).optional(),
  resource_group: z.string().optional(),
  variables: texts.optional(),
  script: z.array(z.string()).min(1),
  after_script: z.array(z.string()).optional(),
  artifacts: z
    .strictObject({
      when: z.literal("always"),
      expire_in: z.string(),
      paths: z.array(z.string()),
      reports: z.strictObject({ junit: z.string() }),
    })
    .optional(),
});
const gitlab = z.object({ stages: z.array(z.string()), variables: texts }).catchall(gitlabJob);

/** One job of a pipeline of GitLab CI. */
export type GitlabJob = z.infer<typeof gitlabJob>;

/** Reads a pipeline of GitLab CI in the same way. */
export function readGitlab(path: string) {
  const { stages, variables, ...jobs } = gitlab.parse(parse(readFileSync(join(root, path), "utf8")));
  return { stages, variables, jobs: z.record(z.string(), gitlabJob).parse(jobs) };
}

/** Every script of every job. */
export function scriptsOf(path: string): string[] {
  if (path.includes("gitlab"))
    return Object.values(readGitlab(path).jobs).flatMap(({ script, after_script = [] }) => [
      script.join("\n"),
      after_script.join("\n"),
    ]);
  return Object.values(readWorkflow(path).jobs).flatMap(({ steps }) => steps.flatMap(({ run }) => run ?? []));
}
