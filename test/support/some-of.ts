const all = process.env["TEST_CASES"] === "all";

/**
 * The first few cases of a table: for tests of whole commands, whose cases differ only in what tests of the parts decide
 * as well. A full run (scripts/test.sh) sets TEST_CASES=all and gets every case.
 */
export function someOf<T>(cases: readonly T[], few: number): readonly T[] {
  return all ? cases : cases.slice(0, few);
}

/** How often a property of many thousand runs is tried: so often in a full run, a tenth of that in a quick one. */
export function someRuns(runs: number): number {
  return all ? runs : Math.ceil(runs / 10);
}
