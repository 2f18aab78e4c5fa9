import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FileReadError, FileWriteError } from "../../src/files.ts";
import { createFiles, writing } from "../../src/shell/files/files.ts";
import { createProcessTable, processStart } from "../../src/shell/processes/processes.ts";

const processes = createProcessTable(process);
const files = createFiles(processes);
const isRoot = process.getuid?.() === 0;
let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "files-"));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (name: string) => join(folder, name);
const modeOf = (name: string) => statSync(at(name)).mode & 0o7777;

describe("reading", () => {
  test("what is missing, or below a file, is undefined or empty", async () => {
    writeFileSync(at("file"), "x");
    for (const path of [at("none"), at("file/below")]) {
      expect(await files.read(path)).toBeUndefined();
      expect(await files.stat(path)).toBeUndefined();
      expect(await files.realPath(path)).toBeUndefined();
      expect(await files.list(path === at("none") ? path : at("file/below"))).toEqual([]);
    }
  });

  test("text comes back byte for byte, with its byte order mark and CRLF", async () => {
    writeFileSync(at("text"), "\uFEFFä\r\nb");
    expect(await files.read(at("text"))).toBe("\uFEFFä\r\nb");
  });

  test("a directory and text that is not UTF-8 are typed errors that name the path", async () => {
    writeFileSync(at("latin1"), Buffer.from([0x41, 0xe4]));
    await expect(files.read(at("latin1"))).rejects.toMatchObject({
      name: "FileReadError",
      code: "EILSEQ",
      path: at("latin1"),
    });
    await expect(files.read(folder)).rejects.toBeInstanceOf(FileReadError);
  });

  test("stat tells files, directories, sockets and others apart, through links", async () => {
    writeFileSync(at("file"), "12345");
    chmodSync(at("file"), 0o640);
    symlinkSync("file", at("link"));
    const server = createServer().listen(at("socket"));
    await once(server, "listening");
    expect(await files.stat(at("link"))).toMatchObject({ kind: "file", mode: 0o640, size: 5, uid: process.getuid?.() });
    expect((await files.stat(folder))?.kind).toBe("directory");
    expect((await files.stat(at("socket")))?.kind).toBe("socket");
    expect((await files.stat("/dev/null"))?.kind).toBe("other");
    expect(await files.realPath(at("link"))).toBe(await files.realPath(at("file")));
    server.close();
  });
});

describe("a copy", () => {
  test("has every byte and the mode of the original, or the mode that was asked for", async () => {
    const bytes = Buffer.from([0, 0xff, 0xc3, 0x28]);
    writeFileSync(at("file"), bytes);
    chmodSync(at("file"), 0o444);
    await files.copy(at("file"), at("same"));
    await files.copy(at("file"), at("private"), { mode: 0o600 });
    expect([modeOf("same"), modeOf("private")]).toEqual([0o444, 0o600]);
    for (const name of ["same", "private"]) expect(readFileSync(at(name))).toEqual(bytes);
  });

  test.runIf(isRoot)("belongs to whom the original belongs to", async () => {
    writeFileSync(at("file"), "x");
    chownSync(at("file"), 12345, 23456);
    await files.copy(at("file"), at("same"));
    expect(statSync(at("same"))).toMatchObject({ uid: 12345, gid: 23456 });
  });

  test("of nothing, a folder or a device, or into nowhere, is a typed error", async () => {
    mkdirSync(at("folder"));
    writeFileSync(at("file"), "x");
    for (const path of [at("none"), at("folder"), "/dev/zero"])
      await expect(files.copy(path, at("copy"))).rejects.toBeInstanceOf(FileReadError);
    await expect(files.copy(at("file"), at("none/copy"))).rejects.toBeInstanceOf(FileWriteError);
    expect(existsSync(at("copy"))).toBe(false);
  });
});

describe("a folder", () => {
  test("gets another name, and goes with all that is in it but not with what a link in it names", async () => {
    mkdirSync(at("one/deep"), { recursive: true });
    writeFileSync(at("one/deep/file"), "x");
    writeFileSync(at("kept"), "x");
    symlinkSync(at("kept"), at("one/link"));
    await files.rename(at("one"), at("two"));
    expect(existsSync(at("two/deep/file"))).toBe(true);
    await files.removeTree(at("two"));
    await files.removeTree(at("two"));
    expect(readdirSync(folder)).toEqual(["kept"]);
    await expect(files.rename(at("two"), at("one"))).rejects.toBeInstanceOf(FileWriteError);
  });
});

