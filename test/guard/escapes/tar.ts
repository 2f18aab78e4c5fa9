/** What the header of an entry says, besides its name. */
export interface TarEntry {
  readonly name: string;
  readonly content?: string | Uint8Array;
  /** `0` is a file. */
  readonly type?: string;
  readonly mode?: string;
  /** In place of the length of the content, in octal. */
  readonly size?: string;
  /** Where a link leads. */
  readonly link?: string;
  /** Numbers of a device, in octal. */
  readonly device?: readonly [major: string, minor: string];
}

/** A tar archive of these entries, in the form that every reader knows. */
export function tarOf(...entries: readonly TarEntry[]): Buffer {
  return Buffer.concat([...entries.flatMap(blocksOf), Buffer.alloc(1024)]);
}

/** A tar archive with one file. */
export function tar(name: string, content: string): Buffer {
  return tarOf({ name, content });
}

/** A record of an extended header: its own length in decimal, a name and a value. */
export function paxRecord(name: string, value: string): string {
  const rest = ` ${name}=${value}\n`;
  const length = [1, 2, 3, 4]
    .map((digits) => digits + rest.length)
    .find((sum) => String(sum).length + rest.length === sum);
  return `${length ?? 0}${rest}`;
}

function blocksOf(entry: TarEntry): Buffer[] {
  const content = Buffer.from(entry.content ?? "");
  return [headerOf(entry, content.length), content, Buffer.alloc((512 - (content.length % 512)) % 512)];
}

function headerOf({ name, type = "0", mode = "0000644", size, link = "", device }: TarEntry, length: number): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write(`${mode}\0`, 100);
  header.write("0000000\0", 108);
  header.write("0000000\0", 116);
  header.write(size ?? `${length.toString(8).padStart(11, "0")}\0`, 124, "latin1");
  header.write("00000000000\0", 136);
  header.write("        0", 148);
  header.write(type, 156);
  header.write(link, 157);
  header.write("ustar\x0000", 257);
  for (const [at, number] of (device ?? []).entries()) header.write(`${number.padStart(7, "0")}\0`, 329 + 8 * at);
  header.fill(0x20, 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}
