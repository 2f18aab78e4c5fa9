import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Option } from "commander";
import { describe, expect, test } from "vitest";
import { commandTable } from "../src/cli.ts";
import { commandFirst, createProgram } from "../src/command-line.ts";
import { parseConfig } from "../src/core/config/config.ts";
import { configJsonSchema } from "../src/core/config/config-reference.ts";
import { configSchema } from "../src/core/config/config-schema.ts";
import { explanationOf } from "../src/core/doctor/explanation.ts";
import { type CodeKind, findingCodes } from "../src/core/findings/finding-codes.ts";
import type { Plan } from "../src/core/plan/plan.ts";
import { planDocument } from "../src/core/plan/plan-document.ts";
import type { Step } from "../src/core/plan/plan-steps.ts";
import { consentNames, privilegeKinds } from "../src/core/privileges/privilege.ts";
import { flagOf, variableOf } from "../src/core/setup/question.ts";
import { questions } from "../src/core/setup/questions.ts";
import { secretFlagOf, secretQuestions, secretVariableOf } from "../src/core/setup/secret-questions.ts";
import { formatFindings } from "../src/core/stack/docker-failures.ts";
import { exitCodes } from "../src/errors.ts";
import { globalOptions } from "../src/global-options.ts";

// Parts of README and docs/troubleshooting.md mirror code and stand between markers. After a change of that code, this writes them anew:
//   npx vitest run --project quick test/docs.test.ts -u

const root = join(import.meta.dirname, "..");
const width = 80;
/** Where explanations begin in a block of commands or flags. */
const column = 27;

function read(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

/** The page with a section for each code. */
const sections = "docs/troubleshooting.md";
const decisions = readdirSync(join(root, "docs/decisions")).map((name) => `docs/decisions/${name}`);
const documents = [
  ...["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"],
  ...["docs/plan-json.md", "docs/guard.md", sections],
  ...decisions,
];

/** Breaks a text into lines that fit, each behind the given indent; code in backticks is never torn apart. */
function wrap(text: string, indent: string): string[] {
  const lines: string[] = [];
  for (const word of text.match(/`[^`]*`\S*|\S+/g) ?? []) {
    const last = lines.at(-1);
    if (last !== undefined && `${last} ${word}`.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(`${indent}${word}`);
  }
  return lines;
}

/** A name, and its explanation in a column of its own or below it. */
function entry(name: string, text: string, start: number, indent: string): string[] {
  const [first = "", ...rest] = wrap(text, " ".repeat(start));
  const head = `${indent}${name}`;
  if (head.length + 2 > start) return [head, first, ...rest];
  return [`${head.padEnd(start)}${first.trimStart()}`, ...rest];
}

function optionLines(options: readonly Option[]): string[] {
  return options.flatMap(({ flags, description, argChoices, defaultValue }) => {
    const joined = argChoices?.join("|") ?? "";
    const choices = argChoices ? ` [${joined.length + column < width ? joined : joined.replaceAll("|", "| ")}]` : "";
    const standard = defaultValue === undefined ? "" : ` (default: ${String(defaultValue)})`;
    return entry(flags, `${description}${choices}${standard}`, column, "    ");
  });
}

function block(lines: readonly string[]): string[] {
  return ["```text", ...lines, "```"];
}

function commandLines(): string[] {
  const commands = commandTable.map(({ name, summary, args = [], options = [] }) => {
    const words = args.map((argument) => {
      const word = `${argument.name()}${argument.variadic ? "..." : ""}`;
      return argument.required ? `<${word}>` : `[${word}]`;
    });
    return [...entry([name, ...words].join(" "), summary, column, ""), ...optionLines(options)];
  });
  return block(commands.flatMap((lines, index) => (index === 0 ? lines : ["", ...lines])));
}

const exitMeanings: Record<keyof typeof exitCodes, string> = {
  done: "done and healthy; nothing to do counts as done",
  failed: "the deployment failed; the failed service's status and last lines are shown",
  input: "wrong usage or configuration; nothing was touched",
  refused: "refused before any change: machine, port, consent",
  locked: "another deploy of this folder, or of this project on its engine, is running",
  changes: "`plan --exit-code` only: there is something to do",
  bug: "a bug in the tool; please report what it printed",
  interrupted: "interrupted by Ctrl-C or a signal; the next `up` or `down` mends it",
};

function exitLines(): string[] {
  const names = Object.keys(exitMeanings).filter((name): name is keyof typeof exitCodes => name in exitCodes);
  return ["| exit | meaning |", "|---|---|", ...names.map((name) => `| ${exitCodes[name]} | ${exitMeanings[name]} |`)];
}

function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

/** Every key of deploy.config.yaml with its default and meaning, as the schema describes it. */
function keyLines(schema: unknown, values: unknown, path: string): string[] {
  const { required } = recordOf(schema);
  return Object.entries(recordOf(recordOf(schema)["properties"])).flatMap(([key, child]) => {
    const { description, properties, enum: choices, items } = recordOf(child);
    const value = recordOf(values)[key];
    const name = `${path}${key}`;
    if (properties !== undefined) return keyLines(child, value, `${name}.`);
    const needed = Array.isArray(required) && required.includes(key);
    const shown = value === undefined ? "no default" : `default \`${JSON.stringify(value).replaceAll('"', "")}\``;
    const one = Array.isArray(choices) ? `; one of ${choices.join(", ")}` : "";
    const [first = "", ...rest] = wrap(
      `\`${name}\` (${needed ? "required" : shown}${one}): ${String(description)}`,
      "  ",
    );
    return [`- ${first.trimStart()}`, ...rest, ...keyLines(items, undefined, `${name}[].`)];
  });
}

