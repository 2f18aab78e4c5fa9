// Loaded before the tool (node --import): notes every change of a name in the file system that decides what is there, in
// STOP_LOG, and kills the process just before the n-th of them, where STOP_AT says so.
import { appendFileSync } from "node:fs";
import promises from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";

const { STOP_LOG: log, STOP_AT: at } = process.env;
let count = 0;

/** The path that an operation gives another content or none. */
const target = { rename: 1, link: 1, unlink: 0, rm: 0, mkdir: 0 };

for (const [name, position] of Object.entries(target)) {
  const original = promises[name];
  promises[name] = (...args) => {
    count += 1;
    appendFileSync(log, `${name} ${args[position]}\n`);
    if (String(count) !== at) return original(...args);
    process.kill(process.pid, "SIGKILL");
    return new Promise(() => {});
  };
}
syncBuiltinESMExports();
