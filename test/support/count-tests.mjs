// Adds up one run of scripts/test.sh from the files it left in a folder: `parts` (name and status of the checks),
// `runs` (vitest projects and their exit codes) and vitest's own report of each project as JSON. A test file without a
// report and a run that failed without a failing test count as failures: a crash must never look like a success.
// The last line of its output is `N passed, N failed`, followed by `, N skipped` where tests were skipped.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

const [results] = process.argv.slice(2);
const root = dirname(dirname(import.meta.dirname));
/** How many lines of a failure's message are repeated at the end, where a long run is looked at first. */
const messageLines = 25;
const failures = [];
const messages = [];
let passed = 0;
let skipped = 0;

function linesOf(name) {
  const path = join(results, name);
  return existsSync(path) ? readFileSync(path, "utf8").trim().split("\n") : [];
}

/** `quick` and `cli` are run, and reported, together by scripts/check.sh. */
function projectOf(path) {
  if (path.startsWith("e2e/")) return "e2e";
  return path.endsWith(".slow.test.ts") ? "slow" : "quick";
}

function testFiles(project) {
  return readdirSync(join(root, "test"), { recursive: true })
    .filter((path) => path.endsWith(".test.ts") && projectOf(path) === project)
    .map((path) => join("test", path));
}

function readReport(project) {
  try {
    return JSON.parse(readFileSync(join(results, `${project}.json`), "utf8"));
  } catch {
    failures.push(`${project}: vitest left no report`);
    return { testResults: [] };
  }
}

function countFile(file, name) {
  const failed = file.assertionResults.filter((test) => test.status === "failed");
  passed += file.assertionResults.filter((test) => test.status === "passed").length;
  skipped += file.assertionResults.filter((test) => !["passed", "failed"].includes(test.status)).length;
  for (const test of failed) {
    failures.push(`${name}: ${test.fullName}`);
    messages.push(`--- ${name}: ${test.fullName}`, ...test.failureMessages.join("\n").split("\n", messageLines));
  }
  if (file.status === "failed" && failed.length === 0)
    failures.push(`${name}: ${file.message || "failed outside of a test, in an import or a hook"}`);
}

function countProject(project, expected) {
  const run = linesOf("runs").find((line) => line.startsWith(`${project} `));
  const before = failures.length;
  const report = readReport(project);
  const reported = new Map(report.testResults.map((file) => [relative(root, file.name), file]));
  for (const [name, file] of reported) countFile(file, name);
  for (const name of expected) if (!reported.has(name)) failures.push(`${name}: not run`);
  if (run !== `${project} 0` && failures.length === before)
    failures.push(`${project}: vitest failed, though no test did`);
}

for (const line of linesOf("parts")) {
  const [name, status] = line.split(" ");
  if (status === "passed") passed += 1;
  else failures.push(name);
}
for (const project of ["quick", "slow", "e2e"]) countProject(project, testFiles(project));
// Some of the scenarios once more, on another engine.
if (linesOf("runs").some((line) => line.startsWith("newer "))) countProject("newer", []);
if (passed + failures.length === 0) failures.push("nothing was run");

console.log("");
for (const message of messages) console.log(message);
for (const failure of failures) console.log(`failed: ${failure.split("\n")[0]}`);
console.log(`${passed} passed, ${failures.length} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exitCode = failures.length > 0 ? 1 : 0;
