const scales = ["", "k", "m", "g", "t"];

function parseBytes(text: string, base: 1000 | 1024): number | undefined {
  const [, number, unit = ""] = /^(\d{1,16}(?:\.\d{1,9})?) ?([kmgt]?)(?:i?b)?$/i.exec(text) ?? [];
  if (number === undefined) return undefined;
  const bytes = Math.floor(Number(number) * base ** scales.indexOf(unit.toLowerCase()));
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** Bytes as Docker reads the size of a log: `10m` is ten million. Undefined: no size. */
export function parseDecimalBytes(text: string): number | undefined {
  return parseBytes(text, 1000);
}

/** Bytes as Docker and the kernel read the size of a memory: `512m` is 512 × 1024 × 1024. Undefined: no size. */
export function parseBinaryBytes(text: string): number | undefined {
  return parseBytes(text, 1024);
}

/** The shortest spelling of a number of bytes that `parseBinaryBytes` reads back. */
export function binaryBytesText(bytes: number): string {
  const power = [4, 3, 2, 1].find((each) => bytes > 0 && bytes % 1024 ** each === 0) ?? 0;
  return `${bytes / 1024 ** power}${scales[power] ?? ""}`;
}

/** The shortest spelling of a number of bytes that `parseDecimalBytes` reads back. */
export function decimalBytesText(bytes: number): string {
  const power = [4, 3, 2, 1].find((each) => bytes > 0 && bytes % 1000 ** each === 0) ?? 0;
  return `${bytes / 1000 ** power}${scales[power] ?? ""}`;
}
