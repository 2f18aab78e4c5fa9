/** Work that is over by then needs no number. */
const leastSeconds = 3;

/** A line of progress with the seconds that its task has taken, cut to so many columns. */
export function elapsedLine(line: string, seconds: number, columns: number): string {
  const elapsed = seconds < leastSeconds ? "" : `${Math.floor(seconds)} s`;
  const [first = ""] = line.split("\n");
  if (first === "") return elapsed;
  const behind = elapsed === "" ? "" : ` (${elapsed})`;
  const room = Math.max(columns - behind.length, 1);
  return `${first.length <= room ? first : `${first.slice(0, room - 1)}…`}${behind}`;
}
