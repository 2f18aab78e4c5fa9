import { runCached } from "./code-cache.ts";

// Nothing is loaded for `--version`. The build puts the version and the name of its program here.
if (process.argv.length === 3 && /^(--version|-V)$/.test(process.argv[2] ?? "")) {
  process.stdout.write(`${process.env.SANDBOX_DEPLOY_VERSION}\n`);
} else {
  runCached(import.meta.dirname, `${process.env.SANDBOX_DEPLOY_PROGRAM}`, process);
}
