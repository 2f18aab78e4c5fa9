import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import * as z from "zod";
import { openStore } from "../../src/gateway/store.ts";
import { eventually } from "../support/command.ts";
import { apiKey, type GatewayRig, outcomeOf, refused, startRig } from "./support/gateway-rig.ts";
import { type RedisServer, startRedis } from "./support/redis-server.ts";

let redis: RedisServer;
let rig: GatewayRig;

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis?.remove());
beforeEach(async () => {
  await redis.start();
  await redis.flush();
  rig = await startRig(redis);
});
afterEach(() => rig.close());

const historySchema = z.object({ runs: z.array(z.object({ id: z.string(), code: z.string(), stdout: z.string() })) });

async function historyOf(from: GatewayRig) {
  return historySchema.parse((await from.get("/api/history")).json()).runs;
}

const hello = { language: "bash", code: "echo hello", timeoutSeconds: 5 };

describe("authentication", () => {
  it.each(["/api/sandbox", "/api/history", "/api/run", "/api/nothing"])(
    "%s answers nobody without the key",
    async (url) => {
      const headers = [{}, { authorization: "" }, { authorization: "Bearer" }, { authorization: `Basic ${apiKey}` }];
      const wrong = [`Bearer ${apiKey}x`, `Bearer ${apiKey.slice(1)}`, "Bearer  ", apiKey].map((authorization) => ({
        authorization,
      }));
      for (const header of [...headers, ...wrong]) {
        const method = url === "/api/run" ? "POST" : "GET";
        const answer = await rig.app.inject({
          method,
          url,
          headers: header,
          ...(method === "POST" ? { payload: hello } : {}),
        });
        expect(answer.statusCode).toBe(401);
        expect(answer.headers["www-authenticate"]).toContain("Bearer");
      }
      expect(rig.provider.asked).toEqual([]);
    },
  );

  it("lets holders of the key in", async () => {
    expect((await rig.get("/api/sandbox")).statusCode).toBe(200);
    expect((await rig.get("/api/nothing")).statusCode).toBe(404);
  });
});

