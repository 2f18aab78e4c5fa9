import * as z from "zod";
import type { ConfigFile } from "../core/config.ts";
import type { Container } from "../core/container.ts";
import type { Finding } from "../core/finding.ts";
import { guardPolicyText, guardService } from "../core/guard-policy.ts";
import type { ComposeModel } from "../core/model.ts";
import { joinPath, type Stack, type Territory } from "../core/stack.ts";
import type { RunResult, World } from "../world.ts";
import { docker } from "./engine.ts";

/** The guard's own program, which alone knows what a policy may say. */
export function guardProgram(world: World): string {
  return joinPath(world.toolRoot, "dist/guard/guard.js");
}

/** The images that the stack hands to its guard beside the policy. */
export function guardImages(model: ComposeModel): string | undefined {
  return model.services[guardService]?.environment["GUARD_IMAGES"]?.reveal();
}

/** The policy of a configuration: its preset, with what it says otherwise. */
export async function readGuardPolicy(world: World, { config }: ConfigFile, project: string): Promise<string> {
  const { guard } = config.sandbox.docker;
  const preset = joinPath(world.toolRoot, `templates/guard/${guard.preset}.yaml`);
  return guardPolicyText((await world.files.read(preset)) ?? "", guard, project);
}

const problemsSchema = z.object({
  findings: z.array(z.object({ path: z.array(z.union([z.string(), z.number()])), message: z.string() })),
});

/** What the guard would refuse of its policy, each at the key of the configuration that says it. */
export async function guardFindings(
  world: World,
  config: ConfigFile,
  { guardPolicy }: Stack,
  model: ComposeModel,
): Promise<Finding[]> {
  if (guardPolicy === undefined) return [];
  const env = { GUARD_IMAGES: guardImages(model) };
  const checked = await askGuard(world, ["policy", "--json", "--text", guardPolicy], env);
  if (checked.exitCode === 0) return [];
  const problems = problemsSchema.safeParse(jsonOf(checked.stdout));
  const found = problems.success ? problems.data.findings : [{ path: [], message: checked.stderr.trim() }];
  return found.map(({ path, message }) => ({
    code: "D035",
    severity: "error",
    message: `the guard would refuse its policy, sandbox.docker.guard: ${message}`,
    fix: "correct that key; ./deploy guard policy prints the policy as it is now",
    at: config.positionOf(["sandbox", "docker", "guard", ...path]),
  }));
}

const reportSchema = z.object({
  problem: z.string().optional(),
  alive: z.number().optional(),
  denied: z.number(),
  startedAt: z.string(),
  sandboxes: z.object({ limit: z.number() }),
  images: z.object({ pinned: z.record(z.string(), z.string()) }),
});

/** What the guard of a stack says of itself. */
export type GuardReport = z.output<typeof reportSchema>;

/** Asks the running guard how it is; undefined where there is none, or it does not say. */
export async function readGuardReport(
  world: World,
  containers: readonly Container[],
): Promise<GuardReport | undefined> {
  const container = containers.find(({ service, state }) => service === guardService && state.running);
  if (container === undefined) return undefined;
  const answer = await docker(world, ["exec", container.id, "node", "/app/guard.js", "status", "--json"]);
  const report = reportSchema.safeParse(jsonOf(answer.stdout));
  return report.success ? report.data : undefined;
}

/** Whether an image that the guard lets run is another one than when it started; `images` are ids by reference. */
export async function outdatedPins(
  world: World,
  { guardPolicy }: Stack,
  containers: readonly Container[],
  images: Promise<ReadonlyMap<string, string>>,
): Promise<boolean> {
  if (guardPolicy === undefined) return false;
  const [report, now] = await Promise.all([readGuardReport(world, containers), images]);
  return Object.entries(report?.images.pinned ?? {}).some(([name, id]) => now.has(name) && now.get(name) !== id);
}

/** Whether the file that the guard's container mounts has to be written. */
export async function staleGuardPolicy(world: World, territory: Territory, { guardPolicy }: Stack): Promise<boolean> {
  return guardPolicy !== undefined && (await world.files.read(territory.guardPolicyPath)) !== guardPolicy;
}

/** Runs the guard's program once, for a question to it. */
export function askGuard(world: World, args: readonly string[], env: World["env"] = {}): Promise<RunResult> {
  return world.run({ program: world.nodePath, args: [guardProgram(world), ...args], env: { ...world.env, ...env } });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
