import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { createFiles } from "../../src/shell/files/files.ts";
import { seal, sealKeyPath } from "../../src/shell/files/seal.ts";
import { readHistory } from "../../src/shell/records/history.ts";
import { findReceipt } from "../../src/shell/records/receipt.ts";

const home = mkdtempSync(join(tmpdir(), "damaged-"));
const world = { files: createFiles(), home, env: {} };
const state = join(home, "state");
const id = "20261121-154012-3f9c";
mkdirSync(join(sealKeyPath(home, {}), ".."), { recursive: true });
writeFileSync(sealKeyPath(home, {}), "key");
mkdirSync(join(state, "history", id), { recursive: true });
afterAll(() => rmSync(home, { recursive: true, force: true }));

const receipt = {
  ...{ version: 1, project: "demo", deployment: id, mode: "local", because: "it is said", services: ["web"] },
  stack: { project: "demo", files: [], envPath: "/.env", variables: {}, containers: [], images: [], volumes: [] },
  ...{ compose: { version: "2.40.3", plugin: "" }, model: { mac: "", hashes: {} }, images: "local", imageIds: {} },
  ...{ privileges: [], time: "2026-11-21T15:40:12.000Z", who: "ann@here", toolVersion: "1" },
};
const record = {
  ...{ version: 1, id, command: "up", outcome: "done", begun: "2026-11-21T15:40:12.000Z", who: "ann", host: "here" },
  ...{ process: { pid: 1, started: "" }, engineId: "", toolVersion: "1", project: "demo", mode: "local", because: "" },
  stack: { files: [], envPath: "/.env", variables: {}, images: "local" },
  ...{ services: [], sources: [], mounted: [], hashes: {}, images: {}, privileges: [], secrets: {}, findings: [] },
};

const kinds = [
  {
    what: "receipt",
    bytes: Buffer.from(JSON.stringify(seal("key", receipt))),
    read: async (bytes: Buffer) => {
      writeFileSync(join(state, "receipt.json"), bytes);
      const { receipt: found, problem } = await findReceipt(world, state);
      expect(problem?.code).toBe(found === undefined ? "D080" : undefined);
      return found;
    },
  },
  {
    what: "record",
    bytes: Buffer.from(JSON.stringify(seal("key", record))),
    read: async (bytes: Buffer) => {
      writeFileSync(join(state, `history/${id}/deployment.json`), bytes);
      const [entry, ...others] = await readHistory(world, state);
      expect([entry?.id, others]).toEqual([id, []]);
      return entry?.record;
    },
  },
];

describe.each(kinds)("a $what", ({ what, bytes, read }) => {
  test("that is whole is read", async () => {
    expect(await read(bytes)).toMatchObject(what === "receipt" ? receipt : record);
  });

  test("that was cut off anywhere is not believed, and never an error", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), async (end) => {
        expect(await read(bytes.subarray(0, end))).toBeUndefined();
      }),
    );
  });

  test("of which one bit changed is not believed, or says the same, and is never an error", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.nat(7), async (at, bit) => {
        const flipped = Buffer.from(bytes);
        flipped[at] = (flipped[at] ?? 0) ^ (1 << bit);
        const found = await read(flipped);
        if (found !== undefined) expect(found).toEqual(await read(bytes));
      }),
    );
  });

  test("of any bytes or any JSON is not believed, and never an error", async () => {
    const json = fc.json().map((text) => Buffer.from(text));
    const sealed = fc.jsonValue().map((value) => Buffer.from(JSON.stringify(seal("key", value))));
    const any = fc.oneof(
      fc.uint8Array().map((each) => Buffer.from(each)),
      json,
      sealed,
    );
    await fc.assert(
      fc.asyncProperty(any, async (each) => {
        expect(await read(each)).toBeUndefined();
      }),
    );
  });
});
