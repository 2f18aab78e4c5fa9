import { runCached } from "./code-cache.ts";

const [, , command, action] = process.argv;

// Nothing is loaded for `--version`. The build puts the version and the name of its program here.
if (process.argv.length === 3 && /^(--version|-V)$/.test(process.argv[2] ?? "")) {
  process.stdout.write(`${process.env.SANDBOX_DEPLOY_VERSION}\n`);
} else if (command === "guard" && action === "serve") {
  // A program of its own, which somebody may want without the rest.
  process.argv.splice(2, 1);
  void import(`${import.meta.dirname}/guard/guard.js`);
} else {
  runCached(import.meta.dirname, `${process.env.SANDBOX_DEPLOY_PROGRAM}`, process);
}
