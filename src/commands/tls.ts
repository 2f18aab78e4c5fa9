import { doorFindings, doorText } from "../core/public/door-report.ts";
import { DeployError, type ExitCode, exitCodes } from "../errors.ts";
import { projectContainers } from "../shell/engine/engine.ts";
import { readInternalRoot } from "../shell/network/door-trust.ts";
import { readDoorReport } from "../shell/network/tls-client.ts";
import type { World } from "../world.ts";
import { type GlobalFlags, readSetting } from "./prepare.ts";

/** Shows the front door's certificate as a client sees it, or prints the root of the stack's own CA. */
export async function tls(world: World, flags: GlobalFlags, [action]: readonly string[]): Promise<ExitCode> {
  switch (action) {
    case "status":
      return showStatus(world, flags);
    case "root":
      return showRoot(world, flags);
    default:
      throw new Error(`tls ${action} is in the table but has no story`);
  }
}

async function showStatus(world: World, flags: GlobalFlags): Promise<ExitCode> {
  const { config, territory, project, namePrefix } = await readSetting(world, flags);
  const { containers } = await projectContainers(world, project, namePrefix);
  const report = await readDoorReport(world, config.config, territory, containers);
  if (report === undefined) {
    const { compose, public: wanted } = config.config;
    const text =
      compose.base !== undefined && wanted.tls !== "off"
        ? "compose.base names another stack, and its proxy publishes no HTTPS: TLS ends before it, or nowhere"
        : "public.tls is off: the front door has no certificate";
    world.reporter.result(text, {
      version: 1,
      exitCode: 0,
      door: null,
    });
    return exitCodes.done;
  }
  const now = world.now().getTime();
  const findings = doorFindings(report, now);
  const exitCode = findings.some(({ severity }) => severity === "error") ? exitCodes.failed : exitCodes.done;
  world.reporter.result((columns) => doorText(report, now, columns), { version: 1, exitCode, door: report, findings });
  if (findings.length > 0) world.reporter.findings(findings, exitCodes.done);
  return exitCode;
}

/** Printed, so that it goes to a file or into a program that installs it. */
async function showRoot(world: World, flags: GlobalFlags): Promise<ExitCode> {
  const { config, project, namePrefix } = await readSetting(world, flags);
  if (config.config.public.tls !== "internal" || config.config.compose.base !== undefined)
    throw new DeployError([
      {
        code: "D128",
        severity: "error",
        message: `public.tls is ${config.config.public.tls}${config.config.compose.base === undefined ? "" : " and the proxy that of compose.base"}: only internal, with the proxy of the default stack, has a CA of this stack's own`,
        fix: "nothing has to be installed for a certificate of another authority",
        at: config.positionOf(["public", "tls"]),
      },
    ]);
  const { containers } = await projectContainers(world, project, namePrefix);
  const root = await readInternalRoot(world, config.config, containers);
  if (root === undefined)
    throw new DeployError([
      {
        code: "D128",
        severity: "error",
        message: "the proxy does not run, or has made no CA yet",
        fix: "./deploy up starts it",
      },
    ]);
  world.reporter.result(root.trimEnd(), { version: 1, exitCode: 0, root });
  return exitCodes.done;
}
