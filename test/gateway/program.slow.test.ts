import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { BundledProgram } from "../support/bundled-program.ts";
import { eventually } from "../support/command.ts";
import { buildGateway, type RunningGateway, startProgram } from "./support/gateway-program.ts";
import { type RedisServer, startRedis } from "./support/redis-server.ts";

let redis: RedisServer;
let program: BundledProgram;

beforeAll(async () => {
  [redis, program] = await Promise.all([startRedis(), buildGateway()]);
});
afterAll(async () => {
  await redis.remove();
  await program.remove();
});

function call(gateway: RunningGateway, path: string, body?: unknown): Promise<Response> {
  const headers = { authorization: `Bearer ${gateway.key}`, "content-type": "application/json" };
  const options = body === undefined ? { headers } : { headers, method: "POST", body: JSON.stringify(body) };
  return fetch(`${gateway.url}/api/${path}`, options);
}

async function end(gateway: RunningGateway, signal: NodeJS.Signals): Promise<number | null> {
  gateway.child.kill(signal);
  return gateway.exitCode;
}

describe("the gateway as a program", () => {
  it("consists of nothing but its own folder and packages", () => {
    const strangers = program.inputs.filter((file) => !/^(src\/gateway|node_modules)\//.test(file));
    expect(strangers).toEqual([]);
  });

  it("exits with 2 and every wrong setting when it cannot start", async () => {
    const run = program.run([], { PORT: "none", STORE_URL: "nowhere", GATEWAY_CONFIG: "/nonexistent/config.yaml" });
    expect(await run.exitCode).toBe(2);
    for (const name of ["PORT", "STORE_URL", "GATEWAY_CONFIG", "GATEWAY_API_KEY_FILE"])
      expect(run.stdout() + run.stderr()).toContain(name);
  });

  it("answers its own health check with an exit code", async () => {
    const gateway = await startProgram(program, redis);
    expect(await program.run(["healthcheck"], { PORT: String(gateway.port) }).exitCode).toBe(0);
    expect(await end(gateway, "SIGTERM")).toBe(0);
    const unanswered = program.run(["healthcheck"], { PORT: String(gateway.port) });
    expect(await unanswered.exitCode).toBe(1);
    expect(unanswered.stderr()).toContain("ECONNREFUSED");
  });

  it("lets a short run end before it stops", async () => {
    const gateway = await startProgram(program, redis);
    const begun = join(program.directory, "short");
    const code = `touch ${begun}; sleep 0.5; echo finished`;
    const running = call(gateway, "run", { language: "bash", code, timeoutSeconds: 30 });
    await eventually(() => expect(existsSync(begun)).toBe(true));
    const exit = end(gateway, "SIGTERM");
    expect(await (await running).json()).toMatchObject({ stdout: "finished\n", exitCode: 0 });
    expect(await exit).toBe(0);
  });

  it("ends a long run, answers it with 503 and exits with 0 when it is told to stop", async () => {
    const gateway = await startProgram(program, redis);
    const pidFile = join(program.directory, "pid");
    const running = call(gateway, "run", {
      language: "bash",
      code: `echo $$ > ${pidFile}; sleep 60`,
      timeoutSeconds: 60,
    });
    const pid = await eventually(async () => {
      const text = (await readFile(pidFile, "utf8")).trim();
      expect(text).not.toBe("");
      return text;
    });
    const exit = end(gateway, "SIGTERM");
    expect((await running).status).toBe(503);
    expect(await exit).toBe(0);
    expect(existsSync(`/proc/${pid}`)).toBe(false);
  });

  it("has lost nothing that it answered when it was killed", async () => {
    const first = await startProgram(program, redis);
    const answer = await call(first, "run", { language: "node", code: "console.log(6 * 7)", timeoutSeconds: 30 });
    const result: unknown = await answer.json();
    expect(result).toMatchObject({ stdout: "42\n", exitCode: 0 });
    await end(first, "SIGKILL");
    const second = await startProgram(program, redis);
    const history: unknown = await (await call(second, "history")).json();
    expect(history).toMatchObject({ runs: expect.arrayContaining([expect.objectContaining(result ?? {})]) });
    await end(second, "SIGTERM");
  });
});
