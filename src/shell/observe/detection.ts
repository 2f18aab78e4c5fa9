import type { ConfigFile } from "../../core/config/config.ts";
import { type DetectionInput, detectMode } from "../../core/detect/detect.ts";
import { type Detection, type Mode, modes } from "../../core/detect/mode.ts";
import type { Finding, Outcome } from "../../core/findings/finding.ts";
import { failure } from "../../core/findings/finding.ts";
import type { Source } from "../../core/findings/source.ts";
import { composeEnvironment, modelArgv } from "../../core/stack/compose-argv.ts";
import { type ComposeService, parseModel } from "../../core/stack/model.ts";
import { joinPath, type Stack, type Territory } from "../../core/stack/stack.ts";
import type { World } from "../../world.ts";
import { composeRefusal } from "../compose/compose-refusal.ts";
import { docker } from "../engine/engine.ts";

/** Makes the stack of one mode; detection asks for several when the platform's file refers to the environment. */
export type StackMaker = (mode: Mode) => Stack;

/** The platform's file as it is, or as it will be once the template has been copied. */
export async function readPlatformConfig(
  world: World,
  config: ConfigFile,
  territory: Territory,
): Promise<Source | undefined> {
  const name = config.config.platform.config;
  const text = await world.files.read(territory.platformConfigPath);
  if (text !== undefined) return { file: name, text };
  if (config.config.compose.base !== undefined) return undefined;
  const template = await world.files.read(joinPath(world.toolRoot, "templates/config.yaml"));
  return template === undefined ? undefined : { file: name, text: template };
}

/** Detects the mode; the environment that `$NAME` in the platform's file refers to is the gateway's in the merged model. */
export async function readDetection(
  world: World,
  config: ConfigFile,
  platform: Source | undefined,
  stackOf: StackMaker,
): Promise<Outcome<Detection>> {
  const input = detectionInput(config, platform);
  const blind = detectMode({ ...input, environment: undefined });
  if (!blind.findings.some(({ code }) => code === "D021")) return blind;
  const candidates = await Promise.all(modes.map(async (mode) => candidate(world, config, input, stackOf(mode), mode)));
  const [chosen] = candidates.filter(({ mode, outcome }) => outcome.ok && outcome.value.mode === mode);
  if (chosen) return chosen.outcome;
  const refused = candidates.flatMap(({ outcome }) => (outcome.ok ? [] : [outcome]));
  // The overlay of another mode may need a variable of its own: that says least.
  const telling = refused.filter(({ findings }) => !findings.some(({ code }) => code === "D031"));
  return telling[0] ?? refused[0] ?? failure(noMode(platform));
}

/** What detection needs, without an environment. */
export function detectionInput(config: ConfigFile, platform: Source | undefined): Omit<DetectionInput, "environment"> {
  const { sandbox, platform: settings } = config.config;
  const at = config.positionOf(["sandbox", "mode"]);
  const forced = sandbox.mode === "auto" ? {} : { forced: { mode: sandbox.mode, at: `${at.file}:${at.line ?? 1}` } };
  return { rules: settings.detection, ...(platform === undefined ? {} : { config: platform }), ...forced };
}

async function candidate(
  world: World,
  config: ConfigFile,
  input: Omit<DetectionInput, "environment">,
  stack: Stack,
  mode: Mode,
) {
  const result = await docker(world, modelArgv(stack), { env: composeEnvironment(stack, world.env) });
  if (result.exitCode !== 0) return { mode, outcome: failure(await composeRefusal(world, stack.files, result)) };
  const model = parseModel(JSON.parse(result.stdout));
  if (!model.ok) return { mode, outcome: model };
  const environment = model.value.services[config.config.platform.service]?.environment ?? {};
  return { mode, outcome: detectMode({ ...input, environment: revealed(environment) }) };
}

/** A variable without a value is not set in the container. */
function revealed(environment: ComposeService["environment"]): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(environment).flatMap(([name, value]) => (value === null ? [] : [[name, value.reveal()] as const])),
  );
}

function noMode(platform: Source | undefined): Finding {
  return {
    code: "D020",
    severity: "error",
    message: "no mode is consistent: with the overlays of each mode, the platform's configuration names another one",
    fix: "give the variables that it refers to the same value in every mode, or set sandbox.mode",
    ...(platform === undefined ? {} : { at: { file: platform.file } }),
  };
}