describe("a run", () => {
  it("answers with the outcome, an id and the time it took", async () => {
    const answer = await rig.post(hello);
    expect(answer.statusCode).toBe(200);
    expect(answer.json()).toEqual({
      ...outcomeOf("done\n"),
      id: expect.stringMatching(/^[0-9a-f]{16}$/),
      durationMs: expect.any(Number),
    });
    expect(rig.provider.asked).toEqual([expect.objectContaining(hello)]);
    expect(answer.headers["cache-control"]).toBe("no-store");
  });

  it.each([
    ["an unknown field", { ...hello, image: "evil" }, 'unknown field "image"'],
    ["an unknown language", { ...hello, language: "perl" }, "language must be one of bash, python, node"],
    ["no language", { code: "x" }, "language must be one of"],
    ["no code", { language: "bash" }, "code must be a string"],
    ["code that is no string", { ...hello, code: ["x"] }, "code must be a string"],
    ["empty code", { ...hello, code: "" }, "code must not be empty"],
    ["a NUL in the code", { ...hello, code: "a\0b" }, "NUL"],
    ["a time limit of zero", { ...hello, timeoutSeconds: 0 }, "from 1 to 60"],
    ["a time limit beyond the limit", { ...hello, timeoutSeconds: 61 }, "from 1 to 60"],
    ["a time limit that is no whole number", { ...hello, timeoutSeconds: 1.5 }, "from 1 to 60"],
    ["a time limit as text", { ...hello, timeoutSeconds: "5" }, "from 1 to 60"],
    ["a list", [hello], "must be a JSON object"],
    ["null", null, "must be a JSON object"],
    ["no JSON", '{"language":', "not valid JSON"],
    ["an empty body", "", "not valid JSON"],
  ])("is refused with 400 and a clear text for %s", async (_what, body, text) => {
    const answer = await rig.post(body);
    expect(answer.statusCode).toBe(400);
    expect(answer.json().error).toContain(text);
    expect(rig.provider.asked).toEqual([]);
  });

  it("names every problem of a body at once", async () => {
    const answer = await rig.post({ language: "perl", code: 1, timeoutSeconds: 0, x: 1 });
    expect(answer.json().problems).toHaveLength(4);
  });

  it("is refused with 413 when the code or the body is too large", async () => {
    const tooMuchCode = await rig.post({ ...hello, code: "€".repeat(200) });
    expect([tooMuchCode.statusCode, tooMuchCode.json().error]).toEqual([413, "code has 600 bytes; the limit is 500"]);
    expect((await rig.post({ ...hello, code: "x".repeat(100_000) })).statusCode).toBe(413);
    expect(rig.provider.asked).toEqual([]);
  });

  it("takes code up to the limit however much its JSON is escaped", async () => {
    const code = "\u0001".repeat(500);
    expect((await rig.post({ ...hello, code })).statusCode).toBe(200);
    expect(rig.provider.asked[0]?.code).toBe(code);
  });

  it("passes a provider's refusal on", async () => {
    rig.provider.answer = refused;
    const answer = await rig.post(hello);
    expect([answer.statusCode, answer.json()]).toEqual([403, { error: "not allowed here" }]);
    expect(await historyOf(rig)).toEqual([]);
  });

  it("that fails in an unforeseen way shows nothing of the reason to the client", async () => {
    rig.provider.answer = () => Promise.reject(new Error("internal detail"));
    const answer = await rig.post(hello);
    expect(answer.statusCode).toBe(500);
    expect(answer.body).not.toContain("internal detail");
    expect(rig.log.join("")).toContain("internal detail");
  });

  it("beyond the number that may go on at a time gets 429, and its place is free again afterwards", async () => {
    const ending: (() => void)[] = [];
    rig.provider.answer = () => new Promise((resolve) => ending.push(() => resolve(outcomeOf("slow"))));
    const running = [rig.post(hello), rig.post(hello)].map((request) => request.then((answer) => answer.statusCode));
    await eventually(() => expect(ending).toHaveLength(2));
    const refusedNow = await rig.post(hello);
    expect([refusedNow.statusCode, refusedNow.headers["retry-after"]]).toEqual([429, "1"]);
    for (const end of ending) end();
    expect(await Promise.all(running)).toEqual([200, 200]);
    rig.provider.answer = async () => outcomeOf("fast");
    expect((await rig.post(hello)).statusCode).toBe(200);
  });

  it("is ended when the gateway stops, and none begins after that", async () => {
    rig.provider.answer = (_request, signal) =>
      new Promise((resolve) => signal.addEventListener("abort", () => resolve(outcomeOf("ended"))));
    const running = rig.post(hello).then((answer) => answer.json().stdout);
    await eventually(() => expect(rig.provider.asked).toHaveLength(1));
    rig.runs.stop(0);
    expect(await running).toBe("ended");
    expect((await rig.post(hello)).statusCode).toBe(503);
    expect(rig.provider.asked).toHaveLength(1);
  });
});

describe("the history", () => {
  it("holds a run before its answer is given, so that a restart loses nothing that was answered", async () => {
    const { id } = (await rig.post(hello)).json();
    await redis.stop();
    await redis.start();
    const next = await startRig(redis);
    expect(await historyOf(next)).toEqual([expect.objectContaining({ id, code: "echo hello", stdout: "done\n" })]);
    await next.close();
  });

  it("shows the newest first, 200 at most, with code and output cut to a few kilobytes", async () => {
    const ranIn = outcomeOf("").ranIn;
    const entry = {
      ...outcomeOf("x".repeat(9000)),
      ranIn,
      language: "bash",
      code: "y".repeat(9000),
      durationMs: 1,
    } as const;
    for (let index = 0; index < 205; index += 1) {
      await rig.store.appendHistory({ ...entry, id: String(index), startedAt: new Date(index).toISOString() });
    }
    const runs = await historyOf(rig);
    expect(runs.map((run) => run.id)).toEqual(Array.from({ length: 200 }, (_, index) => String(204 - index)));
    expect([runs[0]?.code.length, runs[0]?.stdout.length]).toEqual([4096, 4096]);
  });

  it("leaves out an entry that another version wrote differently", async () => {
    await rig.store.connection.lpush("sandbox-gateway:history", '{"id":"old"}', "no json");
    await rig.post(hello);
    expect(await historyOf(rig)).toHaveLength(1);
  });
});

