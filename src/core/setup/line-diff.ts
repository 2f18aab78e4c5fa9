/** A line that only one of two texts has. */
export interface LineChange {
  readonly change: "added" | "removed";
  /** The number of the line in the text that has it, from 1. */
  readonly line: number;
  readonly text: string;
}

/** The lines in which two texts differ, in their order, by a longest common subsequence. */
export function lineDiff(before: string, after: string): LineChange[] {
  const [old, now] = [linesOf(before), linesOf(after)];
  let start = 0;
  while (start < old.length && start < now.length && old[start] === now[start]) start += 1;
  let tail = 0;
  while (tail < Math.min(old.length, now.length) - start && old.at(-1 - tail) === now.at(-1 - tail)) tail += 1;
  const lengths = commonLengths(old.slice(start, old.length - tail), now.slice(start, now.length - tail));
  const changes: LineChange[] = [];
  let [left, right] = [0, 0];
  const [oldEnd, nowEnd] = [old.length - tail - start, now.length - tail - start];
  while (left < oldEnd || right < nowEnd) {
    const [gone, come] = [old[start + left], now[start + right]];
    if (left < oldEnd && right < nowEnd && gone === come) {
      left += 1;
      right += 1;
    } else if (left < oldEnd && (right === nowEnd || at(lengths, left + 1, right) >= at(lengths, left, right + 1))) {
      changes.push({ change: "removed", line: start + left + 1, text: gone ?? "" });
      left += 1;
    } else {
      changes.push({ change: "added", line: start + right + 1, text: come ?? "" });
      right += 1;
    }
  }
  return changes;
}

function linesOf(text: string): string[] {
  return text === "" ? [] : text.replace(/\n$/, "").split("\n");
}

/** How long the longest common subsequence of the rests from each pair of lines on is. */
function commonLengths(left: readonly string[], right: readonly string[]): number[][] {
  const lengths = Array.from({ length: left.length + 1 }, () => new Array<number>(right.length + 1).fill(0));
  for (let row = left.length - 1; row >= 0; row -= 1)
    for (let column = right.length - 1; column >= 0; column -= 1) {
      const line = lengths[row];
      if (line === undefined) continue;
      line[column] =
        left[row] === right[column]
          ? at(lengths, row + 1, column + 1) + 1
          : Math.max(at(lengths, row + 1, column), at(lengths, row, column + 1));
    }
  return lengths;
}

function at(lengths: readonly (readonly number[])[], row: number, column: number): number {
  return lengths[row]?.[column] ?? 0;
}
