import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

const slow = "test/**/*.slow.test.ts";
const cli = "test/cli/**/*.test.ts";
const e2e = "test/e2e/**/*.test.ts";
const browsers = ["test/e2e/https.test.ts", "test/e2e/page.test.ts"];

// Node.js reads these certificates at every start, which doubles the time it takes, and no test asks the network.
delete process.env["NODE_EXTRA_CA_CERTS"];

// A pipeline that runs these tests must not find what they say in its own log and pages.
for (const name of Object.keys(process.env)) if (/^(GITHUB|GITLAB|RUNNER)_/.test(name)) delete process.env[name];

/** One worker more than cores, for some tests wait. Files share its process: nothing here keeps state in a module. */
const workers = { maxWorkers: availableParallelism() + 1, isolate: false, testTimeout: 60_000 };

const scenarios = {
  globalSetup: ["test/support/scenario-images.ts"],
  setupFiles: ["test/support/failure-report.ts"],
  // Each file has projects, ports and addresses of its own, and mostly waits for containers.
  maxWorkers: 2,
  testTimeout: 600_000,
  hookTimeout: 600_000,
};

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...workers,
          name: "quick",
          include: ["test/**/*.test.ts"],
          exclude: [slow, cli, e2e],
          globalSetup: ["test/cli/support/tool-build.ts"],
        },
      },
      {
        test: {
          ...workers,
          name: "cli",
          include: [cli],
          exclude: [slow],
          globalSetup: ["test/cli/support/tool-build.ts"],
          setupFiles: ["test/cli/support/first-tests.ts"],
        },
      },
      {
        test: {
          ...workers,
          name: "slow",
          include: [slow],
          exclude: [e2e],
          globalSetup: ["test/cli/support/tool-build.ts"],
        },
      },
      // A browser takes every network that the engine makes or removes for a change of its own, and drops what it loads.
      { test: { ...scenarios, name: "e2e-browser", include: browsers, maxWorkers: 1, sequence: { groupOrder: 1 } } },
      { test: { ...scenarios, name: "e2e", include: [e2e], exclude: browsers, sequence: { groupOrder: 2 } } },
    ],
  },
});
