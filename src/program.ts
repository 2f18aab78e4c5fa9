import { homedir } from "node:os";
import { dirname, resolve } from "node:path";
import type { Prefetch } from "./shell/processes/prefetch.ts";

// The built program lies in dist/, one folder below the checkout.
const toolRoot = dirname(import.meta.dirname);
const version = process.env.SANDBOX_DEPLOY_VERSION ?? "0.0.0-source";

/** Starts early what lasts, and loads late what is needed. */
async function main(argv: readonly string[]): Promise<number> {
  const prefetch = await prefetchFor(argv);
  try {
    const { run } = await import("./run.ts");
    return await run(argv, { version, toolRoot, process, prefetch });
  } finally {
    prefetch?.stop();
  }
}

/** `plan` and `up` ask the same children almost every time: they start while the modules that decide are still loading. */
async function prefetchFor(argv: readonly string[]): Promise<Prefetch | undefined> {
  if (argv[0] !== "plan" && argv[0] !== "up") return undefined;
  const { startPrefetch } = await import("./shell/processes/prefetch.ts");
  const named = argv.indexOf("--config");
  const config = resolve((named > 0 ? argv[named + 1] : undefined) ?? "deploy.config.yaml");
  return startPrefetch(resolve(dirname(config), ".deploy/receipt.json"), homedir(), process.env);
}

main(process.argv.slice(2)).then((exitCode) => {
  process.exitCode = exitCode;
});
