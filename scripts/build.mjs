// Bundles the programs of this project into dist/: the deploy tool (one file, whose compiled code src/code-cache.ts keeps,
// and whose modules are evaluated only when they are needed) and the programs that run inside the gateway's and the guard's
// containers.
//
// Every file is replaced by a rename, main.js last, and the tool's program carries a hash: a deploy that is starting
// meanwhile finds the program of its own build. The marker dist/.built is as old as the start of the build and appears at its end:
// the launcher builds again when it is missing or a source is newer.
//
// usage: node scripts/build.mjs [FOLDER [VERSION]]    builds into another folder than dist/, as another version
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { build } from "esbuild";

const root = dirname(import.meta.dirname);
const [folder = join(root, "dist"), release = JSON.parse(await readFile(join(root, "package.json"), "utf8")).version] =
  process.argv.slice(2);
const dist = resolve(folder);
process.chdir(root);
const marker = `${dist}/.built.${process.pid}`;
await mkdir(dist, { recursive: true });
await writeFile(marker, "");

const options = {
  absWorkingDir: root,
  bundle: true,
  write: false,
  platform: "node",
  target: "node20",
  format: "esm",
  minifySyntax: true,
  legalComments: "none",
  logLevel: "warning",
  define: { "process.env.SANDBOX_DEPLOY_VERSION": JSON.stringify(release) },
  // Some dependencies are CommonJS and call require() for Node's own modules.
  banner: {
    js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
  },
};

/** CommonJS starts sooner than modules do, and V8 can keep it compiled. */
const script = {
  format: "cjs",
  banner: {},
  define: { ...options.define, "import.meta.dirname": "__dirname" },
};

/** One file; the modules behind an `import()` are evaluated when it is reached. */
const whole = { ...script, supported: { "dynamic-import": false } };

async function bundle(entryPoints, outdir, more = {}) {
  const { outputFiles } = await build({ ...options, ...more, entryPoints, outdir });
  return outputFiles.map((file) => [file.path, file.contents]);
}

async function copies(from, to) {
  const entries = existsSync(from) ? await readdir(from, { recursive: true, withFileTypes: true }) : [];
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(paths.map(async (path) => [join(to, relative(from, path)), await readFile(path)]));
}

async function replace(path, content) {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.${process.pid}`, content);
  await rename(`${path}.${process.pid}`, path);
}

async function linesOf(path) {
  return existsSync(path) ? (await readFile(path, "utf8")).split("\n") : [];
}

/** Removes what neither this build nor the one before it made: the one before may be running. */
async function removeOlder(kept) {
  for (const entry of await readdir(dist, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const ofLauncher = entry.parentPath === dist && (entry.name.startsWith(".") || entry.name.endsWith(".log"));
    if (!entry.isDirectory() && !ofLauncher && !kept.has(path)) await rm(path, { force: true });
  }
}

try {
  const files = new Map([
    [`${dist}/package.json`, `${JSON.stringify({ type: "commonjs", version: release })}\n`],
    [`${dist}/gateway/package.json`, '{"type":"module"}\n'],
    ...(await copies("src/gateway/page", `${dist}/gateway/page`)),
    ...(await bundle({ server: "src/gateway/main.ts" }, `${dist}/gateway`)),
    [`${dist}/guard/package.json`, '{"type":"module"}\n'],
    ...(await bundle({ guard: "src/guard/main.ts" }, `${dist}/guard`)),
    // By itself: bundled together, all that it needs of zod would be loaded by every command.
    ...(await bundle({ schema: "src/schema.ts" }, dist, { outExtension: { ".js": ".mjs" } })),
  ]);
  const [[, program]] = await bundle({ program: "src/program.ts" }, dist, whole);
  const name = `program-${createHash("sha256").update(program).digest("hex").slice(0, 12)}.cjs`;
  files.set(`${dist}/${name}`, program);
  const define = { ...script.define, "process.env.SANDBOX_DEPLOY_PROGRAM": JSON.stringify(name) };
  const [[, main]] = await bundle({ main: "src/main.ts" }, dist, { ...script, define });
  for (const [path, content] of files) await replace(path, content);
  await replace(`${dist}/main.js`, main);
  await removeOlder(new Set([...files.keys(), `${dist}/main.js`, ...(await linesOf(`${dist}/.files`))]));
  await replace(`${dist}/.files`, [...files.keys()].join("\n"));
  await rename(marker, `${dist}/.built`);
} catch (error) {
  await rm(marker, { force: true });
  // esbuild has already shown its own errors with their places.
  if (!Array.isArray(error.errors)) console.error(`build: ${error.message}`);
  process.exitCode = 1;
}
