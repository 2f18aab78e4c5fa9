/**
 * The first few cases of a table: for tests of whole commands, whose cases differ only in what tests of the parts decide
 * as well. A full run (scripts/test.sh) sets TEST_CASES=all and gets every case.
 */
export function someOf<T>(cases: readonly T[], few: number): readonly T[] {
  return process.env["TEST_CASES"] === "all" ? cases : cases.slice(0, few);
}
