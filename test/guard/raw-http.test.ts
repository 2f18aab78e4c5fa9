import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decide } from "../../src/guard/decision/decide.ts";
import { judgeAgain } from "../../src/guard/decision/judge-again.ts";
import { eventually } from "../support/command.ts";
import { makeFolders } from "./escapes/engine-world.ts";
import { containedBody, policyOf } from "./escapes/policy.ts";
import { encodingCases, lengthCases, lineCases, pieces, pipelineCases, type RawCase } from "./escapes/raw-requests.ts";
import { daemonWorld } from "./escapes/recorded-world.ts";
import { inventedWorld } from "./escapes/world.ts";
import { type GuardRig, startRig } from "./support/guard-rig.ts";
import { exchangeRaw, openRaw } from "./support/raw-connection.ts";

const world = inventedWorld;
const parts = pieces(world);
let rig: GuardRig;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "raw-http-"));
  const policy = policyOf({ ...world, ...(await makeFolders(folder, world.canary)) });
  rig = await startRig({ policy, decide, judge: judgeAgain, world: daemonWorld(world) });
});

afterAll(async () => {
  await rig.close();
  await rm(folder, { recursive: true, force: true });
});

/** The status of every answer in what came back, the interim ones included. */
function statuses(bytes: string): number[] {
  return [...bytes.matchAll(/HTTP\/1\.1 (\d{3}) [A-Z]/g)].map(([, status]) => Number(status));
}

function sent(): string[] {
  return rig.daemon.forwarded().map(({ method, target }) => `${method} ${target}`);
}

async function tryCase({ bytes, answers, sent: expected = [] }: RawCase): Promise<void> {
  rig.daemon.forget();
  const said = await exchangeRaw(rig.socketPath, Buffer.from(bytes, "latin1"));
  expect(statuses(said)).toEqual(answers);
  expect(sent()).toEqual(expected);
  expect(rig.daemon.strayBytes()).toBe("");
  for (const { body, method } of rig.daemon.forwarded())
    if (method === "POST") expect(JSON.parse(body.toString())).toEqual(containedBody(world));
}

describe("a request that leaves a doubt where its body ends", () => {
  test.each(lengthCases(parts))("is refused, and so is all that follows it: $name", tryCase);
  test.each(encodingCases(parts))("is refused, or has one meaning: $name", tryCase);
});

describe("a request that leaves a doubt where its lines end", () => {
  test.each(lineCases(`escape-${world.run}`, parts))("is refused: $name", tryCase);
});

describe("of several requests on one connection", () => {
  test.each(pipelineCases(world, parts))("each is judged by itself: $name", tryCase);
});

describe("a request that comes a byte at a time", () => {
  test.each([
    ["within the policy", parts.head(`Content-Length: ${parts.good.length}`) + parts.good, 201, [parts.created]],
    ["for the host", parts.evil, 403, []],
  ])("has the same answer: %s", async (_name, bytes, status, expected) => {
    rig.daemon.forget();
    const raw = await openRaw(rig.socketPath);
    raw.socket.setNoDelay(true);
    for (const byte of bytes) await new Promise((written) => raw.socket.write(byte, written));
    expect(statuses(await raw.closed)).toEqual([status]);
    raw.socket.destroy();
    expect(sent()).toEqual(expected);
  });

  test("is none at all when the rest of it never comes", async () => {
    rig.daemon.forget();
    const raw = await openRaw(rig.socketPath);
    raw.socket.write(parts.head(`Content-Length: ${parts.good.length + 1}`) + parts.good);
    await eventually(async () => expect(rig.guard.status().connections.open).toBe(1));
    raw.socket.destroy();
    await eventually(async () => expect(rig.guard.status().connections.open).toBe(0));
    expect(rig.daemon.requests).toEqual([]);
  });
});
