import { auditWords } from "../core/deployment/audit.ts";
import type { Finding } from "../core/findings/finding.ts";
import { readStartLines } from "../core/progress/start-lines.ts";
import { composeEnvironment, restartArgv } from "../core/stack/compose-argv.ts";
import { DeployError } from "../errors.ts";
import { waitUntilHealthy } from "../shell/apply/verify.ts";
import { docker, projectContainers } from "../shell/engine/engine.ts";
import { stopUnlessDone } from "../shell/processes/child-failure.ts";
import { eachLine } from "../shell/processes/child-output.ts";
import type { World } from "../world.ts";
import { withChange } from "./change.ts";
import { type GlobalFlags, readSetting } from "./prepare.ts";
import { mendRotation } from "./rotation-steps.ts";
import { servicesOf, stopOnUnknownServices } from "./services.ts";

/** Restarts services and waits until they are healthy again; where nothing is deployed it refuses (D068). */
export async function restart(world: World, flags: GlobalFlags, services: readonly string[]): Promise<void> {
  await mendRotation(world, flags);
  const { config, territory, project } = await readSetting(world, flags);
  const known = servicesOf((await projectContainers(world, project)).containers);
  stopOnUnknownServices(services, known, project);
  const names = services.length > 0 ? services : known;
  if (names.length === 0) throw new DeployError([nothingToRestart(project)]);
  const change = { ...territory, project, words: auditWords("restart", flags, services), changes: true };
  await withChange(world, change, () =>
    world.reporter.tasks([
      {
        title: `restart ${names.join(", ")}`,
        run: async (progress) =>
          stopUnlessDone(
            await docker(world, restartArgv(project, services), {
              env: composeEnvironment({ variables: {} }, world.env),
              onOutput: eachLine(progress, readStartLines()),
            }),
            "docker compose restart failed",
          ),
      },
      {
        title: "wait until they are healthy",
        run: async (progress) => {
          const { waitSeconds, settleSeconds } = config.config.health;
          await waitUntilHealthy(world, { project, services: names, waitSeconds, settleSeconds }, progress);
        },
      },
    ]),
  );
  world.reporter.result(`restarted ${names.join(", ")}`, { version: 1, exitCode: 0, services: names });
}

/** A script that restarts counts on something that runs afterwards: that nothing was there is no success. */
function nothingToRestart(project: string): Finding {
  return {
    code: "D068",
    severity: "error",
    message: `nothing of ${project} is deployed, so there is nothing to restart`,
    fix: "./deploy up starts it; ./deploy status --project NAME looks at another project",
  };
}
