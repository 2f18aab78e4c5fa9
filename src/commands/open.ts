import { browserProgram, tunnelCommand } from "../core/browser.ts";
import type { Finding } from "../core/findings/finding.ts";
import { frontDoorOf } from "../core/public/front-door.ts";
import { DeployError } from "../errors.ts";
import { modelOf, readModelText } from "../shell/compose/compose.ts";
import { findReceipt, receiptFor } from "../shell/records/receipt.ts";
import type { World } from "../world.ts";
import { type GlobalFlags, readSetting, readStack } from "./prepare.ts";

/** Opens the stack's page in a browser; where there is none it shows how to reach the page. No key is ever part of it. */
export async function open(world: World, flags: GlobalFlags): Promise<void> {
  const { config, territory, project } = await readSetting(world, flags);
  const { receipt: last, problem } = await findReceipt(world, territory.statePath);
  if (problem) world.reporter.findings([problem], 0);
  const receipt = receiptFor(project, last);
  if (receipt === undefined || receipt.services.length === 0)
    throw noPage(`nothing of ${project} is deployed from here`);
  const url = receipt.url ?? (await plannedUrl(world, flags));
  if (url === undefined)
    throw noPage(`${config.config.compose.proxy} of ${project} publishes no port of a fixed number`);
  const { env, user, host, platform } = world;
  const desk = { env, user, host, platform };
  const program = browserProgram(desk);
  const opened = program !== undefined && (await world.launch({ program, args: [url], env }));
  const tunnel = opened ? undefined : tunnelCommand(url, desk);
  const advice = ["", "It listens on this machine only.", "On yours, run this and then open it:", "", `  ${tunnel}`];
  const lines = [url, ...(tunnel === undefined ? [] : advice)];
  // The command is one to copy: a terminal may break it, this tool may not.
  world.reporter.result({ whole: lines.join("\n") }, { version: 1, exitCode: 0, url, opened, tunnel: tunnel ?? null });
  if (!opened && tunnel === undefined) world.reporter.note("no browser was found here: open it in yours");
}

/** Earlier versions did not write down where the front door was. */
async function plannedUrl(world: World, flags: GlobalFlags): Promise<string | undefined> {
  const { stack, config } = await readStack(world, flags);
  return frontDoorOf(modelOf(await readModelText(world, stack)), config.config);
}

function noPage(message: string): DeployError {
  const fix = "./deploy up deploys the stack and says where its page is; ./deploy status shows what runs";
  const finding: Finding = { code: "D171", severity: "error", message: `there is no page to open: ${message}`, fix };
  return new DeployError([finding]);
}
