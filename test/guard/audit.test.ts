import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type AuditEntry, auditLine, auditTo } from "../../src/guard/audit/audit.ts";
import { appendTo, writeTo } from "../../src/guard/audit/audit-file.ts";
import { startRows } from "../../src/guard/audit/log-rows.ts";
import { printable } from "../../src/guard/audit/printable.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "guard-audit-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const path = () => join(folder, "audit.jsonl");
const entry: AuditEntry = { id: "1", event: "done", decision: "allow", rule: "ping", method: "GET", target: "/_ping" };
const time = new Date("2026-01-02T03:04:05.678Z");
const large = { bytes: 1_000_000, files: 3 };

describe("a line", () => {
  test("says everything that is known of an operation, in a fixed order", () => {
    const whole: AuditEntry = {
      ...entry,
      ...{
        rule: "create.allowed",
        route: "container.create",
        container: "box",
        image: "team/box:1",
        field: "HostConfig.X",
      },
      ...{ rewrites: ["HostConfig.PidsLimit: 0 -> 256"], environmentNames: ["PATH"], mounts: ["/a:/b"], ports: ["80"] },
      ...{ status: 201, bytesIn: 10, bytesOut: 20, ms: 1.234, message: "m" },
    };
    expect(auditLine(whole, "hash", time)).toBe(
      '{"time":"2026-01-02T03:04:05.678Z","id":"1","event":"done","decision":"allow","rule":"create.allowed",' +
        '"route":"container.create","method":"GET","target":"/_ping","container":"box","image":"team/box:1",' +
        '"field":"HostConfig.X","rewrites":["HostConfig.PidsLimit: 0 -> 256"],"environmentNames":["PATH"],' +
        '"mounts":["/a:/b"],"ports":["80"],"status":201,"bytesIn":10,"bytesOut":20,"ms":1.2,"message":"m",' +
        '"policy":"hash"}\n',
    );
  });

  test("is one line of printable ASCII, whatever a client sends", () => {
    const text = fc.string({ unit: "binary", maxLength: 300 });
    fc.assert(
      fc.property(text, text, text, (target, container, name) => {
        const line = auditLine({ ...entry, target, container, environmentNames: [name] }, "hash", time);
        expect(line).toMatch(/^[ -~]+\n$/);
        // Also after it was parsed: what a terminal obeys is not hidden behind an escape of JSON.
        for (const value of Object.values<unknown>(JSON.parse(line))) expect(String(value)).toMatch(/^[ -~]*$/);
      }),
    );
  });

  test("has a bounded length, whatever a client sends", () => {
    const long = "\u202e".repeat(100_000);
    const many = Array.from({ length: 10_000 }, () => long);
    const all = { rewrites: many, environmentNames: many, mounts: many, ports: many };
    const line = auditLine({ ...entry, target: long, container: long, image: long, message: long, ...all }, "h", time);
    expect(line.length).toBeLessThan(700_000);
    expect(line).toContain("... (100000 characters)");
    expect(line).toContain("... (10000 in all)");
  });
});

describe("printable text", () => {
  test.each([
    ["plain", "plain"],
    ["a\u001b[31mred\r\n", "a\\x1b[31mred\\x0d\\x0a"],
    ["\u202egnp.exe", "\\u{202e}gnp.exe"],
    ["back\\slash", "back\\\\slash"],
    ["\u{1f600}", "\\u{1f600}"],
    ["\u007f\u0080", "\\x7f\\x80"],
  ])("%j is shown as %s", (text, shown) => {
    expect(printable(text)).toBe(shown);
  });

  test("tells every two texts apart", () => {
    const text = fc.string({ unit: "binary", maxLength: 20 });
    fc.assert(fc.property(text, text, (left, right) => (left === right) === (printable(left) === printable(right))));
  });
});

