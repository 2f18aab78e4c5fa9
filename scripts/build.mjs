// Bundles the programs of this project into dist/: the deploy tool (split, so that a command loads only what it
// needs) and, each as one self-contained file, the programs that run inside containers.
import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { build } from "esbuild";

const { version } = JSON.parse(await readFile("package.json", "utf8"));
const common = {
  bundle: true,
  platform: "node",
  target: "node20",
  format: "esm",
  minifySyntax: true,
  legalComments: "none",
  logLevel: "warning",
  define: { "process.env.SANDBOX_DEPLOY_VERSION": JSON.stringify(version) },
  // Some dependencies are CommonJS and call require() for Node's own modules.
  banner: { js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);' },
};

await rm("dist", { recursive: true, force: true });
await Promise.all([
  build({
    ...common,
    entryPoints: { main: "src/main.ts", schema: "src/schema.ts" },
    outdir: "dist",
    splitting: true,
    chunkNames: "chunks/[name]-[hash]",
  }),
  build({ ...common, entryPoints: { server: "src/gateway/main.ts" }, outdir: "dist/gateway" }),
]);
await cp("src/gateway/page", "dist/gateway/page", { recursive: true });
await writeFile("dist/package.json", `${JSON.stringify({ type: "module", version })}\n`);
await writeFile("dist/gateway/package.json", '{"type":"module"}\n');
