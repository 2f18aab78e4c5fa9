import { readFile } from "node:fs/promises";

/** The start time of a process in clock ticks since boot, from /proc; undefined when there is no such process (or no /proc). */
export async function processStart(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  // The second field is the program's name in brackets and may hold spaces: count from behind it.
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
}
