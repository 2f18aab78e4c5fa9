import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

const slow = "test/**/*.slow.test.ts";
const cli = "test/cli/**/*.test.ts";
const e2e = "test/e2e/**/*.test.ts";

// Node.js reads these certificates at every start, which doubles the time it takes, and no test asks the network.
delete process.env["NODE_EXTRA_CA_CERTS"];

/** One worker more than cores, for some tests wait. Files share its process: nothing here keeps state in a module. */
const workers = { maxWorkers: availableParallelism() + 1, isolate: false, testTimeout: 60_000 };

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
      {
        test: {
          name: "e2e",
          include: [e2e],
          globalSetup: ["test/support/scenario-images.ts"],
          setupFiles: ["test/support/failure-report.ts"],
          fileParallelism: false,
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
    ],
  },
});
