import { composeEnvironment, logsArgv } from "../core/stack/compose-argv.ts";
import { type ExitCode, exitCodes } from "../errors.ts";
import { docker, projectContainers } from "../shell/engine/engine.ts";
import { stopUnlessDone } from "../shell/processes/child-failure.ts";
import type { World } from "../world.ts";
import { type GlobalFlags, readSetting } from "./prepare.ts";
import { servicesOf, stopOnUnknownServices } from "./services.ts";

/** Flags of `logs`. */
export interface LogsFlags extends GlobalFlags {
  readonly follow: boolean;
  readonly tail: string;
  readonly color: boolean;
}

/** Shows the services' logs, redacted; with --follow until interrupted, with --json as one list of lines. */
export async function logs(world: World, flags: LogsFlags, services: readonly string[]): Promise<ExitCode> {
  const { project } = await readSetting(world, flags);
  const { containers } = await projectContainers(world, project);
  stopOnUnknownServices(services, servicesOf(containers), project);
  if (containers.length === 0)
    world.reporter.note(`nothing of ${project} is deployed, so there are no logs: ./deploy up starts it`);
  const color = flags.color && !flags.json && !world.env["NO_COLOR"];
  const result = await docker(world, logsArgv(project, services, { ...flags, color }), {
    env: composeEnvironment({ variables: {} }, world.env),
    onOutput: (chunk, stream) => {
      if (stream === "stdout" && !flags.json) world.reporter.stream(chunk);
    },
  });
  stopUnlessDone(result, "docker compose logs failed");
  if (flags.json) world.reporter.result("", { version: 1, exitCode: 0, lines: linesOf(result.stdout) });
  return exitCodes.done;
}

/** Compose writes `container  | line`. */
function linesOf(text: string): { container: string | null; line: string }[] {
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line) => {
    const [, container, rest] = /^(\S+) +\| ?(.*)$/.exec(line) ?? [];
    return container === undefined ? { container: null, line } : { container, line: rest ?? "" };
  });
}
