import { beforeEach } from "vitest";

const testsOfAFile = 2;
const seen = new Map<string, number>();

// A check by hand (scripts/check.sh) tries the first few of each file; `npm test` all of them.
beforeEach(({ task, skip }) => {
  if (process.env["TEST_CASES"] !== "first") return;
  const count = (seen.get(task.file.filepath) ?? 0) + 1;
  seen.set(task.file.filepath, count);
  if (count > testsOfAFile) skip();
});
