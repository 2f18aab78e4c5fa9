import { readFileSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import { errorCode } from "../failure.ts";
import type { HostFolders } from "../policy/policy-terms.ts";
import type { Counts } from "./tally.ts";

/** What a running guard says of itself, for whoever runs it; clients never see it. */
export interface GuardStatus extends Counts {
  readonly version: 1;
  readonly state: "running" | "stopped";
  readonly startedAt: string;
  /** When this was written. Nothing has changed since, unless the guard died. */
  readonly updatedAt: string;
  readonly listen: string;
  readonly owner: string;
  readonly policy: string;
  /** What the policy gives sandboxes of the host. */
  readonly folders?: HostFolders | undefined;
  readonly apiVersion: string;
  readonly images: { readonly pinned: Readonly<Record<string, string>>; readonly missing: readonly string[] };
  readonly connections: { readonly open: number; readonly limit: number };
  readonly sandboxes: {
    readonly limit: number;
    readonly createdLastMinute: number;
    readonly createsPerMinute: number;
  };
  /** Why the audit cannot be written, and everything is refused; undefined: it can. */
  readonly auditProblem?: string;
}

/** Keeps a file up to date with what `status` says. */
export interface StatusFile {
  /** Something changed: the file follows within a second. */
  readonly changed: () => void;
  /** Writes at once, for the last time. */
  readonly finish: () => Promise<void>;
}

const delayMs = 1000;

/** Writes the file by a rename, so that a reader never sees half of it. Not being able to is complained of once. */
export function keepStatus(path: string, status: () => GuardStatus, complain: (text: string) => void): StatusFile {
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();
  let complained = false;
  const write = async (): Promise<void> => {
    try {
      await writeFile(`${path}.new`, `${JSON.stringify(status())}\n`, { mode: 0o640 });
      await rename(`${path}.new`, path);
    } catch (error) {
      if (!complained) complain(`the status file ${path} cannot be written (${errorCode(error)})`);
      complained = true;
    }
  };
  const flush = (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    writing = writing.then(write);
    return writing;
  };
  return {
    changed: () => {
      timer ??= setTimeout(() => void flush(), delayMs).unref();
    },
    finish: flush,
  };
}

/** What a guard wrote of itself; undefined where there is no such file, or something else in it. */
export function readStatus(path: string): GuardStatus | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(path, "utf8"));
    return isStatus(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isStatus(value: unknown): value is GuardStatus {
  return typeof value === "object" && value !== null && "version" in value && value.version === 1;
}
