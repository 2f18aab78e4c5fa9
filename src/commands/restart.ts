import { composeEnvironment, restartArgv } from "../core/compose-argv.ts";
import { stopUnlessDone } from "../shell/child-failure.ts";
import { docker, projectContainers } from "../shell/engine.ts";
import { withLock } from "../shell/lock.ts";
import { waitUntilHealthy } from "../shell/verify.ts";
import type { World } from "../world.ts";
import { type GlobalFlags, readSetting } from "./prepare.ts";
import { servicesOf, stopOnUnknownServices } from "./services.ts";

/** Restarts services and waits until they are healthy again. */
export async function restart(world: World, flags: GlobalFlags, services: readonly string[]): Promise<void> {
  const { config, territory, project } = await readSetting(world, flags);
  const known = servicesOf((await projectContainers(world, project)).containers);
  stopOnUnknownServices(services, known, project);
  const names = services.length > 0 ? services : known;
  if (names.length === 0) {
    world.reporter.result(`nothing of ${project} is running`, { version: 1, exitCode: 0, services: [] });
    return;
  }
  await withLock(world, territory.statePath, "restart", () =>
    world.reporter.tasks([
      {
        title: `restart ${names.join(", ")}`,
        run: async () =>
          stopUnlessDone(
            await docker(world, restartArgv(project, services), {
              env: composeEnvironment({ variables: {} }, world.env),
            }),
            "docker compose restart failed",
          ),
      },
      {
        title: "wait until they are healthy",
        run: async (progress) => {
          await waitUntilHealthy(
            world,
            { project, services: names, waitSeconds: config.config.health.waitSeconds },
            progress,
          );
        },
      },
    ]),
  );
  world.reporter.result(`restarted ${names.join(", ")}`, { version: 1, exitCode: 0, services: names });
}
