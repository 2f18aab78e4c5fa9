import { type DetectionInput, detectMode } from "../../../src/core/detect/detect.ts";

/** The providers that DeerFlow ships, by what a configuration names. */
export const aio = "deerflow.community.aio_sandbox:AioSandboxProvider";
export const local = "deerflow.sandbox.local:LocalSandboxProvider";

/** What the configurations of these tests may refer to. */
export const environment = new Map([
  ["SANDBOX_USE", aio],
  ["PROVISIONER_URL", "http://provisioner:8002"],
  ["EMPTY", ""],
  ["DOLLAR", "$PROVISIONER_URL"],
]);

/** The mode of a configuration in DeerFlow's form. */
export function detect(text: string, more: Partial<DetectionInput> = {}) {
  return detectMode({ rules: "deer-flow", config: { file: "config.yaml", text }, environment, ...more });
}

/** The mode, or the codes of the errors that stand in its place. */
export function verdict(text: string, more: Partial<DetectionInput> = {}): string {
  const outcome = detect(text, more);
  if (outcome.ok) return outcome.value.mode;
  return outcome.findings.flatMap(({ severity, code }) => (severity === "error" ? [code] : [])).join(" ");
}

/** A configuration whose sandbox uses a provider, with further lines. */
export const sandbox = (use: string, ...lines: string[]) =>
  ["sandbox:", `  use: ${use}`, ...lines.map((line) => `  ${line}`), ""].join("\n");
