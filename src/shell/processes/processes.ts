import { readFile, readlink } from "node:fs/promises";
import type { Machine } from "../../core/deployment/lock-holder.ts";
import type { ProcessTable } from "../../world.ts";
import { sha256 } from "../files/fingerprint.ts";

/** Builds what is known about the processes of this host, as seen by `self`. */
export function createProcessTable(self: Pick<NodeJS.Process, "pid" | "kill">): ProcessTable {
  return {
    pid: self.pid,
    startOf: processStart,
    async isRunning(pid) {
      if (!answersSignals(self, pid)) return false;
      const state = (await processFields(pid))?.[0];
      return state !== "Z" && state !== "X";
    },
    machine: readMachine,
  };
}

/** From proc(5), pid_namespaces(7) and machine-id(5), which asks that the id itself is shown to nobody. */
async function readMachine(): Promise<Machine> {
  const [boot, namespace, id] = await Promise.all([
    readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => ""),
    readlink("/proc/self/ns/pid").catch(() => ""),
    readFile("/etc/machine-id", "utf8").catch(() => ""),
  ]);
  const hashed = id.trim() === "" ? "" : sha256(`sandbox-deploy:${id.trim()}`).slice(0, 16);
  return { boot: boot.trim(), namespace, id: hashed };
}

/** The start time of a process in clock ticks since boot, from /proc; undefined when there is no such process (or no /proc). */
export async function processStart(pid: number): Promise<string | undefined> {
  return (await processFields(pid))?.[19];
}

/** A refusal (EPERM) comes from a process that is there and belongs to somebody else. */
function answersSignals(self: Pick<NodeJS.Process, "kill">, pid: number): boolean {
  try {
    return self.kill(pid, 0);
  } catch (error) {
    return !(error instanceof Error && "code" in error && error.code === "ESRCH");
  }
}

/** The fields of /proc/<pid>/stat from the state on; the second one before is the program's name and may hold spaces. */
async function processFields(pid: number): Promise<string[] | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
}