describe("a file", () => {
  test("is for its owner to write and its group to read, and is continued", () => {
    for (const line of ["one\n", "two\n"]) {
      const file = appendTo(path(), large);
      file.sink(line);
      file.close();
    }
    expect(readFileSync(path(), "utf8")).toBe("one\ntwo\n");
    expect(statSync(path()).mode & 0o777).toBe(0o640);
  });

  test("never grows beyond its size, and no line is torn apart or lost but the oldest", () => {
    const file = appendTo(path(), { bytes: 100, files: 3 });
    const lines = Array.from({ length: 100 }, (_, index) => `line ${String(index).padStart(4, "0")}\n`);
    for (const line of lines) file.sink(line);
    file.close();
    const kept = ["audit.jsonl", "audit.jsonl.1", "audit.jsonl.2"];
    expect(readdirSync(folder).sort()).toEqual(kept);
    for (const name of kept) expect(statSync(join(folder, name)).size).toBeLessThanOrEqual(100);
    const text = kept.toReversed().map((name) => readFileSync(join(folder, name), "utf8"));
    expect(text.join("")).toBe(lines.slice(-30).join(""));
  });

  test("is one file alone where one is kept", () => {
    const file = appendTo(path(), { bytes: 10, files: 1 });
    for (const line of ["aaaaaaaa\n", "bbbbbbbb\n"]) file.sink(line);
    file.close();
    expect(readdirSync(folder)).toEqual(["audit.jsonl"]);
    expect(readFileSync(path(), "utf8")).toBe("bbbbbbbb\n");
  });

  test("that is longer than the limit already is put aside", () => {
    writeFileSync(path(), "x".repeat(200));
    const file = appendTo(path(), { bytes: 100, files: 2 });
    file.sink("new\n");
    file.close();
    expect(readFileSync(path(), "utf8")).toBe("new\n");
  });

  test("that cannot be put aside takes no more lines, until it can", () => {
    const file = appendTo(path(), { bytes: 10, files: 2 });
    file.sink("aaaaaaaa\n");
    mkdirSync(`${path()}.1`);
    expect(() => file.sink("bbbbbbbb\n")).toThrow();
    expect(() => file.sink("bbbbbbbb\n")).toThrow();
    rmdirSync(`${path()}.1`);
    file.sink("cccccccc\n");
    file.close();
    expect(readFileSync(path(), "utf8")).toBe("cccccccc\n");
    expect(readFileSync(`${path()}.1`, "utf8")).toBe("aaaaaaaa\n");
  });

  test("in a folder that is not there is an error at once", () => {
    expect(() => appendTo(join(folder, "no/audit.jsonl"), large)).toThrow("ENOENT");
  });
});

describe("an audit that cannot be written", () => {
  test("on a full disk is a refusal that says so, and is known to the health check until it can", () => {
    let full = true;
    const audit = auditTo((line) => {
      if (full) appendTo("/dev/full", large).sink(line);
    }, "hash");
    expect(() => audit.write(entry)).toThrow(
      "sandbox guard: the audit cannot be written (ENOSPC), so nothing is let through (rule audit.unwritable)",
    );
    expect(audit.problem()).toBe("ENOSPC");
    full = false;
    audit.write(entry);
    expect(audit.problem()).toBeUndefined();
  });

  test("to a closed descriptor is a refusal", () => {
    const descriptor = openSync(path(), "w");
    closeSync(descriptor);
    expect(() => auditTo(writeTo(descriptor), "hash").write(entry)).toThrow("EBADF");
  });
});

describe("the log for people", () => {
  const lines = (...entries: Partial<AuditEntry>[]) =>
    entries.map((each) => auditLine({ ...entry, ...each }, "hash", time).trim());

  test("shows beginning and end of an operation as one row, with what each of them knows", () => {
    const rows = startRows(false, false);
    const create = { method: "POST", target: "/v1.41/containers/create?name=box" };
    const [begin = "", end = ""] = lines(
      {
        event: "begin",
        rule: "create.allowed",
        ...create,
        image: "i",
        rewrites: ["a", "b"],
      },
      { event: "end", rule: "create.allowed", ...create, status: 201, ms: 12 },
    );
    expect(rows.row(begin)).toBeUndefined();
    expect(rows.row(end)).toBe(
      "2026-01-02 03:04:05Z  allow  201  create.allowed            POST /containers/create?name=box  i  2 fields changed  12 ms",
    );
    expect(rows.open()).toEqual([]);
  });

  test("shows what has begun and not ended", () => {
    const rows = startRows(false, false);
    rows.row(lines({ event: "begin", rule: "container.logs", target: `/containers/${"a".repeat(64)}/logs` })[0] ?? "");
    expect(rows.open()).toEqual([
      "2026-01-02 03:04:05Z  allow  -    container.logs            GET /containers/aaaaaaaaaaaa/logs  goes on",
    ]);
  });

  test("shows beginnings at once to somebody who watches", () => {
    const rows = startRows(false, true);
    const [begin = "", end = ""] = lines({ event: "begin" }, { event: "end", status: 200 });
    expect(rows.row(begin)).toMatch(/began$/);
    expect(rows.row(end)).toMatch(/200 .*ended$/);
  });

  test("shows only what was refused, if asked to", () => {
    const rows = startRows(true, false);
    const all = lines(
      {},
      { decision: "deny", rule: "route.unknown", status: 403, message: "no", field: "F" },
      { event: "begin" },
    );
    expect(all.flatMap((line) => rows.row(line) ?? [])).toEqual([
      "2026-01-02 03:04:05Z  DENY   403  route.unknown             GET /_ping  no  F",
    ]);
    expect(rows.open()).toEqual([]);
  });

  test("shows nothing that a terminal obeys, whatever the file has in it", () => {
    const any = fc.oneof(fc.string({ unit: "binary" }), fc.json());
    fc.assert(
      fc.property(any, (line) => {
        expect(startRows(false, true).row(line) ?? "").toMatch(/^[ -~]*$/);
      }),
    );
  });
});