describe("an atomic write", () => {
  test("creates with 0600 unless told otherwise, whatever the umask, and leaves nothing beside the file", async () => {
    const umask = process.umask(0o077);
    await files.writeAtomic(at("secret"), "s");
    await files.writeAtomic(at("public"), "p", { mode: 0o644 });
    process.umask(umask);
    expect([modeOf("secret"), modeOf("public")]).toEqual([0o600, 0o644]);
    expect(readdirSync(folder).sort()).toEqual(["public", "secret"]);
    expect(readFileSync(at("secret"), "utf8")).toBe("s");
  });

  test.each([
    [0o600, 0o644, 0o600],
    [0o400, 0o600, 0o400],
    [0o644, 0o600, 0o600],
    [0o640, 0o644, 0o640],
    [0o600, 0o444, 0o444],
  ])(
    "over mode %o with %o leads to %o: an existing mode stays where it grants no more",
    async (present, asked, result) => {
      writeFileSync(at("file"), "old");
      chmodSync(at("file"), present);
      await files.writeAtomic(at("file"), "new", { mode: asked });
      expect(modeOf("file")).toBe(result);
      expect(readFileSync(at("file"), "utf8")).toBe("new");
    },
  );

  test.runIf(isRoot)("keeps the owner of the file", async () => {
    writeFileSync(at("file"), "old");
    chownSync(at("file"), 12345, 23456);
    await files.writeAtomic(at("file"), "new");
    expect(statSync(at("file"))).toMatchObject({ uid: 12345, gid: 23456 });
  });

  test("through links changes the target and keeps the links, also when the target does not exist yet", async () => {
    mkdirSync(at("real"));
    writeFileSync(at("real/file"), "old");
    symlinkSync("real/file", at("one"));
    symlinkSync("one", at("two"));
    symlinkSync("real/new", at("dangling"));
    await files.writeAtomic(at("two"), "new");
    await files.writeAtomic(at("dangling"), "first");
    expect([readlinkSync(at("two")), readlinkSync(at("one")), readlinkSync(at("dangling"))]).toEqual([
      "one",
      "real/file",
      "real/new",
    ]);
    expect([readFileSync(at("real/file"), "utf8"), readFileSync(at("real/new"), "utf8")]).toEqual(["new", "first"]);
  });

  test.each([
    ["a directory", () => mkdirSync(at("x")), "EISDIR"],
    ["a circle of links", () => symlinkSync("x", at("x")), "ELOOP"],
    ["a folder that is missing", () => symlinkSync("none/x", at("x")), "ENOENT"],
    ["a folder that is a file", () => symlinkSync("/dev/null/x", at("x")), "ENOTDIR"],
  ])("onto %s is a FileWriteError, with nothing left beside it", async (_, prepare, code) => {
    prepare();
    await expect(files.writeAtomic(at("x"), "SENTINEL")).rejects.toMatchObject({
      name: "FileWriteError",
      code,
      path: at("x"),
    });
    expect(readdirSync(folder)).toEqual(["x"]);
  });

  test("of many at once ends with the whole content of one of them", async () => {
    const contents = Array.from({ length: 12 }, (_, index) => String(index).repeat(50_000));
    await Promise.all(contents.map((content) => files.writeAtomic(at("file"), content)));
    expect(contents).toContain(readFileSync(at("file"), "utf8"));
    expect(readdirSync(folder)).toEqual(["file"]);
  });

  test("keeps no copy of what was there", async () => {
    await files.writeAtomic(at("file"), "old-SENTINEL");
    await files.writeAtomic(at("file"), "new");
    expect(readdirSync(folder).map((name) => readFileSync(at(name), "utf8"))).toEqual(["new"]);
  });
});

describe("creating exclusively", () => {
  test("succeeds for exactly one of many, which finds its whole content", async () => {
    const contents = Array.from({ length: 10 }, (_, index) => `holder ${index}`);
    const won = await Promise.all(contents.map((content) => files.createExclusive(at("lock"), content)));
    expect(won.filter(Boolean)).toHaveLength(1);
    expect(readFileSync(at("lock"), "utf8")).toBe(contents[won.indexOf(true)]);
    expect(modeOf("lock")).toBe(0o600);
    expect(readdirSync(folder)).toEqual(["lock"]);
  });

  test("does not follow a link that is there", async () => {
    symlinkSync("elsewhere", at("lock"));
    expect(await files.createExclusive(at("lock"), "x")).toBe(false);
    expect(existsSync(at("elsewhere"))).toBe(false);
  });
});

