import type { Refusal } from "../decision/decision.ts";
import { type Reading, read } from "./reading.ts";

/** Below it, starting a container took a whole HostConfig. */
export const floorVersion = "1.24";

/** The API version that a request is sent on with: the client's own where the engine has it, and else the engine's. */
export function readVersion(requested: string | undefined, engine: string): Reading<string> {
  if (requested === undefined) return read(engine);
  if (!isAtLeast(requested, floorVersion))
    return refused(
      "target.version-old",
      `client version ${requested} is too old. Minimum supported API version is ${floorVersion}, please upgrade your client to a newer version`,
    );
  if (!isAtLeast(engine, requested))
    return refused(
      "target.version-new",
      `client version ${requested} is too new. Maximum supported API version is ${engine}`,
    );
  return read(requested);
}

/** Whether an API version is this one or a later one. What is no version is neither. */
export function isAtLeast(version: string, other: string): boolean {
  return minor(version) >= minor(other);
}

function minor(version: string): number {
  return Number(/^1\.(\d{2,3})$/.exec(version)?.[1]);
}

/** Docker's own words, which clients know. */
function refused(rule: string, message: string): Refusal {
  return { kind: "deny", rule, status: 400, message, notes: {} };
}
