import type { Finding } from "../core/findings/finding.ts";
import { composeEnvironment, execArgv } from "../core/stack/compose-argv.ts";
import { guardPaths, guardService } from "../core/stack/guard-policy.ts";
import { resolvePath } from "../core/stack/stack.ts";
import type { Text } from "../core/text/fitted-text.ts";
import { DeployError, type ExitCode, exitCodes } from "../errors.ts";
import { modelOf, readModelText } from "../shell/compose/compose.ts";
import { docker } from "../shell/engine/engine.ts";
import { askGuard, guardImages, policyFileFindings, readPolicyReport } from "../shell/observe/guard.ts";
import { stopUnlessDone } from "../shell/processes/child-failure.ts";
import type { RunResult, World } from "../world.ts";
import { configPathOf, type GlobalFlags, readSetting, readStack, stopOnErrors } from "./prepare.ts";

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
    case "serve":
      throw new DeployError([misplacedServe]);
    default:
      throw new Error(`guard ${action} is in the table but has no story`);
  }
}

/** `guard serve` never comes here: it is a program of its own, which is known by its first two words. */
const misplacedServe: Finding = {
  code: "D001",
  severity: "error",
  message: "guard serve is a program of its own: nothing of this tool can stand before its name",
  fix: "write its flags behind it: ./deploy guard serve --policy FILE (./deploy guard serve --help shows them all)",
};

/** The audit of the running guard, which lies in a volume of its own, or another file. */
async function showLog(world: World, flags: GuardFlags, file: string | undefined): Promise<ExitCode> {
  const words = ["log", ...(flags.denied ? ["--denied"] : []), ...(flags.follow ? ["--follow"] : [])];
  // A log may go on for hours: it is shown as it comes.
  const onOutput = (chunk: string, stream: string): void => {
    if (stream === "stdout" && flags.follow) world.reporter.stream(chunk);
  };
  if (file !== undefined) {
    await stopOnMissing(world, file);
    const result = await askGuard(world, [...words, file], {}, { onOutput });
    return flags.follow ? exitCodes.done : show(world, result, asRows);
  }
  const { project } = await readSetting(world, flags);
  // Nobody tells a program in a container that the one who reads it is gone: it goes by its input.
  const asked = ["node", "/app/guard.js", ...words, ...(flags.follow ? ["--while-input"] : [])];
  const result = await docker(world, execArgv(project, guardService, asked), {
    env: composeEnvironment({ variables: {} }, world.env),
    onOutput,
    ...(flags.follow ? { holdInput: true } : {}),
  });
  if (/is not running|is restarting|no such service|no container found/i.test(result.stderr))
    throw new DeployError([silentGuard(project)], exitCodes.refused);
  stopUnlessDone(result, "the guard's log cannot be shown");
  return flags.follow ? exitCodes.done : show(world, result, asRows);
}

async function checkRequest(world: World, flags: GuardFlags, file: string | undefined): Promise<ExitCode> {
  if (file === undefined) {
    const message = "guard check needs the file of a request";
    const fix = 'write one: {"method": "POST", "target": "/containers/create?name=x", "body": {"Image": "x"}}';
    throw new DeployError([{ code: "D001", severity: "error", message, fix }]);
  }
  await stopOnMissing(world, file);
  const upstream = flags.upstream ?? `unix:${await engineSocket(world, flags)}`;
  return show(world, await askWithPolicy(world, flags, ["check", file, "--upstream", upstream]));
}

/** The socket that the configuration names; where there is none, a policy can be tried all the same. */
async function engineSocket(world: World, flags: GuardFlags): Promise<string> {
  const isConfigured = flags.policy === undefined || flags.config !== undefined;
  if (!isConfigured && (await world.files.stat(configPathOf(world, flags))) === undefined)
    return guardPaths.engineSocket;
  return (await readSetting(world, flags)).territory.socketPath;
}

/** Asks by the policy that was named, or by that of the stack as it would be deployed now. */
async function askWithPolicy(world: World, flags: GuardFlags, words: readonly string[]): Promise<RunResult> {
  if (flags.policy !== undefined) {
    await stopOnMissing(world, flags.policy);
    showFindings(world, await policyFileFindings(world, flags.policy));
    return askGuard(world, [...words, "--policy", flags.policy]);
  }
  const { config, stack, project } = await readStack(world, flags);
  if (stack.guardPolicy === undefined) throw new DeployError([noGuard(project)]);
  const model = modelOf(await readModelText(world, stack));
  showFindings(world, (await readPolicyReport(world, config, stack, model)).findings);
  return askGuard(world, [...words, "--text", stack.guardPolicy], { GUARD_IMAGES: guardImages(model) });
}

function showFindings(world: World, findings: readonly Finding[]): void {
  stopOnErrors(findings);
  if (findings.length > 0) world.reporter.findings(findings, exitCodes.done);
}

async function stopOnMissing(world: World, file: string): Promise<void> {
  if ((await world.files.stat(resolvePath(world.cwd, world.home, file))) !== undefined) return;
  const fix = "correct the path; it starts at the current folder";
  throw new DeployError([{ code: "D014", severity: "error", message: `there is no file ${file}`, fix }]);
}

function noGuard(project: string): Finding {
  return {
    code: "D033",
    severity: "error",
    message: `no guard is in the stack of ${project}: it belongs to aio mode with sandbox.docker.access: guarded`,
    fix: "./deploy status shows what runs; --policy FILE takes any policy",
  };
}

/** What a guard did is asked most when it has ended: its container keeps the audit, and any guard's program can show it. */
function silentGuard(project: string): Finding {
  const copy = `docker cp ${project}-${guardService}-1:${guardPaths.audit}/audit.jsonl .`;
  return {
    code: "D033",
    severity: "error",
    message: `no guard of ${project} runs that could show its log`,
    fix: `./deploy up starts it, in aio mode; of one that ended: ${copy} and then ./deploy guard log audit.jsonl`,
  };
}

/**
 * Shows what the guard's program said. That a request is refused is an answer as well, with the exit code of a refusal,
 * and so is that it was not decided, with that of a failure.
 */
const asRows = (rows: string): Text => rows;

/** A policy, or a request as it would be sent, is one to copy; the rows of a log are for people. */
function show(
  world: World,
  { exitCode, stdout, stderr }: RunResult,
  textOf: (said: string) => Text = (whole) => ({ whole }),
): ExitCode {
  const said = stdout.trimEnd();
  if (exitCode !== 0 && said === "") {
    const message = stderr.trim().replace(/^guard: /, "");
    throw new DeployError([{ code: "D014", severity: "error", message, fix: "docs/guard.md shows the form" }]);
  }
  const code = exitCode === 0 ? exitCodes.done : exitCode === exitCodes.refused ? exitCodes.refused : exitCodes.failed;
  world.reporter.result(textOf(said), { version: 1, exitCode: code, lines: said.split("\n") });
  return code;
}
