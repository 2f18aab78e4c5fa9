import { configSchema } from "../core/config-schema.ts";
import { planDocument } from "../core/plan-document.ts";
import { type DownFacts, planDown } from "../core/plan-down.ts";
import { planText } from "../core/plan-text.ts";
import { folderOf, territoryOf } from "../core/stack.ts";
import { DeployError } from "../errors.ts";
import { FileReadError } from "../files.ts";
import { downTasks } from "../shell/apply.ts";
import { projectContainers, projectResources } from "../shell/engine.ts";
import { hideKnownSecrets } from "../shell/known-secrets.ts";
import { withLock } from "../shell/lock.ts";
import { livePrivileges } from "../shell/privilege-context.ts";
import { clearReceipt, readReceipt } from "../shell/receipt.ts";
import type { World } from "../world.ts";
import { consent } from "./consent.ts";
import { configPathOf, type GlobalFlags, readSetting, statePathOf } from "./prepare.ts";

/** Removes the stack by its project name: containers, networks, sandboxes and, when asked, volumes. Needs no readable configuration. */
export async function down(world: World, flags: GlobalFlags & { volumes?: boolean }): Promise<void> {
  const statePath = statePathOf(world, flags);
  const { project, namePrefix } = await projectOf(world, flags, statePath);
  const facts = await readDownFacts(world, project, namePrefix, folderOf(configPathOf(world, flags)));
  const plan = planDown(facts, { volumes: flags.volumes ?? false, confirmed: flags.yes ?? false });
  if (plan.steps.length > 0 && !flags.json) world.reporter.note(planText(plan));
  await consent(world, plan.questions);
  if (plan.steps.length > 0) {
    await withLock(world, statePath, "down", async () => {
      await world.reporter.tasks(downTasks(world, plan, { project, namePrefix }));
      await clearReceipt(world, statePath);
    });
  }
  const kept =
    flags.volumes || facts.volumes.length === 0
      ? []
      : [`kept: the data in ${facts.volumes.join(", ")} (down --volumes deletes it)`];
  const done = plan.steps.length === 0 ? `nothing of ${project} is running` : `${project} is down`;
  world.reporter.result([done, ...kept].join("\n"), {
    version: 1,
    exitCode: 0,
    changed: plan.steps.length > 0,
    volumesKept: flags.volumes ? [] : facts.volumes,
    plan: planDocument(plan),
  });
}

/** The project's name: from the flag, the configuration, the last receipt, or the default, whichever can be read. */
async function projectOf(
  world: World,
  flags: GlobalFlags,
  statePath: string,
): Promise<{ project: string; namePrefix: string | undefined }> {
  try {
    const { project, config } = await readSetting(world, flags);
    return { project, namePrefix: config.config.sandbox.namePrefix };
  } catch (error) {
    if (!(error instanceof DeployError || error instanceof FileReadError)) throw error;
    const defaults = configSchema.parse({ version: 1 });
    const { envFile } = flags;
    await hideKnownSecrets(world, territoryOf(defaults, configPathOf(world, flags), world.home, envFile));
    const receipt = await readReceipt(world, statePath);
    const project = flags.project ?? receipt?.project ?? defaults.project;
    world.reporter.note(
      `the configuration cannot be read, so the project's name is ${receipt && !flags.project ? "taken from the last deployment" : "assumed"}: ${project}`,
    );
    return { project, namePrefix: undefined };
  }
}

async function readDownFacts(
  world: World,
  project: string,
  namePrefix: string | undefined,
  projectRoot: string,
): Promise<DownFacts> {
  const [{ containers, sandboxes }, networks, volumes] = await Promise.all([
    projectContainers(world, project, namePrefix),
    projectResources(world, "network", project),
    projectResources(world, "volume", project),
  ]);
  const privileges = await livePrivileges(world, projectRoot, [...containers, ...sandboxes]);
  return { project, containers, sandboxes, networks, volumes, privileges };
}
