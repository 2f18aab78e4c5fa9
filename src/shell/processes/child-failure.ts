import type { Finding } from "../../core/findings/finding.ts";
import { composeFailure } from "../../core/stack/compose-failures.ts";
import { dockerFailure } from "../../core/stack/docker-failures.ts";
import { DeployError, exitCodes } from "../../errors.ts";
import type { RunResult } from "../../world.ts";

/** Stops with what the child process said when it did not end well. */
export function stopUnlessDone(result: RunResult, what: string): void {
  if (result.exitCode === 0) return;
  const known = dockerFailure(result);
  const failure = known ?? composeFailure(result, []);
  const lines = result.stderr.trim().split("\n").slice(-20).join("\n");
  const finding: Finding = known ?? {
    code: "D074",
    severity: "error",
    message: `${what} (exit ${result.exitCode}):\n${lines}`,
    fix: adviceFor(lines, failure),
  };
  throw new DeployError([finding], exitCodes.failed);
}

function adviceFor(output: string, failure: Finding): string {
  if (/no space left on device/i.test(output))
    return "free disk space (docker system df shows what images and build cache take), then run it again";
  if (
    /(dial tcp|i\/o timeout|no such host|failed to resolve|TLS handshake|connection refused|failed to do request)/i.test(
      output,
    )
  ) {
    return "no image registry answers: check the network, or use --images local, which makes the images from Debian packages";
  }
  if (/port is already allocated|address already in use/i.test(output))
    return "another program took the port meanwhile: choose another one (PORT in the environment file)";
  const variable = /\bCOMPOSE_[A-Z_]+\b/.exec(output)?.[0];
  if (variable) return `correct or unset ${variable} in the environment, then run it again`;
  return failure.code === "D032"
    ? "read the lines above; run the same command again once the cause is mended"
    : (failure.fix ?? "run it again");
}
