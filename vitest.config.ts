import { defineConfig } from "vitest/config";

const quick = ["core", "golden", "cli", "compose", "gateway", "guard"];

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "quick",
          include: ["test/*.test.ts", ...quick.map((folder) => `test/${folder}/**/*.test.ts`)],
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
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
