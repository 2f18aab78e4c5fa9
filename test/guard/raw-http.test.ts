import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decide } from "../../src/guard/decision/decide.ts";
import { judgeAgain } from "../../src/guard/decision/judge-again.ts";
import { eventually } from "../support/command.ts";
import { someRuns } from "../support/some-of.ts";
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

/** Cuts a text at these places, in thousandths of its length. */
function cutAt(text: string, places: readonly number[]): string[] {
  const marks = [0, ...places.map((place) => Math.floor((text.length * place) / 1000)), text.length];
  const sorted = [...new Set(marks)].toSorted((a, b) => a - b);
  return sorted.slice(1).map((end, index) => text.slice(sorted[index], end));
}

/** Writes the bytes in these pieces, and gives the answer when the guard closes; `ends`: nothing more will come. */
async function exchangePieces(written: readonly string[], ends: boolean): Promise<string> {
  const raw = await openRaw(rig.socketPath);
  raw.socket.setNoDelay(true);
  for (const piece of written) await new Promise((done) => raw.socket.write(Buffer.from(piece, "latin1"), done));
  if (ends) raw.socket.end();
  const answer = await raw.closed;
  raw.socket.destroy();
  return answer;
}

describe("however a request is cut", () => {
  const places = fc.array(fc.integer({ min: 0, max: 1000 }), { maxLength: 12 });
  const encoded = parts.head("Transfer-Encoding: chunked");

  test("into chunks and into pieces on the way, it means the same", async () => {
    const spelling = fc.constantFrom(
      (size: number) => size.toString(16),
      (size: number) => size.toString(16).toUpperCase(),
      (size: number) => size.toString(16).padStart(6, "0"),
    );
    const body = fc.constantFrom({ text: parts.good, status: 201 }, { text: parts.evilBody, status: 403 });
    await fc.assert(
      fc.asyncProperty(body, places, places, spelling, async ({ text, status }, chunkEnds, pieceEnds, sizeText) => {
        rig.daemon.forget();
        const chunks = cutAt(text, chunkEnds).map((chunk) => `${sizeText(chunk.length)}\r\n${chunk}\r\n`);
        const said = await exchangePieces(cutAt(`${encoded}${chunks.join("")}0\r\n\r\n`, pieceEnds), false);
        expect(statuses(said)).toEqual([status]);
        expect(sent()).toEqual(status === 201 ? [parts.created] : []);
        for (const { body: got } of rig.daemon.forwarded())
          expect(JSON.parse(got.toString())).toEqual(containedBody(world));
      }),
      { numRuns: someRuns(300) },
    );
  }, 120_000);

  test("and whatever stands between its parts, nothing but the one body that was understood is sent", async () => {
    const sizes = [parts.good.length, parts.evilBody.length, parts.evil.length].map((size) => size.toString(16));
    const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;
    const [whole, other, last] = [chunk(parts.good), chunk(parts.evilBody), "0\r\n\r\n"];
    const loose = fc.constantFrom(
      ...[parts.good, parts.evilBody, parts.evil, encoded, parts.head(`Content-Length: ${parts.good.length}`)],
      ...[...sizes.map((size) => `${size}\r\n`), ...sizes.map((size) => `${size};a=b\n`)],
      ...["\r\n", "\n", "\r", "0\r\n\r\n", "0\r\n", "00\r\n\r\n", "-1\r\n", "0x0\r\n", "A: b\r\n", " ", "\0"],
    );
    const part = fc.oneof(
      { arbitrary: fc.constantFrom(whole, other, last), weight: 3 },
      { arbitrary: loose, weight: 2 },
    );
    let understood = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 8 }), places, async (rest, pieceEnds) => {
        rig.daemon.forget();
        // Who hangs up is taken for gone, so only what may have no end ends so.
        const ended = rest.find((each) => each !== whole && each !== other) === last;
        await exchangePieces(cutAt(encoded + rest.join(""), pieceEnds), !ended);
        for (const { method, target, body: got } of rig.daemon.forwarded()) {
          understood += 1;
          expect(`${method} ${target}`).toBe(parts.created);
          expect(JSON.parse(got.toString())).toEqual(containedBody(world));
        }
        expect(rig.daemon.strayBytes()).toBe("");
      }),
      { numRuns: someRuns(1000), examples: [[[whole, last], [500]]] },
    );
    expect(understood).toBeGreaterThan(0);
  }, 120_000);
});
