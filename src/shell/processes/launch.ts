import { spawn } from "node:child_process";
import type { Command } from "../../world.ts";

/** A program that cannot do its work says so sooner. */
const soonMilliseconds = 1_500;

/**
 * Starts a program that goes on when this one has ended, with nothing of its terminal; false where it is not there, or fails
 * soon.
 */
export function launch({ program, args, env, cwd }: Command): Promise<boolean> {
  return new Promise((resolve) => {
    const options = { env, detached: true, stdio: "ignore", ...(cwd === undefined ? {} : { cwd }) } as const;
    const child = spawn(program, [...args], options);
    const soon = setTimeout(() => settle(true), soonMilliseconds);
    const settle = (started: boolean) => {
      clearTimeout(soon);
      child.unref();
      resolve(started);
    };
    child.on("error", () => settle(false));
    child.on("exit", (exitCode) => settle(exitCode === 0));
  });
}
