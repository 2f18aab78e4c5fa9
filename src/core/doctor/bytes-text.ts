/** A number of bytes as people read it: rounded, in the largest unit of which there is at least one. */
export function bytesText(bytes: number): string {
  for (const [unit, size] of units)
    if (bytes >= size) return `${Number((bytes / size).toPrecision(bytes >= 100 * size ? 3 : 2))} ${unit}`;
  return `${bytes} bytes`;
}

/** Bytes of one mebibyte. */
export const mebibyte = 2 ** 20;
/** Bytes of one gibibyte. */
export const gibibyte = 2 ** 30;

const units: readonly (readonly [string, number])[] = [
  ["TiB", 2 ** 40],
  ["GiB", gibibyte],
  ["MiB", mebibyte],
  ["KiB", 2 ** 10],
];
