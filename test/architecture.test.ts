import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, normalize } from "node:path";
import { buildSync, transformSync } from "esbuild";
import { describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "..");

interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly lines: readonly string[];
  /** Packages by name, other files by their path from the root. */
  readonly imports: readonly string[];
}

const files: readonly SourceFile[] = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
  .filter((path) => path.endsWith(".ts"))
  .sort()
  .map((path) => readSource(join("src", path)));

function readSource(path: string): SourceFile {
  const text = readFileSync(join(root, path), "utf8");
  const statements = text.matchAll(/^(?:import|export)\b(?:[^;"'`]*?\bfrom)?\s*"([^"]+)"/gm);
  const calls = text.matchAll(/\bimport\(\s*"([^"]+)"/g);
  const imports = [...statements, ...calls].map(([, name = ""]) => resolveImport(path, name));
  return { path, text, lines: text.replace(/\n$/, "").split("\n"), imports };
}

function resolveImport(from: string, name: string): string {
  return name.startsWith(".") ? normalize(join(dirname(from), name)) : name;
}

const container = ["src/gateway/", "src/guard/"];
/** What decides in the guard: values in, values out. */
const judging = ["src/guard/request/", "src/guard/model/", "src/guard/policy/", "src/guard/decision/"];
const ground = ["src/core/", "src/world.ts", "src/errors.ts", "src/files.ts"];

/** What the files of a layer may import: a folder (with its slash), a file, a package or `node:`. First match counts. */
const layers: readonly { readonly of: string; readonly mayImport: readonly string[] }[] = [
  { of: "src/core/", mayImport: ["src/core/", "yaml", "zod", "dotenv"] },
  { of: "src/shell/", mayImport: ["src/shell/", ...ground, "zx", "yaml", "zod", "node:"] },
  { of: "src/terminal/", mayImport: ["src/terminal/", ...ground, "listr2", "enquirer", "node:"] },
  {
    of: "src/gateway/",
    mayImport: ["src/gateway/", "fastify", "@fastify/rate-limit", "ioredis", "yaml", "zod", "node:"],
  },
  { of: "src/guard/", mayImport: ["src/guard/", "yaml", "zod", "node:"] },
  ...judging.map((of) => ({ of, mayImport: [...judging, "yaml", "zod", "node:crypto"] })),
  {
    of: "src/commands/",
    mayImport: [
      "src/commands/",
      "src/cli.ts",
      "src/global-options.ts",
      "src/shell/",
      "src/terminal/",
      ...ground,
      "yaml",
    ],
  },
  { of: "src/world.ts", mayImport: ["src/core/", "src/errors.ts", "src/files.ts"] },
  { of: "src/files.ts", mayImport: ["src/core/", "src/errors.ts"] },
  { of: "src/errors.ts", mayImport: ["src/core/"] },
  // The table of commands must not load them: each loads when it is called.
  { of: "src/cli.ts", mayImport: ["src/core/", "src/errors.ts", "src/setup-options.ts", "commander"] },
  { of: "src/setup-options.ts", mayImport: ["src/core/", "commander"] },
  { of: "src/global-options.ts", mayImport: ["src/core/", "commander"] },
  { of: "src/command-line.ts", mayImport: ["src/cli.ts", "src/global-options.ts", "src/core/", "commander"] },
  {
    of: "src/usage.ts",
    mayImport: ["src/cli.ts", "src/global-options.ts", "src/command-line.ts", "src/core/", "commander"],
  },
  { of: "src/schema.ts", mayImport: ["src/core/", "zod", "node:"] },
  { of: "src/main.ts", mayImport: ["src/code-cache.ts"] },
  { of: "src/code-cache.ts", mayImport: ["node:"] },
  { of: "src/program.ts", mayImport: ["src/run.ts", "src/shell/processes/prefetch.ts", "node:"] },
  {
    of: "src/run.ts",
    mayImport: [
      "src/cli.ts",
      "src/command-line.ts",
      "src/usage.ts",
      "src/commands/dispatch.ts",
      "src/real-world.ts",
      ...ground,
    ],
  },
  {
    of: "src/real-world.ts",
    mayImport: ["src/commands/dispatch.ts", "src/shell/", "src/terminal/", ...ground, "node:"],
  },
];

function allows(entry: string, name: string): boolean {
  if (entry.endsWith("/") || entry === "node:") return name.startsWith(entry);
  return name === entry || (!entry.startsWith("src/") && name.startsWith(`${entry}/`));
}

function under(path: string, places: readonly string[]): boolean {
  return places.some((place) => (place.endsWith("/") ? path.startsWith(place) : path === place));
}

/** Global names and packages that let the outside world in, and the files that may use them. */
const outsideWorld: Record<string, readonly string[]> = {
  process: ["src/main.ts", "src/program.ts", "src/schema.ts", "src/gateway/main.ts", "src/guard/main.ts"],
  console: [],
  // A certificate writes its times as text.
  Date: ["src/real-world.ts", "src/shell/network/certificates.ts", ...container],
  // It gives up after five minutes of silence, whatever its signal says: nothing that may last longer is asked with it.
  fetch: ["src/gateway/healthcheck.ts"],
  zx: ["src/shell/processes/exec.ts"],
  listr2: ["src/terminal/"],
  enquirer: ["src/terminal/"],
  commander: ["src/cli.ts", "src/global-options.ts", "src/command-line.ts", "src/usage.ts", "src/setup-options.ts"],
};

/** Finds a global by letting esbuild rename it: strings, comments, types and local variables of that name stay out. */
function usesGlobal(file: SourceFile, name: string): boolean {
  const marker = `__global_${name}`;
  const options = { loader: "ts", define: { [name]: marker }, target: "esnext" } as const;
  return transformSync(file.text, options).code.includes(marker);
}

function uses(file: SourceFile, name: string): boolean {
  if (file.imports.some((each) => each === name || each === `node:${name}` || each.startsWith(`${name}/`))) return true;
  return /^(process|console|Date|fetch)$/.test(name) && usesGlobal(file, name);
}

/** The text without comments and with emptied strings, line by line, for rules about words of the language. */
function codeLines(file: SourceFile): string[] {
  const code = file.text
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ""))
    .replace(/`(?:[^`\\]|\\.)*`/g, (template) => "``" + template.replace(/[^\n]/g, ""));
  return code.split("\n").map((line) => line.replace(/"(?:[^"\\]|\\.)*"/g, '""').replace(/(^|\s)\/\/.*$/, ""));
}

function isDocumented(file: SourceFile, line: number): boolean {
  const above = file.lines[line - 1] ?? "";
  // An overload shares the docstring of the first one.
  return above.endsWith("*/") || (above.startsWith("export function ") && above.endsWith(";"));
}

/** The first and last line of every function that begins at the margin, as line counts. */
function longFunctions(file: SourceFile): string[] {
  const long: string[] = [];
  let start = -1;
  for (const [index, line] of file.lines.entries()) {
    if (/^(?:export )?(?:async )?function\b/.test(line) || /^(?:export )?const \w+ = .*=> \{$/.test(line))
      start = index;
    if (line.startsWith("}") && start >= 0) {
      if (index - start + 1 > 60) long.push(`${file.path}:${start + 1}: ${index - start + 1} lines`);
      start = -1;
    }
  }
  return long;
}

/** The packages that are loaded before any `import()` runs, each with the file that imports it. */
function packagesLoadedBy(entry: string): string[] {
  const { metafile } = buildSync({
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    platform: "node",
    format: "esm",
    packages: "external",
    write: false,
    metafile: true,
    logLevel: "silent",
  });
  const seen = new Set([entry]);
  const found: string[] = [];
  for (const path of seen) {
    for (const { path: target, kind, external } of metafile.inputs[path]?.imports ?? []) {
      if (kind === "dynamic-import") continue;
      if (!external) seen.add(target);
      else if (!target.startsWith("node:")) found.push(`${target}, imported by ${path}`);
    }
  }
  return found;
}

function eachLine(
  rule: (line: string, file: SourceFile, index: number) => boolean,
  lines = (file: SourceFile) => file.lines,
): string[] {
  return files.flatMap((file) =>
    [...lines(file)].flatMap((line, index) =>
      rule(line, file, index) ? [`${file.path}:${index + 1}: ${line.trim()}`] : [],
    ),
  );
}

describe("layers", () => {
  test.each(layers)("$of imports only what its layer may", ({ of, mayImport }) => {
    const wrong = files
      .filter((file) => under(file.path, [of]))
      .flatMap((file) =>
        file.imports
          .filter((name) => !mayImport.some((entry) => allows(entry, name)))
          .map((name) => `${file.path} imports ${name}`),
      );
    expect(wrong).toEqual([]);
  });

  test("every source file belongs to a layer", () => {
    expect(files.filter((file) => !layers.some(({ of }) => under(file.path, [of]))).map((file) => file.path)).toEqual(
      [],
    );
  });

  test("every imported file exists", () => {
    const missing = files.flatMap((file) =>
      file.imports.filter((name) => name.startsWith("src/") && !existsSync(join(root, name))),
    );
    expect(missing).toEqual([]);
  });
});

describe("start-up", () => {
  test("no package is loaded before a command is known", () => {
    expect(packagesLoadedBy("src/program.ts")).toEqual([]);
  });

  test("zod is imported as a namespace, or all of it ends up in the bundle", () => {
    expect(eachLine((line) => /^import (?!type )(?!\* as ).*"zod"/.test(line))).toEqual([]);
  });
});

describe("the outside world", () => {
  test.each(Object.entries(outsideWorld))("%s is used only in its own files", (name, allowed) => {
    expect(files.filter((file) => uses(file, name) && !under(file.path, allowed)).map((file) => file.path)).toEqual([]);
  });

  test.each(["globalThis", "Math.random", "crypto", "setTimeout", "fetch"])("core does not use %s", (name) => {
    expect(
      files.filter((file) => under(file.path, ["src/core/"]) && usesGlobal(file, name)).map((file) => file.path),
    ).toEqual([]);
  });
});

describe("files and names", () => {
  test("no file is longer than 300 lines", () => {
    expect(files.filter((file) => file.lines.length > 300).map((file) => `${file.path}: ${file.lines.length}`)).toEqual(
      [],
    );
  });

  test("no function is longer than 60 lines", () => {
    expect(files.flatMap(longFunctions)).toEqual([]);
  });

  test("no file has a name that says nothing, and none only passes others on", () => {
    const empty = /^(index|utils?|helpers?|common|misc|managers?|shared)$|-(utils?|helpers?|manager)$/;
    expect(files.filter((file) => empty.test(basename(file.path, ".ts"))).map((file) => file.path)).toEqual([]);
  });
});

describe("language", () => {
  test("nothing is exported by default", () => {
    expect(eachLine((line) => /^export default\b|^export \{[^}]*\bas default\b/.test(line))).toEqual([]);
  });

  test("no module passes everything of another on", () => {
    expect(eachLine((line) => /^export \* /.test(line))).toEqual([]);
  });

  test("any is not used as a type", () => {
    expect(eachLine((line) => /(?:[:<|&,(=]\s*|\bas )any\b(?!\s*[:(.=])/.test(line), codeLines)).toEqual([]);
  });

  test("every import of a file of this project names it with its extension", () => {
    expect(
      files.flatMap((file) => file.imports.filter((name) => name.startsWith("src/") && !name.endsWith(".ts"))),
    ).toEqual([]);
  });

  test("every exported function, type and constant has a docstring", () => {
    const declaration = /^export (?:async )?(?:function|const|type|interface|class)\b [^{*]/;
    expect(eachLine((line, file, index) => declaration.test(line) && !isDocumented(file, index))).toEqual([]);
  });

  test("no path of one machine is written down", () => {
    expect(eachLine((line) => /["'`\s(](?:\/work\/|\/root\/|\/home\/\w)/.test(line))).toEqual([]);
  });
});
