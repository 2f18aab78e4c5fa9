import { randomBytes } from "node:crypto";
import { appendFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { createFiles } from "../../../src/shell/files/files.ts";
import { withLock } from "../../../src/shell/lock/lock.ts";
import { createProcessTable } from "../../../src/shell/processes/processes.ts";
import { ask } from "../../../src/shell/processes/question.ts";
import { plainTasks } from "../../../src/terminal/plain-tasks.ts";
import { createReporter } from "../../../src/terminal/reporter.ts";
import type { Command } from "../../../src/world.ts";
import { stoppedClock } from "./stopped-clock.ts";

/**
 * A process of its own that waits for a word on stdin, takes the lock of a folder once and says so in a diary. With a project
 * it takes that one's lock on the engine as well. The witness is a name that the kernel gives to one process at a time, and
 * frees when that is killed: whoever does not get it is not alone.
 */
const [statePath = "", diary = "", project, witness] = process.argv.slice(2);
const say = (text: string) => void process.stderr.write(text);
const processes = createProcessTable(process);
const world = {
  files: createFiles(processes),
  host: "here",
  user: "tester",
  process: processes,
  now: () => new Date(),
  reporter: createReporter(
    { stdout: say, stderr: say, json: false, color: false, columns: () => undefined },
    plainTasks(false, stoppedClock),
    undefined,
  ),
  forgetEarlyAnswers: () => undefined,
  randomBytes,
  sleep: (milliseconds: number) => sleep(milliseconds),
  run: (command: Command) => ask(command),
  env: process.env,
  signal: new AbortController().signal,
};
const request = { statePath, project: project ?? "none", command: "up", changes: project !== undefined };

/** Linux alone knows names that begin with a zero byte; see unix(7). */
function listening(name: string | undefined): Promise<Server | undefined> {
  if (name === undefined) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error) => {
      appendFileSync(diary, `not alone ${error.message}\n`);
      resolve(undefined);
    });
    server.listen(`\0${name}`, () => resolve(server));
  });
}

process.stdout.write("ready\n");
process.stdin.once("data", async () => {
  process.stdin.pause();
  try {
    await withLock(world, request, async () => {
      appendFileSync(diary, `enter ${process.pid}\n`);
      const server = await listening(witness);
      await sleep(20);
      await new Promise<unknown>((resolve) => (server ? server.close(resolve) : resolve(undefined)));
      appendFileSync(diary, `leave ${process.pid}\n`);
    });
  } catch (error) {
    say(String(error));
    process.exitCode = 4;
  }
});