describe("directories and removal", () => {
  test("a new directory has its mode whatever the umask, an old one loses what that mode does not grant", async () => {
    const umask = process.umask(0o077);
    await files.makeDirectory(at("a/b"), 0o755);
    process.umask(umask);
    expect(modeOf("a/b")).toBe(0o755);
    await files.makeDirectory(at("a/b"), 0o700);
    expect(modeOf("a/b")).toBe(0o700);
    await files.makeDirectory(at("a/b"), 0o755);
    expect(modeOf("a/b")).toBe(0o700);
    expect(await files.list(folder)).toEqual(["a"]);
  });

  test("a directory of the tool's own is never a link, and never somebody else's", async () => {
    mkdirSync(at("elsewhere"), { mode: 0o777 });
    symlinkSync("elsewhere", at("linked"));
    await expect(files.makeDirectory(at("linked"), 0o700)).rejects.toMatchObject({ code: "ENOTDIR" });
    if (!isRoot) return;
    chownSync(at("elsewhere"), 65534, 65534);
    await expect(files.makeDirectory(at("elsewhere"), 0o700)).rejects.toMatchObject({ code: "not owned" });
  });

  test("a file of the tool's own replaces a link in its place and has the mode that is asked for", async () => {
    writeFileSync(at("victim"), "untouched");
    symlinkSync("victim", at("own"));
    await files.writeAtomic(at("own"), "mine", { mode: 0o444, own: true });
    expect(readFileSync(at("victim"), "utf8")).toBe("untouched");
    expect(lstatSync(at("own")).isSymbolicLink()).toBe(false);
    expect(modeOf("own")).toBe(0o444);
  });

  test("a pipe, a device and a file that is far too large are refused rather than read for ever", async () => {
    expect(spawnSync("mkfifo", [at("pipe")]).status).toBe(0);
    await expect(files.read(at("pipe"))).rejects.toMatchObject({ code: "ENOTSUP" });
    await expect(files.read("/dev/zero")).rejects.toMatchObject({ code: "ENOTSUP" });
    expect(spawnSync("truncate", ["-s", "17M", at("large")]).status).toBe(0);
    await expect(files.read(at("large"))).rejects.toMatchObject({ code: "EFBIG" });
  });

  test("removing takes the link and not its target, twice is fine, a directory is refused", async () => {
    writeFileSync(at("file"), "x");
    symlinkSync("file", at("link"));
    await files.remove(at("link"));
    await files.remove(at("link"));
    expect(readdirSync(folder)).toEqual(["file"]);
    await expect(files.remove(folder)).rejects.toBeInstanceOf(FileWriteError);
  });
});

describe("a disk that is full or read-only", () => {
  test("is a FileWriteError, the old content stays and no temporary file does", async () => {
    const mounted = isRoot && spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", folder]).status === 0;
    if (!mounted) return expectRealEnospc();
    try {
      await files.writeAtomic(at("file"), "old");
      await expect(files.writeAtomic(at("file"), "x".repeat(200_000))).rejects.toMatchObject({
        name: "FileWriteError",
        code: "ENOSPC",
        path: at("file"),
      });
      expect(readdirSync(folder)).toEqual(["file"]);
      expect(readFileSync(at("file"), "utf8")).toBe("old");
      expect(spawnSync("mount", ["-o", "remount,ro", folder]).status).toBe(0);
      await expect(files.writeAtomic(at("file"), "new")).rejects.toMatchObject({ code: "EROFS" });
      await expect(files.makeDirectory(at("sub"), 0o700)).rejects.toMatchObject({ code: "EROFS" });
      await expect(files.remove(at("file"))).rejects.toMatchObject({ code: "EROFS" });
      expect(await files.read(at("file"))).toBe("old");
    } finally {
      spawnSync("umount", [folder]);
    }
  });

  test("is told in words, without the content", async () => {
    await expectRealEnospc();
  });

  test("and so is a folder in which one may not write", async () => {
    chmodSync(folder, 0o555);
    // Root may write anywhere: it becomes nobody for a moment.
    if (isRoot) process.seteuid?.("nobody");
    try {
      await expect(files.writeAtomic(at("file"), "x")).rejects.toMatchObject({ code: "EACCES" });
    } finally {
      if (isRoot) process.seteuid?.(0);
      chmodSync(folder, 0o700);
    }
  });
});