const exitOfKind: Record<CodeKind, number> = {
  input: exitCodes.input,
  refused: exitCodes.refused,
  failed: exitCodes.failed,
};

function exitOf(code: string, kind: CodeKind): number {
  // The lock has an exit code of its own.
  return code === "D063" ? exitCodes.locked : exitOfKind[kind];
}

/** Every code with its meaning; each leads to its section. */
function codeRows(): string[] {
  const rows = Object.entries(findingCodes).map(
    ([code, { kind, title }]) => `| [${code}](${sections}#${code.toLowerCase()}) | ${exitOf(code, kind)} | ${title} |`,
  );
  return ["| code | exit | what it means |", "|---|---|---|", ...rows];
}

/** The advice below each code, which is written by hand and stays. */
function adviceOf(text: string): Map<string, string[]> {
  const entries = text.split(/^(?=## D\d{3}$)/m).map((each) => each.trim().split("\n"));
  return new Map(entries.map((lines) => [lines[0]?.slice(3) ?? "", lines.slice(lines.indexOf("", 2) + 1)]));
}

function codeSections(text: string): string[] {
  const advice = adviceOf(text);
  return Object.entries(findingCodes).flatMap(([code, { kind, title }]) => [
    ...["", `## ${code}`, "", ...wrap(`${title} (exit ${exitOf(code, kind)})`, ""), ""],
    ...(advice.get(code) ?? ["(what to do)"]),
  ]);
}

/** Every question of setup, with the ways to answer it. */
function questionLines(): string[] {
  const rows = questions.map(({ id, value, choices, title }) => {
    const answer = choices?.map((choice) => choice.value).join(" \\| ") ?? `<${value}>`;
    return `| \`${flagOf(id)}\` ${answer} | \`${variableOf(id)}\` | ${title} |`;
  });
  const secrets = secretQuestions.map(
    ({ id, title }) => `| \`${secretFlagOf(id)}\` <file> | \`${secretVariableOf(id)}\` | ${title} |`,
  );
  return ["| flag | variable | what |", "|---|---|---|", ...rows, ...secrets];
}

const regions: Record<string, (text: string) => string[]> = {
  commands: commandLines,
  "global flags": () => block(optionLines(globalOptions()).map((line) => line.slice(4))),
  "exit codes": exitLines,
  configuration: () => keyLines(configJsonSchema(), configSchema.parse({ version: 1 }), ""),
  questions: questionLines,
  codes: codeRows,
};

function partsOf(
  text: string,
  name: string,
): { readonly before: string; readonly region: string; readonly after: string } {
  const [before, rest] = text.split(`<!-- ${name} -->\n`);
  const [region, after] = rest?.split(`<!-- /${name} -->`) ?? [];
  if (before === undefined || region === undefined || after === undefined)
    throw new Error(`there must be one region <!-- ${name} -->`);
  return { before, region, after };
}

/** A text with these regions as the code says them. */
function withRegions(text: string, all: Readonly<Record<string, (text: string) => string[]>>): string {
  return Object.entries(all).reduce((rendered, [name, render]) => {
    const { before, region, after } = partsOf(rendered, name);
    return [`${before}<!-- ${name} -->`, render(region).join("\n").trimStart(), `<!-- /${name} -->${after}`].join("\n");
  }, text);
}

describe("the README", () => {
  const readme = read("README.md");

  test("says of commands, flags, exit codes, configuration, questions and codes what the code says", async () => {
    await expect(withRegions(readme, regions)).toMatchFileSnapshot(join(root, "README.md"));
  });

  test.each([...consentNames, ...privilegeKinds])("explains %s", (name) => {
    expect(readme).toContain(`\`${name}\``);
  });

  test("shows only configurations that the tool accepts", () => {
    const shown = [...readme.matchAll(/^```yaml\n(version: 1\n[\s\S]*?)^```/gm)].map(([, text = ""]) => text);
    const findings = shown.flatMap((text) => {
      const parsed = parseConfig({ file: "README.md", text });
      return parsed.ok ? [] : [formatFindings(parsed.findings)];
    });
    expect(shown.length).toBeGreaterThan(1);
    expect(findings).toEqual([]);
  });
});

describe("the page on troubleshooting", () => {
  const text = read(sections);

  test("has a section for every code, in the code's words", async () => {
    await expect(withRegions(text, { codes: codeSections })).toMatchFileSnapshot(join(root, sections));
  });

  test("says for every code what to do", () => {
    const advice = adviceOf(partsOf(text, "codes").region);
    const lacking = Object.keys(findingCodes).filter((code) => (advice.get(code)?.join(" ") ?? "").length < 40);
    expect(lacking).toEqual([]);
  });

  test("is what doctor CODE prints", () => {
    const silent = Object.keys(findingCodes).filter((code) => explanationOf(code, text).length < 40);
    expect(silent).toEqual([]);
  });
});

describe("the plan document", () => {
  const text = read("docs/plan-json.md");
  const example: unknown = JSON.parse(/^```json\n([\s\S]*?)^```/m.exec(text)?.[1] ?? "null");
  const finding = { code: "D047", severity: "error", message: "", fix: "", at: { file: "", line: 1 } } as const;
  const sample: Plan = {
    mode: "local",
    because: { text: "", rule: "" },
    project: "",
    composeFiles: [],
    services: [],
    privileges: [{ service: "", kind: "host-bind", detail: "", change: "gained" }],
    steps: [{ kind: "start", why: "", services: [{ service: "", kind: "create", why: "" }], recreate: false }],
    findings: [finding],
    questions: [{ kind: "data-loss", name: "volumes", text: "" }],
  };

  test("has in its example the fields that the tool writes", () => {
    const written = recordOf(JSON.parse(JSON.stringify({ ...planDocument(sample), exitCode: 0 })));
    expect(Object.keys(recordOf(example)).sort()).toEqual(Object.keys(written).sort());
    for (const list of ["privileges", "steps", "questions"]) {
      const fields = (from: Record<string, unknown>) => {
        const items = from[list];
        return Object.keys(recordOf(Array.isArray(items) ? items[0] : undefined)).sort();
      };
      expect(fields(recordOf(example))).toEqual(fields(written));
    }
  });

  test.each(Object.keys(planDocument(sample)))("says of its field %s what it means", (name) => {
    expect(text).toMatch(new RegExp(`^- \`${name}(?:\\[\\])?\`:`, "m"));
  });

  const stepKinds: Record<Step["kind"], true> = {
    "seed-file": true,
    "generate-secrets": true,
    "write-secret-files": true,
    "write-guard-policy": true,
    "write-tls-files": true,
    "make-local-images": true,
    build: true,
    pull: true,
    "remove-containers": true,
    "remove-sandboxes": true,
    "remove-networks": true,
    start: true,
    "remove-project": true,
  };
  test.each([...Object.keys(stepKinds), ...privilegeKinds, ...consentNames])("explains %s", (name) => {
    expect(text).toContain(`\`${name}\``);
  });
});

describe("the command lines in documents", () => {
  const shown = ["README.md", "SECURITY.md", "CONTRIBUTING.md", "docs/guard.md", "docs/plan-json.md", sections].flatMap(
    (path) => {
      const text = read(path).replace(/\\\n\s*/g, "");
      const indented = [...text.matchAll(/^ {4}\.\/deploy (.*)$/gm)].map(
        ([, line = ""]) => line.split(/ {2,}| #| < /)[0],
      );
      const inline = [...text.matchAll(/`\.\/deploy\s([^`]*)`/g)].map(([, line]) => line?.replace(/\s+/g, " "));
      return [...indented, ...inline].flatMap((line) => (line === undefined ? [] : [{ path, line: line.trim() }]));
    },
  );

  test("are many", () => expect(shown.length).toBeGreaterThan(40));

  test.each(shown)("$path: ./deploy $line is one that the tool understands", async ({ line }) => {
    const dispatched: string[] = [];
    const program = createProgram("", async (command) => void dispatched.push(command));
    // A word in capitals stands for a value of the reader's own.
    const words = commandFirst(line.replace(/(?<=--project )[A-Z]+/, "old").split(" "));
    if (words.includes("--help") || words.includes("--version")) return;
    await program.parseAsync(["node", "deploy", ...words]);
    expect(dispatched).toEqual([words[0]]);
  });
});

describe("every document", () => {
  test("fits a terminal of 80 columns, but for tables, addresses and JSON strings", () => {
    const long = documents.flatMap((path) =>
      read(path)
        .split("\n")
        .flatMap((line, index) =>
          [...line].length > width && !/^\||https?:\/\/|^ *"\w+": "[^"]*",?$/.test(line)
            ? [`${path}:${index + 1}`]
            : [],
        ),
    );
    expect(long).toEqual([]);
  });

  test("links only to files that exist", () => {
    const broken = documents.flatMap((path) =>
      [...read(path).matchAll(/\]\((?!https?:|#)([^)#]+)(#[^)]*)?\)/g)]
        .map(([, target = ""]) => target)
        .filter((target) => !existsSync(join(root, dirname(path), target)))
        .map((target) => `${path}: ${target}`),
    );
    expect(broken).toEqual([]);
  });

  test("names only files of this project that exist", () => {
    const named = /`((?:src|test|compose|scripts|templates|docs|\.ci)\/[\w./-]*)`/g;
    const broken = documents.flatMap((path) =>
      [...read(path).matchAll(named)]
        .map(([, target = ""]) => target)
        .filter((target) => !existsSync(join(root, target)))
        .map((target) => `${path}: ${target}`),
    );
    expect(broken).toEqual([]);
  });

  test.each(decisions)("%s is a page of at most 30 lines", (path) => {
    expect(read(path).trimEnd().split("\n").length).toBeLessThanOrEqual(30);
  });
});

describe("CONTRIBUTING", () => {
  const text = read("CONTRIBUTING.md");
  const { dependencies, devDependencies, overrides } = recordOf(JSON.parse(read("package.json")));
  const packages = [dependencies, devDependencies, overrides].flatMap((group) => Object.keys(recordOf(group)));

  test.each(packages)("says why %s is there", (name) => {
    expect(text).toContain(`\`${name}\``);
  });

  test("gives one reason to each package, and none to one that is gone", () => {
    const rows = [...text.matchAll(/^\| `([^`]+)` \| (?:runs|builds|tests|gateway)/gm)].map(([, name]) => name);
    expect(rows.length).toBeGreaterThan(10);
    expect(rows.filter((name, index) => rows.indexOf(name) !== index)).toEqual([]);
    expect(rows.filter((name) => name === undefined || !packages.includes(name))).toEqual([]);
  });
});
