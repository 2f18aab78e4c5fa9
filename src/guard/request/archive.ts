import { deny } from "../decision/body-decision.ts";
import { malformed, quoted, type Reading, read } from "./reading.ts";

/** One entry of an archive: its kind, and what its header says of rights and length. */
interface Entry {
  readonly type: string;
  readonly mode: number;
  readonly bytes: number;
}

const block = 512;
const text = new TextDecoder("latin1");

/** Kinds that have no content, whatever their header says of its length; for a reader that believes it they would. */
const withoutContent = ["1", "2", "5"];
const kinds: Readonly<Record<string, string>> = {
  "3": "a device",
  "4": "a device",
  "6": "a pipe",
  g: "a header for all entries",
};

/** What the header before an entry may say of it: names, owners, times. Not its length, not its attributes. */
const records =
  /^(?:path|linkpath|uname|gname|uid|gid|[amc]time|comment|LIBARCHIVE\.creationtime|SCHILY\.(?:dev|ino|nlink))$/;

/**
 * Reads an archive on its way into a container to its end. The engine unpacks it as root, also into directories of the
 * host that are mounted in the container: so nothing may be in it that a sandbox could not make by itself, which are
 * devices, files that run with the rights of their owner, and files with capabilities. The bytes are sent as they came;
 * therefore whatever two readers could understand differently is refused: compression, other lengths, other kinds.
 */
export function readTar(bytes: Uint8Array): Reading<Uint8Array> {
  for (let at = 0; at < bytes.length; ) {
    if (isZero(bytes.subarray(at, at + block))) {
      if (isZero(bytes.subarray(at))) return read(bytes);
      return broken("something behind its end");
    }
    const entry = readHeader(bytes.subarray(at, at + block));
    if (entry.kind !== "read") return entry;
    const end = at + block + entry.value.bytes;
    if (end > bytes.length) return broken("less in it than it says");
    const content = bytes.subarray(at + block, end);
    const wrong = judge(entry.value) ?? (entry.value.type === "x" ? judgeRecords(content) : undefined);
    if (wrong !== undefined) return wrong;
    at = Math.min(bytes.length, at + block + Math.ceil(entry.value.bytes / block) * block);
  }
  return read(bytes);
}

function readHeader(header: Uint8Array): Reading<Entry> {
  const field = (from: number, length: number) => text.decode(header.subarray(from, from + length));
  const mode = readOctal(field(100, 8));
  const bytes = readOctal(field(124, 12));
  const sum = readOctal(field(148, 8));
  const isWhole = header.length === block && sum === checksum(header) && field(257, 5) === "ustar";
  if (!isWhole || mode === undefined || bytes === undefined)
    return broken("a header that is none, or a compressed form");
  return read({ type: field(156, 1), mode, bytes });
}

/** The sum of all bytes, with spaces in the place of the sum itself. */
function checksum(header: Uint8Array): number {
  return Uint8Array.from(header)
    .fill(0x20, 148, 156)
    .reduce((total, byte) => total + byte, 0);
}

/** The digits of a number with the spaces and zeros that programs put around them; other forms of numbers are none. */
function readOctal(field: string): number | undefined {
  const [, digits] = /^ *([0-7]+)[ \0]*$/.exec(field) ?? [];
  return digits === undefined ? undefined : Number.parseInt(digits, 8);
}

/** Files, links, directories, and what names the next entry. */
function judge({ type, mode, bytes }: Entry) {
  if (!/^[\x000125xLK]$/.test(type)) {
    const what = Object.hasOwn(kinds, type) ? kinds[type] : `an entry of the kind ${quoted(type)}`;
    return deny("archive.kind", `the archive has ${what} in it; files, directories and links are taken`);
  }
  if (withoutContent.includes(type) && bytes > 0) return broken("a link or a directory with content");
  const runsAsOwner = (mode & 0o4000) !== 0 || ((mode & 0o2000) !== 0 && type !== "5");
  if (!runsAsOwner) return undefined;
  return deny("archive.mode", "the archive has a file in it that would run with the rights of its owner");
}

/** The records of an extended header: `27 path=some/long/name` and a line end, the number being the record's length. */
function judgeRecords(content: Uint8Array) {
  for (let rest = text.decode(content); rest !== ""; ) {
    const [, digits] = /^([1-9]\d{0,6}) /.exec(rest) ?? [];
    const record = rest.slice(0, Number(digits ?? 0));
    const [, name] = /^\d+ ([^=\0]+)=.*\n$/s.exec(record) ?? [];
    if (digits === undefined || record.length !== Number(digits) || name === undefined)
      return broken("an extended header that is none");
    if (!records.test(name))
      return deny("archive.record", `the archive says ${quoted(name)} of a file, which is not taken`);
    // Names and numbers; a NUL would end one early for some readers.
    if (record.includes("\0")) return broken("an extended header that is none");
    rest = rest.slice(record.length);
  }
  return undefined;
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

function broken(what: string) {
  return malformed("body.archive", `the body has to be a tar archive, and not compressed; it has ${what}`);
}
