import { composeEnvironment, execArgv } from "../core/compose-argv.ts";
import type { Finding } from "../core/finding.ts";
import { guardService } from "../core/guard-policy.ts";
import { DeployError, type ExitCode, exitCodes } from "../errors.ts";
import { modelOf, readModelText } from "../shell/compose.ts";
import { docker } from "../shell/engine.ts";
import { askGuard, guardImages } from "../shell/guard.ts";
import type { RunResult, World } from "../world.ts";
import { type GlobalFlags, readSetting, readStack } from "./prepare.ts";

/** Flags of `guard`. */
export interface GuardFlags extends GlobalFlags {
  readonly denied?: boolean;
  readonly follow?: boolean;
  readonly policy?: string;
  readonly upstream?: string;
}

/** Shows what the stack's guard did or would do; every answer is that of the guard's own program. */
export async function guard(world: World, flags: GuardFlags, args: readonly string[]): Promise<ExitCode> {
  const [action, file] = args;
  switch (action) {
    case "log":
      return showLog(world, flags, file);
    case "policy":
      return show(world, await askWithPolicy(world, flags, ["policy"]));
    case "check":
      return checkRequest(world, flags, file);
    default:
      throw new Error(`guard ${action} is in the table but has no story`);
  }
}

/** The audit of the running guard, which lies in a volume of its own, or another file. */
async function showLog(world: World, flags: GuardFlags, file: string | undefined): Promise<ExitCode> {
  const words = ["log", ...(flags.denied ? ["--denied"] : []), ...(flags.follow ? ["--follow"] : [])];
  if (file !== undefined) return show(world, await askGuard(world, [...words, file]));
  const { project } = await readSetting(world, flags);
  const result = await docker(world, execArgv(project, guardService, ["node", "/app/guard.js", ...words]), {
    env: composeEnvironment({ variables: {} }, world.env),
    // A log may go on for hours: it is shown as it comes.
    onOutput: (chunk, stream) => {
      if (stream === "stdout" && flags.follow) world.reporter.stream(chunk);
    },
  });
  if (/is not running|no such service|no container found/i.test(result.stderr))
    throw new DeployError([noGuard(project, "runs")], exitCodes.refused);
  return flags.follow ? exitCodes.done : show(world, result);
}

async function checkRequest(world: World, flags: GuardFlags, file: string | undefined): Promise<ExitCode> {
  if (file === undefined) {
    const message = "guard check needs the file of a request";
    const fix = 'write one: {"method": "POST", "target": "/containers/create?name=x", "body": {"Image": "x"}}';
    throw new DeployError([{ code: "D001", severity: "error", message, fix }]);
  }
  const upstream = flags.upstream ?? `unix:${(await readSetting(world, flags)).territory.socketPath}`;
  return show(world, await askWithPolicy(world, flags, ["check", file, "--upstream", upstream]));
}

/** Asks by the policy that was named, or by that of the stack as it would be deployed now. */
async function askWithPolicy(world: World, flags: GuardFlags, words: readonly string[]): Promise<RunResult> {
  if (flags.policy !== undefined) return askGuard(world, [...words, "--policy", flags.policy]);
  const { stack, project } = await readStack(world, flags);
  if (stack.guardPolicy === undefined) throw new DeployError([noGuard(project, "is in the stack")]);
  const model = modelOf(await readModelText(world, stack));
  return askGuard(world, [...words, "--text", stack.guardPolicy], { GUARD_IMAGES: guardImages(model) });
}

function noGuard(project: string, what: string): Finding {
  return {
    code: "D033",
    severity: "error",
    message: `no guard ${what} of ${project}: it belongs to aio mode with sandbox.docker.access: guarded`,
    fix: "./deploy status shows what runs; --policy FILE takes any policy",
  };
}

/** Shows what the guard's program said. A refused request is an answer as well, with the exit code of a refusal. */
function show(world: World, { exitCode, stdout, stderr }: RunResult): ExitCode {
  const refused = exitCode === exitCodes.refused;
  if (exitCode !== 0 && !refused) {
    const message = stderr.trim().replace(/^guard: /, "");
    throw new DeployError([{ code: "D035", severity: "error", message, fix: "./deploy guard --help shows the form" }]);
  }
  const code = refused ? exitCodes.refused : exitCodes.done;
  world.reporter.result(stdout.trimEnd(), { version: 1, exitCode: code, lines: stdout.trimEnd().split("\n") });
  return code;
}
