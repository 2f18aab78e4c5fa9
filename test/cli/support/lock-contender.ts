import { appendFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { createFiles } from "../../../src/shell/files.ts";
import { withLock } from "../../../src/shell/lock.ts";
import { createProcessTable } from "../../../src/shell/processes.ts";
import { plainTasks } from "../../../src/terminal/plain-tasks.ts";
import { createReporter } from "../../../src/terminal/reporter.ts";

/** A process of its own that waits for a word on stdin, takes the lock of a folder once and says so in a diary. */
const [statePath = "", diary = ""] = process.argv.slice(2);
const say = (text: string) => void process.stderr.write(text);
const processes = createProcessTable(process);
const world = {
  files: createFiles(processes),
  host: "here",
  user: "tester",
  process: processes,
  now: () => new Date(),
  reporter: createReporter(
    { stdout: say, stderr: say, json: false, color: false },
    plainTasks(false, () => 0),
    undefined,
  ),
  forgetEarlyAnswers: () => undefined,
};
process.stdout.write("ready\n");
process.stdin.once("data", async () => {
  process.stdin.pause();
  try {
    await withLock(world, statePath, "up", async () => {
      appendFileSync(diary, `enter ${process.pid}\n`);
      await sleep(20);
      appendFileSync(diary, `leave ${process.pid}\n`);
    });
  } catch (error) {
    say(String(error));
    process.exitCode = 4;
  }
});
