import { type Finding, failure, type Outcome, success } from "../findings/finding.ts";
import type { Source } from "../findings/source.ts";
import { detectDeerFlow } from "./detect-deer-flow.ts";
import { applyRules } from "./detect-rules.ts";
import { type DetectionRules, readsPlatformFile } from "./detection-rules.ts";
import type { Detection, Mode } from "./mode.ts";
import {
  checkReferences,
  type GatewayEnvironment,
  type PlatformConfig,
  readPlatformConfig,
} from "./platform-config.ts";

/** What the mode is decided from. */
export interface DetectionInput {
  readonly rules: DetectionRules;
  /** The platform's configuration file; undefined where there is none to read. */
  readonly config?: Source | undefined;
  /** The environment of the gateway's container; undefined where it is not known. */
  readonly environment: GatewayEnvironment;
  /** The mode that the operator fixed, and where, such as `deploy.config.yaml:9`. */
  readonly forced?: { readonly mode: Mode; readonly at: string } | undefined;
}

/**
 * Decides the sandbox mode, with its because, as the platform's runtime would. A file that the platform would refuse is
 * an error even where the mode is forced: the platform would not start. Of two readings the lesser grant is never exceeded.
 */
export function detectMode(input: DetectionInput): Outcome<Detection> {
  const detected = detectUnforced(input);
  return input.forced ? applyForced(input, input.forced, detected) : detected;
}

function detectUnforced({ rules, config: source, environment }: DetectionInput): Outcome<Detection> {
  if (!source && readsPlatformFile(rules)) {
    return failure({
      code: "D024",
      severity: "error",
      message: "the mode is read from the platform's configuration file, and there is none",
      fix: "name the file, or fix the mode in deploy.config.yaml",
    });
  }
  const read = source && readsPlatformFile(rules) ? readPlatformConfig(source) : undefined;
  if (read && !read.ok) return read;
  const detected = decide(rules, read?.value, environment);
  const findings = [...(read?.findings ?? []), ...detected.findings];
  return detected.ok ? success(detected.value, findings) : failure(...findings);
}

function decide(
  rules: DetectionRules,
  config: PlatformConfig | undefined,
  environment: GatewayEnvironment,
): Outcome<Detection> {
  const platform = config ?? { source: { file: "", text: "" }, entries: [] };
  if (rules === "deer-flow") return detectDeerFlow(platform, environment);
  const applied = applyRules({ rules, config, environment });
  if (!applied.ok) return applied;
  if (!applied.value) {
    return rules.default === "deer-flow" ? detectDeerFlow(platform, environment) : fallBack(rules.default);
  }
  // A rule before the built-in ones replaces their verdict on the provider, not what keeps DeerFlow from starting.
  const findings = rules.default === "deer-flow" ? checkReferences(platform, environment) : [];
  return findings.some(isError) ? failure(...findings) : success(applied.value, findings);
}

function fallBack(mode: Mode | undefined): Outcome<Detection> {
  if (mode) return success({ mode, because: { text: "no detection rule holds: the default", rule: "default" } });
  const because = { text: "no detection rule holds, and there is no default", rule: "none" };
  return success({ mode: "local", because }, [
    {
      code: "D023",
      severity: "warning",
      message: "no detection rule holds; mode local is assumed, which grants least",
      fix: "add a rule for what this platform's configuration says, or a default",
    },
  ]);
}

function applyForced(
  input: DetectionInput,
  { mode, at }: { readonly mode: Mode; readonly at: string },
  detected: Outcome<Detection>,
): Outcome<Detection> {
  const findings = detected.findings.flatMap((finding) => relax(finding, input));
  if (findings.some(isError)) return failure(...findings);
  const forced = { rule: "forced", value: mode, ...splitPlace(at) };
  if (!detected.ok || detected.value.mode === mode) {
    return success({ mode, because: { text: `forced by ${at}`, ...forced } }, findings);
  }
  const { mode: other, because } = detected.value;
  const differs: Finding = {
    code: "D025",
    severity: "warning",
    message: `mode ${mode} is forced by ${at}, but the platform's configuration says ${other}: ${because.text}`,
    fix: "set the mode to auto, or change the platform's configuration",
    at: { file: forced.file, ...("line" in forced ? { line: forced.line } : {}) },
  };
  return success({ mode, because: { text: `forced by ${at} (detected: ${other})`, ...forced } }, [
    ...findings,
    differs,
  ]);
}

/** A forced mode needs no verdict: what only kept detection from deciding becomes a note or is left out. */
function relax(finding: Finding, { config, environment }: DetectionInput): readonly Finding[] {
  if (finding.code === "D023" || (finding.code === "D024" && !config)) return [];
  if (finding.code === "D021" && environment === undefined) return [{ ...finding, severity: "info" }];
  return [finding];
}

function splitPlace(at: string): { readonly file: string; readonly line?: number } {
  const [, file, line] = /^(.*?):([0-9]+)(?::[0-9]+)?$/.exec(at) ?? [];
  return file === undefined ? { file: at } : { file, line: Number(line) };
}

function isError({ severity }: Finding): boolean {
  return severity === "error";
}
