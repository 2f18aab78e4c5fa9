import { commandTable } from "./cli.ts";
import { commandFirst, createProgram } from "./command-line.ts";
import { type ParsedFlags, runCommand } from "./commands/dispatch.ts";
import { pipelineOf } from "./core/ci/pipeline.ts";
import { DeployError, type ExitCode, exitCodeOf, exitCodes, InterruptedError } from "./errors.ts";
import { fileFinding } from "./files.ts";
import { createInterruption, createTerminalReporter, createWorld, type Origin } from "./real-world.ts";
import { usageOf } from "./usage.ts";
import type { Interruption, Reporter } from "./world.ts";

/** Why a command ends whose result nobody reads on, as in `logs --follow | head`: all that was wanted has been shown. */
const enoughRead = new Error("nobody reads the output any more");

/** Runs one command line: maps what it did, or how it failed, to an exit code; the only place that shows an error. */
export async function run(written: readonly string[], origin: Origin): Promise<ExitCode> {
  const interruption = createInterruption(origin.process);
  origin.process.stdout.on("error", (error) =>
    interruption.abort("code" in error && error.code === "EPIPE" ? enoughRead : error),
  );
  // Nobody would learn how a change goes on: it ends as on a signal.
  origin.process.stderr.on("error", (error) => interruption.abort(error));
  const argv = commandFirst(written);
  let exitCode: ExitCode = exitCodes.done;
  const program = createProgram(origin.version, async (command, flags, args) => {
    exitCode = await runGuarded(command, flags, args, interruption, origin);
  });
  try {
    await program.parseAsync(["node", "deploy", ...argv]);
  } catch (error) {
    const usage = usageOf(error, argv);
    if (!usage) throw error;
    if (usage.kind === "shown") return exitCodes.done;
    const flags = {
      json: argv.includes("--json"),
      color: !argv.includes("--no-color"),
      ci: argv.includes("--ci"),
    };
    const reporter = await createTerminalReporter(flags, interruption, origin.process);
    reporter.findings([usage.finding], exitCodes.input);
    return exitCodes.input;
  }
  return exitCode;
}

async function runGuarded(
  command: string,
  given: ParsedFlags,
  args: readonly string[],
  interruption: Interruption,
  origin: Origin,
): Promise<ExitCode> {
  const flags = { ...given, ci: pipelineOf(origin.process.env, given.ci) !== undefined };
  const world = await createWorld(command, flags, interruption, origin);
  const exitCode = await mapped(world.reporter, command, interruption, origin, () =>
    runCommand(world, command, flags, args).finally(() => world.reporter.endStream()),
  );
  await world.reporter.conclude(exitCode);
  return exitCode;
}

async function mapped(
  reporter: Reporter,
  command: string,
  interruption: Interruption,
  origin: Origin,
  work: () => Promise<ExitCode>,
): Promise<ExitCode> {
  try {
    return await work();
  } catch (error) {
    if (interruption.signal.reason === enoughRead) return exitCodes.done;
    if (interruption.signal.aborted || error instanceof InterruptedError)
      return showInterruption(reporter, command, error);
    return showError(reporter, error, origin);
  }
}

function showInterruption(reporter: Reporter, command: string, error: unknown): ExitCode {
  if (error instanceof InterruptedError && error.advice !== undefined) reporter.note(`interrupted: ${error.advice}`);
  else if (commandTable.find(({ name }) => name === command)?.readsOnly !== true)
    reporter.note("interrupted: what was begun stays as it is, and the next up, rollback or down mends it");
  reporter.findings([], exitCodes.interrupted);
  return exitCodes.interrupted;
}

function showError(reporter: Reporter, error: unknown, { version, process }: Origin): ExitCode {
  const known = error instanceof DeployError ? error : fileError(error);
  if (known) {
    reporter.findings(known.findings, known.exitCode);
    return known.exitCode;
  }
  const where = `sandbox-deploy ${version} (Node ${process.version}, ${process.platform})`;
  reporter.note(`this is a bug in ${where}; please report it with these lines:`);
  reporter.note(error instanceof Error ? (error.stack ?? error.message) : String(error));
  reporter.findings([], exitCodes.bug);
  return exitCodes.bug;
}

/** A full disk, a read-only folder or an unreadable file is the operator's to mend, not a bug. */
function fileError(error: unknown): DeployError | undefined {
  const finding = fileFinding(error);
  return finding && new DeployError([finding], exitCodeOf([finding]));
}
