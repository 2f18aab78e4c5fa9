import { composeEnvironment, logsArgv } from "../core/compose-argv.ts";
import { type ExitCode, exitCodes } from "../errors.ts";
import { stopUnlessDone } from "../shell/apply.ts";
import { docker } from "../shell/engine.ts";
import { knownSecrets } from "../shell/known-secrets.ts";
import type { World } from "../world.ts";
import { type GlobalFlags, readSetting } from "./prepare.ts";

/** Shows the services' logs, redacted; with --follow until interrupted. */
export async function logs(
  world: World,
  flags: GlobalFlags & { follow: boolean; tail: string; color: boolean },
  services: readonly string[],
): Promise<ExitCode> {
  const { project, territory } = await readSetting(world, flags);
  world.reporter.hide(await knownSecrets(world, territory));
  const result = await docker(world, logsArgv(project, services, flags), {
    env: composeEnvironment({ variables: {} }, world.env),
    onOutput: (chunk, stream) => {
      if (stream === "stdout") world.reporter.stream(chunk);
    },
  });
  stopUnlessDone(result, "docker compose logs failed");
  return exitCodes.done;
}