/** The kernel refuses every write to /dev/full as a full disk would. */
async function expectRealEnospc(): Promise<void> {
  const failed = writing("/data/.env", async () => {
    const descriptor = openSync("/dev/full", "w");
    try {
      writeSync(descriptor, "SENTINEL");
    } finally {
      closeSync(descriptor);
    }
  });
  await expect(failed).rejects.toMatchObject({
    name: "FileWriteError",
    code: "ENOSPC",
    message: "/data/.env cannot be written: the disk is full",
  });
}

describe("a writer that was killed", () => {
  const deadPid = 2 ** 22 + 1;

  test("leaves a file that the next write sweeps away, and only that", async () => {
    const start = await processStart(process.pid);
    const leftover = `.env.${deadPid}-1.0123456789ab.tmp`;
    const recycled = `.env.${process.pid}-1.0123456789ab.tmp`;
    const others = [
      `.env.${process.pid}-${start}.0123456789ab.tmp`,
      ".env.tmp",
      ".other.tmp",
      `.env2.${deadPid}-1.0123456789ab.tmp`,
    ];
    for (const name of [leftover, recycled, ...others]) writeFileSync(at(`.${name}`), "SENTINEL");
    await createFiles().writeAtomic(at(".env"), "1");
    expect(existsSync(at(`.${leftover}`))).toBe(true);
    await files.writeAtomic(at(".env"), "2");
    expect(readdirSync(folder).sort()).toEqual([".env", ...others.map((name) => `.${name}`)].sort());
  });

  test("is not told from a live one where the system hides when it began: its file stays", async () => {
    const alive = `.env.${process.pid}-1.0123456789ab.tmp`;
    const dead = `.env.${deadPid}-1.0123456789ab.tmp`;
    for (const name of [alive, dead]) writeFileSync(at(`.${name}`), "SENTINEL");
    const hiding = createFiles({ ...processes, startOf: async () => undefined });
    await hiding.writeAtomic(at(".env"), "1");
    expect(readdirSync(folder).sort()).toEqual([".env", `.${alive}`].sort());
  });

  test("with SIGKILL leaves the whole old or the whole new content, and the next write leaves only the file", async () => {
    const outfile = at("files.mjs");
    const entry = join(import.meta.dirname, "../../src/shell/files/files.ts");
    await build({ entryPoints: [entry], outfile, bundle: true, platform: "node", format: "esm" });
    mkdirSync(at("data"));
    for (let round = 1; round <= 5; round += 1) await killWhileWriting(outfile, at("data/.env"), round);
    await files.writeAtomic(at("data/.env"), "end");
    expect(readdirSync(at("data"))).toEqual([".env"]);
    expect(lstatSync(at("data/.env")).isFile()).toBe(true);
  });
});

const writer = `
  const { createFiles } = await import(process.argv[1]);
  const { readFile } = await import("node:fs/promises");
  const startOf = async (pid) => {
    const stat = await readFile("/proc/" + pid + "/stat", "utf8").catch(() => undefined);
    return stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  };
  const isRunning = async (pid) => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };
  const files = createFiles({ pid: process.pid, startOf, isRunning });
  for (let index = 0; ; index += 1) {
    await files.writeAtomic(process.argv[2], String(index % 10).repeat(300000));
    process.stdout.write(".");
  }
`;

/** Kills a writer after some of its writes; where in the next one it dies differs from round to round. */
async function killWhileWriting(modulePath: string, target: string, rounds: number): Promise<void> {
  const child = spawn(process.execPath, ["--input-type=module", "-e", writer, modulePath, target], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let written = 0;
  for await (const chunk of child.stdout) {
    written += String(chunk).length;
    if (written >= rounds) break;
  }
  const closed = once(child, "exit");
  child.kill("SIGKILL");
  await closed;
  expect(readFileSync(target, "utf8")).toMatch(/^(\d)\1{299999}$/);
}
