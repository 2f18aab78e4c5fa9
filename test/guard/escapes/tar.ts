/** A tar archive with one file. */
export function tar(name: string, content: string): Buffer {
  return Buffer.concat([tarHeader(name, content.length), Buffer.from(content.padEnd(512, "\0")), Buffer.alloc(1024)]);
}

/** The header of a file in a tar archive, in the form that every reader knows. */
export function tarHeader(name: string, size: number): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write("0000644\0", 100);
  header.write("0000000\0", 108);
  header.write("0000000\0", 116);
  header.write(`${size.toString(8).padStart(11, "0")}\0`, 124);
  header.write("00000000000\0", 136);
  header.write("        0", 148);
  header.write("ustar\x0000", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}
