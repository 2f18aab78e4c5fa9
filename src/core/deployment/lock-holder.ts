import "../schema-settings.ts";
import * as z from "zod";
import type { Finding } from "../findings/finding.ts";
import { durationText } from "../text/duration.ts";

const machineSchema = z.object({
  /** Of the running kernel: another one means that every process of before is gone, or that it is another machine. */
  boot: z.string(),
  /** In which numbering of processes a number counts. */
  namespace: z.string(),
  /** Of the installed system, hashed. */
  id: z.string(),
});

/** What tells one machine, and one start of it, from another; each part is empty where the system does not tell. */
export type Machine = z.infer<typeof machineSchema>;

const nowhere: Machine = { boot: "", namespace: "", id: "" };

const holderSchema = z.object({
  host: z.string(),
  pid: z.int().positive(),
  /** Empty where the system does not tell when a process began. */
  started: z.string(),
  user: z.string(),
  command: z.string(),
  since: z.string(),
  // Locks of earlier versions have none of the following.
  /** `since` in milliseconds since 1970. */
  at: z.number().optional(),
  /** Random, and never used twice. */
  token: z.string().default(""),
  project: z.string().default(""),
  folder: z.string().default(""),
  machine: machineSchema.default(nowhere),
});

/** Who holds a lock. */
export type Holder = z.infer<typeof holderSchema>;

/** Whether the process that holds a lock still runs; `unknown` where nobody can tell from here. */
export type Fate = "alive" | "dead" | "unknown";

/** A lock that is there. */
export interface Holding {
  /** A path, or a volume on the engine. */
  readonly where: string;
  readonly fate: Fate;
  /** Left out where the lock does not tell; then its fate is unknown. */
  readonly holder?: Holder;
}

/** Reads who holds a lock; undefined where the text is not one that this tool wrote. */
export function parseHolder(text: string): Holder | undefined {
  try {
    return holderSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/**
 * Where a holder's process was started, seen from here: `here`, where its number can be looked up; `gone`, on this machine
 * before it was started anew; or `elsewhere`, of which nothing is known.
 */
export function placeOf(holder: Holder, host: string, machine: Machine): "here" | "gone" | "elsewhere" {
  const { boot, namespace, id } = holder.machine;
  if (boot === "" || machine.boot === "") return holder.host === host ? "here" : "elsewhere";
  if (boot === machine.boot) return namespace === machine.namespace ? "here" : "elsewhere";
  return holder.host === host && id !== "" && id === machine.id ? "gone" : "elsewhere";
}

/** Which of two holders comes first where both try at the same time: the earlier one, or else the one whose token is smaller. */
export function isBefore(left: Holder, right: Holder): boolean {
  const [a, b] = [left.at ?? 0, right.at ?? 0];
  return a === b ? left.token < right.token : a < b;
}

/** Who holds a lock, what for and how long already, in words; `now` in milliseconds since 1970. */
export function holderText({ where, holder }: Holding, now: number): string {
  if (holder === undefined) return `${where} does not tell by whom`;
  const { user, command, since, at, pid, host, folder } = holder;
  const age =
    at === undefined ? "" : now < at ? " (by a clock ahead of this one)" : ` (${durationText((now - at) / 1000)})`;
  const place = folder === "" ? "" : `, in ${folder}`;
  return `${user} runs \`${command}\` since ${since}${age}, process ${pid} on ${host}${place}`;
}

/** The finding for a command that is turned away by this lock. */
export function heldFinding(holding: Holding, now: number): Finding {
  const { holder, fate } = holding;
  const doubt = holder !== undefined && fate === "unknown" ? "; from here nobody can tell whether it still does" : "";
  return {
    code: "D063",
    severity: "error",
    message: `the lock is held: ${holderText(holding, now)}${doubt}`,
    fix:
      fate === "unknown"
        ? "wait until it ends (--lock-wait SECONDS); if it is certain that nothing deploys there any more: ./deploy unlock --force"
        : "wait until it ends; --lock-wait SECONDS waits for you, ./deploy unlock shows more",
  };
}
