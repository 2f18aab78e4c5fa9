import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readTar } from "../../src/guard/request/archive.ts";
import { output } from "../support/command.ts";
import { paxRecord, type TarEntry, tar, tarOf } from "./escapes/tar.ts";

/** The rule by which an archive is refused, or `taken`. */
function ruleOf(bytes: Uint8Array): string {
  const reading = readTar(bytes);
  if (reading.kind === "ask") throw new Error("an archive raises no question");
  return reading.kind === "deny" ? reading.rule : "taken";
}

describe("an archive of an ordinary program", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "archive-"));
    const long = join(folder, "in", "a".repeat(90), "b".repeat(90));
    await mkdir(long, { recursive: true });
    await writeFile(join(long, "file"), "x".repeat(1000));
    await writeFile(join(folder, "in", "empty"), "");
    await symlink("file", join(folder, "in", "link"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test.each(["ustar", "gnu", "pax", "v7"])(
    "is taken as it is in the format %s, but for one without a mark",
    async (format) => {
      const path = join(folder, `${format}.tar`);
      // The oldest format has no long names.
      const what = format === "v7" ? ["in/empty", "in/link"] : ["in"];
      await output("tar", ["--create", `--format=${format}`, "--file", path, "--directory", folder, ...what]);
      expect(ruleOf(await readFile(path))).toBe(format === "v7" ? "body.archive" : "taken");
    },
  );

  test("is taken when it is empty, or ends without an end", () => {
    expect(ruleOf(new Uint8Array(0))).toBe("taken");
    expect(ruleOf(new Uint8Array(1024))).toBe("taken");
    expect(ruleOf(tar("a", "b").subarray(0, 1024))).toBe("taken");
  });
});

const forbidden: readonly (readonly [string, TarEntry, string])[] = [
  ["a disk", { name: "disk", type: "4", device: ["376", "0"], mode: "0000666" }, "archive.kind"],
  ["a character device", { name: "mem", type: "3", device: ["1", "1"] }, "archive.kind"],
  ["a pipe", { name: "pipe", type: "6" }, "archive.kind"],
  ["a sparse file", { name: "sparse", type: "S" }, "archive.kind"],
  ["a kind of another program", { name: "x", type: "7" }, "archive.kind"],
  ["a header for all that follow", { name: "x", type: "g", content: paxRecord("path", "y") }, "archive.kind"],
  ["a file that runs as its owner", { name: "sh", mode: "0004755" }, "archive.mode"],
  ["a file that runs as its group", { name: "sh", mode: "0002755" }, "archive.mode"],
  ["a directory that runs as its owner", { name: "d/", type: "5", mode: "0004755" }, "archive.mode"],
  [
    "capabilities of a file",
    { name: "x", type: "x", content: paxRecord("SCHILY.xattr.security.capability", "x") },
    "archive.record",
  ],
  ["another length for a file", { name: "x", type: "x", content: paxRecord("size", "0") }, "archive.record"],
  ["a record without a length", { name: "x", type: "x", content: "path=x\n" }, "body.archive"],
  ["a record that is longer than it says", { name: "x", type: "x", content: "9 path=xyz\n" }, "body.archive"],
  ["a record behind a NUL", { name: "x", type: "x", content: `${paxRecord("path", "a\0b")}` }, "body.archive"],
  ["a directory with content", { name: "d/", type: "5", content: "x".repeat(512) }, "body.archive"],
  ["a length in another form", { name: "x", size: "\x80\0\0\0\0\0\0\0\0\0\0\x01" }, "body.archive"],
  ["a length with a sign", { name: "x", size: "-0000000001\0" }, "body.archive"],
  ["a length beyond its end", { name: "x", size: "00000100000\0" }, "body.archive"],
];

describe("an archive is refused that has in it", () => {
  test.each(forbidden)("%s", (_name, entry, rule) => {
    expect(ruleOf(tarOf(entry))).toBe(rule);
  });

  test("any of these among other entries", () => {
    const harmless = fc.record({
      name: fc.stringMatching(/^[a-z]{1,20}$/),
      content: fc.uint8Array({ maxLength: 1500 }),
      mode: fc.constantFrom("0000644", "0001777"),
    });
    const one = fc.constantFrom(...forbidden.filter(([, { size }]) => size === undefined));
    fc.assert(
      fc.property(
        fc.array(harmless, { maxLength: 5 }),
        one,
        fc.array(harmless, { maxLength: 5 }),
        (before, wrong, after) => {
          expect(ruleOf(tarOf(...before, ...after))).toBe("taken");
          expect(ruleOf(tarOf(...before, wrong[1], ...after))).toBe(wrong[2]);
        },
      ),
    );
  });

  test("something that another program unpacks first", () => {
    expect(ruleOf(gzipSync(tar("a", "b")))).toBe("body.archive");
  });

  test("something behind its end", () => {
    const whole = tarOf({ name: "a" });
    expect(ruleOf(Buffer.concat([whole, tarOf({ name: "disk", type: "4" })]))).toBe("body.archive");
    expect(ruleOf(Buffer.concat([whole.subarray(0, 1024), tarOf({ name: "disk", type: "4" })]))).toBe("body.archive");
  });

  test("a header that was changed", () => {
    const changed = tar("a", "b");
    changed.write("4", 156);
    expect(ruleOf(changed)).toBe("body.archive");
  });
});