describe("without its store", () => {
  it("the gateway runs nothing, says why, and works again when the store is back", async () => {
    await redis.stop();
    await eventually(async () => expect((await rig.app.inject("/health")).statusCode).toBe(503));
    expect((await rig.app.inject("/health")).json()).toMatchObject({
      status: "unavailable",
      reason: expect.stringContaining("the store is not available"),
    });
    const answer = await rig.post(hello);
    expect([answer.statusCode, answer.json().error]).toEqual([
      503,
      expect.stringContaining("the store is not available"),
    ]);
    expect((await rig.get("/api/history")).statusCode).toBe(503);
    expect(rig.provider.asked).toEqual([]);
    await redis.start();
    await eventually(async () => expect((await rig.post(hello)).statusCode).toBe(200));
  });

  it("a run that could not be recorded is not answered as if it were", async () => {
    rig.provider.answer = async () => {
      await redis.stop();
      return outcomeOf("lost");
    };
    const answer = await rig.post(hello);
    expect([answer.statusCode, answer.json().error]).toEqual([503, expect.stringContaining("could not be recorded")]);
    expect(answer.body).not.toContain("lost");
  });

  it("the reason names a refused password and never shows one", async () => {
    const reasons: string[] = [];
    const store = openStore({ ...redis.settings, password: "wrong-password" }, (reason) => reasons.push(reason));
    await eventually(() => expect(reasons.join()).toMatch(/WRONGPASS/));
    const failure = await store.check().catch((error: unknown) => String(error));
    expect(failure).toMatch(/WRONGPASS/);
    expect(failure).not.toContain("wrong-password");
    await store.close();
  });
});

describe("the rate limit", () => {
  it("survives a restart of the gateway, because it is kept in the store", async () => {
    const first = await startRig(redis, { rateLimitPerMinute: 2 });
    expect([(await first.post(hello)).statusCode, (await first.post(hello)).statusCode]).toEqual([200, 200]);
    await first.close();
    const second = await startRig(redis, { rateLimitPerMinute: 2 });
    const answer = await second.post(hello);
    expect([answer.statusCode, answer.json().error]).toEqual([
      429,
      expect.stringContaining("more than 2 requests in a minute"),
    ]);
    expect(Number(answer.headers["retry-after"])).toBeGreaterThan(0);
    expect((await second.get("/api/history")).statusCode).toBe(200);
    await second.close();
  });

  it("slows down those who guess keys without locking out those who have one", async () => {
    const limited = await startRig(redis, { rateLimitPerMinute: 2 });
    const guesses = [];
    for (let guess = 0; guess < 4; guess += 1) guesses.push((await limited.get("/api/sandbox", "wrong")).statusCode);
    expect(guesses).toEqual([401, 401, 429, 429]);
    expect((await limited.post(hello)).statusCode).toBe(200);
    await limited.close();
  });
});

describe("the description of the sandbox", () => {
  it("says where code runs, behind what, and that no Docker socket is reachable", async () => {
    expect((await rig.get("/api/sandbox")).json()).toMatchObject({
      mode: "local",
      because: "a test",
      isolation: "a test's",
      canRun: true,
      reason: null,
      limits: { timeoutSecondsMax: 60, concurrencyMax: 2 },
      holds: { dockerSocket: { reachable: false, address: "unix:///nonexistent/docker.sock" } },
    });
  });
});

describe("the log", () => {
  it("has one JSON document per line and no key, no code and no output", async () => {
    rig.provider.answer = async () => outcomeOf("secret-output");
    await rig.post({ ...hello, code: "secret-code" });
    await rig.post({ ...hello, code: "secret-code" }, "secret-wrong-key");
    await rig.post('{"code":"secret-code"');
    await rig.get(`/api/history?key=secret-query`);
    expect(rig.log.length).toBeGreaterThan(4);
    for (const line of rig.log) expect(() => JSON.parse(line)).not.toThrow();
    expect(rig.log.join("")).not.toMatch(/secret-/);
    expect(rig.log.join("")).not.toContain(apiKey);
  });
});
