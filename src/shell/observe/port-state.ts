import { readdir, readFile, readlink } from "node:fs/promises";
import { visibleLine } from "../../core/text/visible-text.ts";
import type { PortState } from "../../world.ts";

/** Tries to listen on a TCP port and, when it is taken, looks for the process that has it. */
export async function portState(host: string, port: number): Promise<PortState> {
  const { createServer } = await import("node:net");
  const code = await new Promise<string | undefined>((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
  // Ports below 1024 and addresses that only the engine has cannot be tried here: the engine will say.
  if (code !== "EADDRINUSE") return { free: true };
  return { free: false, owner: (await processListening(port)) ?? "another program" };
}

/** Finds the listening process through /proc; undefined where that is not readable. */
async function processListening(port: number): Promise<string | undefined> {
  const tables = await Promise.all(
    ["/proc/net/tcp", "/proc/net/tcp6"].map((path) => readFile(path, "utf8").catch(() => "")),
  );
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const rows = tables.flatMap((table) => table.split("\n").map((line) => line.trim().split(/\s+/)));
  const inodes = new Set(
    rows.filter((row) => row[1]?.endsWith(suffix) && row[3] === "0A").map((row) => `socket:[${row[9]}]`),
  );
  if (inodes.size === 0) return undefined;
  const pids = (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
    const targets = await Promise.all(descriptors.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => "")));
    if (targets.some((target) => inodes.has(target))) {
      const name = await readFile(`/proc/${pid}/comm`, "utf8").catch(() => "");
      // A process gives itself a name, of any characters.
      return `${visibleLine(name.trim()) || "a program"} (process ${pid})`;
    }
  }
  return undefined;
}
