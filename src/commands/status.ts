import type { Container } from "../core/container.ts";
import { judgeHealth, type ServiceHealth } from "../core/health.ts";
import type { Privilege } from "../core/privilege.ts";
import { type ExitCode, exitCodes } from "../errors.ts";
import { projectContainers } from "../shell/engine.ts";
import { livePrivileges } from "../shell/privilege-context.ts";
import { type Receipt, readReceipt } from "../shell/receipt.ts";
import type { World } from "../world.ts";
import { type GlobalFlags, readSetting } from "./prepare.ts";

/** Shows what runs, read from the live containers; exit 1 when something of the last deployment is not healthy. */
export async function status(world: World, flags: GlobalFlags): Promise<ExitCode> {
  const { config, territory, project } = await readSetting(world, flags);
  const [{ containers, sandboxes }, receipt] = await Promise.all([
    projectContainers(world, project, config.config.sandbox.namePrefix),
    readReceipt(world, territory.statePath),
  ]);
  const running = [...new Set(containers.flatMap(({ service }) => service ?? []))];
  const services = [...new Set([...(receipt?.services ?? []), ...running])].toSorted();
  const health = judgeHealth(services, containers);
  const privileges = await livePrivileges(world, territory.root, [...containers, ...sandboxes]);
  const down = containers.length === 0;
  const exitCode = down || health.every(({ kind }) => kind === "ready") ? exitCodes.done : exitCodes.failed;
  world.reporter.result(
    down ? `nothing of ${project} is running` : statusText(project, receipt, health, containers, sandboxes, privileges),
    {
      version: 1,
      exitCode,
      project,
      mode: receipt?.mode ?? null,
      because: receipt?.because ?? null,
      deployedAt: receipt?.time ?? null,
      services: health.map((each) => serviceDocument(each, containers)),
      sandboxes: sandboxes.map(({ name }) => name),
      privileges: privileges.map(({ service, kind, detail }) => ({ service, kind, detail })),
    },
  );
  return exitCode;
}

function serviceDocument(health: ServiceHealth, containers: readonly Container[]) {
  const container = containers.find(({ service }) => service === health.service);
  return {
    service: health.service,
    health: health.kind,
    reason: health.kind === "ready" ? null : health.reason,
    container: container?.name ?? null,
    image: container?.image ?? null,
  };
}

function statusText(
  project: string,
  receipt: Receipt | undefined,
  health: readonly ServiceHealth[],
  containers: readonly Container[],
  sandboxes: readonly Container[],
  privileges: readonly Privilege[],
): string {
  const width = Math.max(...health.map(({ service }) => service.length));
  const lines = [
    `project   ${project}`,
    receipt
      ? `mode      ${receipt.mode} (${receipt.because})`
      : "mode      unknown: this folder has no receipt of a deployment",
    ...(receipt ? [`deployed  ${receipt.time} by ${receipt.who} with sandbox-deploy ${receipt.toolVersion}`] : []),
    "",
    ...health.map((each) => {
      const image = containers.find(({ service }) => service === each.service)?.image ?? "no container";
      return `  ${each.service.padEnd(width)}  ${each.kind === "ready" ? "healthy" : `${each.kind}: ${each.reason}`}  ${image}`;
    }),
    "",
    `sandboxes ${sandboxes.length === 0 ? "none" : sandboxes.map(({ name }) => name).join(", ")}`,
    "privileges held by running containers",
    ...(privileges.length === 0
      ? ["  none"]
      : privileges.map(
          ({ service, kind, detail, consent }) =>
            `  ${service}  ${kind}  ${detail}${consent ? `  reaches the host: ${consent}` : ""}`,
        )),
  ];
  return lines.join("\n");
}
