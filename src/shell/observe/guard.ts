import * as z from "zod";
import type { ConfigFile } from "../../core/config/config.ts";
import type { Container } from "../../core/containers/container.ts";
import type { Finding } from "../../core/findings/finding.ts";
import type { SandboxFolders } from "../../core/privileges/privilege.ts";
import { guardPolicyText, guardService } from "../../core/stack/guard-policy.ts";
import type { ComposeModel } from "../../core/stack/model.ts";
import { joinPath, type Stack, type Territory } from "../../core/stack/stack.ts";
import type { RunOptions, RunResult, World } from "../../world.ts";
import { docker, type KnownImages } from "../engine/engine.ts";

/** The guard's own program, which alone knows what a policy may say. */
export function guardProgram(world: World): string {
  return joinPath(world.toolRoot, "dist/guard/guard.js");
}

/** The images that the stack hands to its guard beside the policy. */
export function guardImages(model: ComposeModel): string | undefined {
  return model.services[guardService]?.environment["GUARD_IMAGES"]?.reveal();
}

/** The policy of a configuration, its preset with what it says otherwise, for whoever needs it: most stacks have no guard. */
export async function readGuardPolicy(world: World, { config }: ConfigFile, project: string): Promise<() => string> {
  const { guard } = config.sandbox.docker;
  const preset = (await world.files.read(joinPath(world.toolRoot, `templates/guard/${guard.preset}.yaml`))) ?? "";
  let text: string | undefined;
  return () => {
    text ??= guardPolicyText(preset, guard, project);
    return text;
  };
}

const problemsSchema = z.object({
  findings: z.array(
    z.object({
      severity: z.enum(["error", "warning"]),
      line: z.number(),
      column: z.number(),
      path: z.array(z.union([z.string(), z.number()])),
      message: z.string(),
    }),
  ),
  folders: z.object({ root: z.string(), writable: z.boolean() }).optional(),
});

type PolicyProblem = z.output<typeof problemsSchema>["findings"][number];

/** What the guard's program says of the policy that a stack hands to its guard. */
export interface PolicyReport {
  /** What it would refuse or warns of, each at the key of the configuration that says it. */
  readonly findings: readonly Finding[];
  readonly folders: SandboxFolders | undefined;
}

/** Asks the guard's program about the policy of a stack; nothing is said of a stack without a guard. */
export async function readPolicyReport(
  world: World,
  config: ConfigFile,
  { guardPolicy }: Stack,
  model: ComposeModel,
): Promise<PolicyReport> {
  if (guardPolicy === undefined) return { findings: [], folders: undefined };
  const env = { GUARD_IMAGES: guardImages(model) };
  const { findings, folders } = await askAboutPolicy(world, ["--text", guardPolicy], env);
  return { folders, findings: findings.map((problem) => configFinding(config, problem)) };
}

function configFinding(config: ConfigFile, { severity, path, message }: PolicyProblem): Finding {
  const at = config.positionOf(["sandbox", "docker", "guard", ...path]);
  if (severity === "warning") return { ...doubt, message: `sandbox.docker.guard: ${message}`, at };
  return { ...refusal, message: `the guard would refuse its policy, sandbox.docker.guard: ${message}`, at };
}

/** What is wrong or doubtful in the file of a policy, each at its own place in it. */
export async function policyFileFindings(world: World, file: string): Promise<Finding[]> {
  const { findings } = await askAboutPolicy(world, ["--policy", file], {});
  return findings.map(({ severity, line, column, message }) => ({
    ...(severity === "warning" ? doubt : refusal),
    message,
    at: { file, line, column },
  }));
}

const refusal = { code: "D035", severity: "error", fix: "correct that key; docs/guard.md explains each" } as const;
const doubt = { code: "D036", severity: "warning", fix: "change that key if it is not meant" } as const;

async function askAboutPolicy(
  world: World,
  words: readonly string[],
  env: World["env"],
): Promise<z.output<typeof problemsSchema>> {
  const { exitCode, stdout, stderr } = await askGuard(world, ["policy", "--json", ...words], env);
  const problems = problemsSchema.safeParse(jsonOf(stdout));
  if (problems.success) return problems.data;
  const unread: PolicyProblem = { severity: "error", line: 1, column: 1, path: [], message: stderr.trim() };
  return { findings: exitCode === 0 ? [] : [unread] };
}

const reportSchema = z.object({
  problem: z.string().optional(),
  alive: z.number().optional(),
  denied: z.number(),
  startedAt: z.string(),
  sandboxes: z.object({ limit: z.number() }),
  images: z.object({ pinned: z.record(z.string(), z.string()) }),
  folders: z.object({ root: z.string(), writable: z.boolean() }).optional(),
});

/** What the guard of a stack says of itself, and which container that is. */
export interface GuardReport extends z.output<typeof reportSchema> {
  readonly container: string;
}

/** Asks the running guard how it is; undefined where there is none, or it does not say. */
export async function readGuardReport(
  world: World,
  containers: readonly Container[],
): Promise<GuardReport | undefined> {
  const container = containers.find(({ service, state }) => service === guardService && state.running);
  if (container === undefined) return undefined;
  const answer = await docker(world, ["exec", container.id, "node", "/app/guard.js", "status", "--json"]);
  const report = reportSchema.safeParse(jsonOf(answer.stdout));
  return report.success ? { ...report.data, container: container.id } : undefined;
}

/** Whether an image that the guard lets run is another one than when it started; `images` are ids by reference. */
export async function outdatedPins(
  { guardPolicy }: Stack,
  asked: Promise<GuardReport | undefined>,
  images: Promise<KnownImages>,
): Promise<boolean> {
  if (guardPolicy === undefined) return false;
  const [report, { ids: now }] = await Promise.all([asked, images]);
  return Object.entries(report?.images.pinned ?? {}).some(([name, id]) => now.has(name) && now.get(name) !== id);
}

/** Whether the file that the guard's container mounts has to be written. */
export async function staleGuardPolicy(world: World, territory: Territory, { guardPolicy }: Stack): Promise<boolean> {
  return guardPolicy !== undefined && (await world.files.read(territory.guardPolicyPath)) !== guardPolicy;
}

/** Runs the guard's program once, for a question to it; throws only when the operator interrupted. */
export async function askGuard(
  world: World,
  args: readonly string[],
  env: World["env"] = {},
  options: RunOptions = {},
): Promise<RunResult> {
  const command = { program: world.nodePath, args: [guardProgram(world), ...args], env: { ...world.env, ...env } };
  const result = await world.run(command, options);
  world.signal.throwIfAborted();
  return result;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
