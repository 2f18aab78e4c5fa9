import { readdir, readFile } from "node:fs/promises";
import { ask } from "./question.ts";

type Family = ReadonlyMap<number, readonly number[]>;

/** Kills every process that this one has started, and what those have started: nothing of them can refuse. */
export async function endDescendants(self: Pick<NodeJS.Process, "pid" | "kill" | "env">): Promise<void> {
  const children = (await familyFromProc()) ?? (await familyFromPs(self.env));
  for (const pid of descendantsOf(children, self.pid)) {
    try {
      self.kill(pid, "SIGKILL");
    } catch {
      // It has ended meanwhile.
    }
  }
}

/** All below a process, the nearest first, so that none of them can start another one unseen once its parent is killed. */
function descendantsOf(children: Family, pid: number): number[] {
  const found = [pid];
  for (const each of found) found.push(...(children.get(each) ?? []));
  return found.slice(1);
}

function familyOf(pairs: readonly (readonly [pid: number, parent: number])[]): Family {
  const children = new Map<number, number[]>();
  for (const [pid, parent] of pairs) children.set(parent, [...(children.get(parent) ?? []), pid]);
  return children;
}

/** Undefined where the system has no /proc. */
async function familyFromProc(): Promise<Family | undefined> {
  const names = await readdir("/proc").catch((): string[] => []);
  const pids = names.filter((name) => /^\d+$/.test(name));
  if (pids.length === 0) return undefined;
  const stats = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/stat`, "utf8").catch(() => "")));
  // The second field is the program's name and may hold spaces; the parent is the second one behind it.
  const parents = stats.map((stat) => Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]));
  return familyOf(pids.map((pid, index) => [Number(pid), parents[index] ?? Number.NaN]));
}

async function familyFromPs(env: NodeJS.ProcessEnv): Promise<Family> {
  const { stdout } = await ask({ program: "ps", args: ["-A", "-o", "pid=,ppid="], env });
  const rows = stdout.split("\n").map((line) => line.trim().split(/\s+/).map(Number));
  return familyOf(rows.map(([pid = Number.NaN, parent = Number.NaN]) => [pid, parent]));
}
