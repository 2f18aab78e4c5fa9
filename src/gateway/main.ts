// The sandbox gateway's entry. `server.js` starts it; `server.js healthcheck` asks a running one how it is.
import { readFileSync } from "node:fs";

// A stop that hangs must not wait for the engine's SIGKILL: exit before it, so that the log is complete.
const stopDeadlineMs = 9_000;

async function check(): Promise<void> {
  const { askHealth } = await import("./healthcheck.ts");
  const problem = await askHealth(Number(process.env.PORT || 8080));
  if (problem !== undefined) process.stderr.write(`${problem}\n`);
  process.exit(problem === undefined ? 0 : 1);
}

async function serve(): Promise<void> {
  const { readSettings } = await import("./settings.ts");
  const { startGateway } = await import("./gateway.ts");
  const read = readSettings(process.env, (path) => readFileSync(path, "utf8"));
  if (!read.ok) {
    const count = read.problems.length;
    process.stderr.write(`gateway: ${count} ${count === 1 ? "setting is" : "settings are"} wrong:\n`);
    for (const problem of read.problems) process.stderr.write(`  ${problem}\n`);
    process.exitCode = 2;
    return;
  }
  const starting = startGateway(read.settings, {
    write: (line) => process.stdout.write(line),
    killGroup: (groupId) => process.kill(-groupId, "SIGKILL"),
  });
  let stopping = false;
  const stop = async (): Promise<void> => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(0), stopDeadlineMs).unref();
    await (await starting).stop();
    process.exit(0);
  };
  process.on("SIGTERM", () => void stop());
  process.on("SIGINT", () => void stop());
  await starting;
}

if (process.argv[2] === "healthcheck") await check();
else await serve();
