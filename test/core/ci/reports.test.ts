import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { junitXml, xmlAttribute, xmlText } from "../../../src/core/ci/junit.ts";
import { pipelineOf, reportPathsOf } from "../../../src/core/ci/pipeline.ts";
import type { CommandReport } from "../../../src/core/ci/report.ts";
import { codeSpan, fenced, summaryMarkdown } from "../../../src/core/ci/summary.ts";

const piece = fc.constantFrom(
  ...[
    "`",
    "``",
    "```",
    "~~~",
    "|",
    "\n",
    " ",
    "<",
    ">",
    "&",
    '"',
    "'",
    "]]>",
    "<!--",
    "-->",
    "\u0000",
    "\u001b",
    "\ud800",
  ],
  ...[
    "\t",
    "\r",
    "\ufffe",
    "@someone",
    "![x](https://evil)",
    "</testcase>",
    "</details>",
    "&amp;",
    "&#10;",
    "é",
    "😀",
    "word",
  ],
);
const wild = fc.array(piece, { maxLength: 12 }).map((parts) => parts.join(""));

function reportOf(text: string, exitCode = 3): CommandReport {
  const privilege = {
    service: text,
    kind: "runtime-socket",
    detail: text,
    change: "gained",
    consent: "host-root",
  } as const;
  return {
    ...{ command: "up", version: "1", exitCode, seconds: 1.5, result: text },
    plan: {
      ...{ project: "agents", mode: "aio", steps: 1, text, privileges: [privilege] },
      open: [{ kind: "host-privilege", name: "host-root", text }],
    },
    findings: [
      { code: "D060", severity: "error", message: text, fix: text, at: { file: text, line: 1 } },
      { code: "D117", severity: "warning", message: text },
    ],
    tasks: [
      { title: text, outcome: "done", seconds: 1 },
      { title: text, outcome: "failed", seconds: 1 },
      { title: text, outcome: "not begun", seconds: 0 },
    ],
  };
}

/** What a page says outside of code, read as CommonMark does: fences first, then spans. */
function outsideCode(markdown: string): string {
  const lines: string[] = [];
  let fence: string | undefined;
  for (const line of markdown.split("\n")) {
    const ticks = /^(`{3,})/.exec(line)?.[1];
    if (fence === undefined && ticks !== undefined) fence = ticks;
    else if (fence !== undefined && /^`{3,}$/.test(line) && line.length >= fence.length) fence = undefined;
    else if (fence === undefined) lines.push(line.replace(/(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)/g, ""));
  }
  expect(fence).toBeUndefined();
  return lines.join("\n");
}

/** The text of an element or attribute as a reader of XML has it. */
function read(xml: string): string {
  const named: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"' };
  return xml.replace(/&(?:#(\d+)|(\w+));/g, (_whole, number: string | undefined, name: string) =>
    number === undefined ? (named[name] ?? "") : String.fromCodePoint(Number(number)),
  );
}

describe("a page of Markdown", () => {
  const calm = outsideCode(summaryMarkdown(reportOf("calm")));

  it("has no markup from elsewhere, whatever names and messages say", () => {
    fc.assert(
      fc.property(wild, (text) => {
        const report = reportOf(`x${text}`);
        expect(outsideCode(summaryMarkdown(report))).toBe(calm);
      }),
    );
  });

  it("shows a block as it is", () => {
    fc.assert(
      fc.property(wild, (text) => {
        const block = fenced(text);
        expect(block.slice(block.indexOf("\n") + 1, block.lastIndexOf("\n"))).toBe(text);
      }),
    );
  });

  it("keeps a span on one line", () => {
    fc.assert(fc.property(wild, (text) => void expect(codeSpan(text)).not.toMatch(/[\r\n]/)));
  });

  it.each(["long ", "läng ", "長い "])(
    "fits into a comment, however long a plan of %j is, and says where it was cut",
    (word) => {
      const page = summaryMarkdown(reportOf(word.repeat(30_000)));
      expect(Buffer.byteLength(page)).toBeLessThan(65_000);
      expect(page).toContain("… cut here");
      expect(page).toContain("The plan names the privileges.");
    },
  );

  it("says where all of it is, where even the fences would be too long", () => {
    const page = summaryMarkdown(reportOf("`".repeat(30_000)));
    expect(Buffer.byteLength(page)).toBeLessThan(1000);
    expect(page).toMatch(
      /^<!-- sandbox-deploy up .*\n\n### .*\n\nThe rest does not fit here; the log has all of it\.\n$/,
    );
  });

  test("says what happened, what is gained and what nobody accepted", () => {
    const page = summaryMarkdown(reportOf("calm"));
    expect(page).toContain("### ` deploy up `: refused before any change (exit 3)");
    expect(page).toContain("|**gained**|` calm `|` runtime-socket `|` calm `|` host-root `|");
    expect(page).toContain("#### Not accepted\n\n- ` host-root `: ` calm `");
  });
});

describe("a test report", () => {
  it("holds every text so that a reader of XML gets it back", () => {
    fc.assert(
      fc.property(wild, (text) => {
        const speakable = text.replace(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, "\u{fffd}");
        expect(read(xmlText(text))).toBe(speakable);
        expect(read(xmlAttribute(text))).toBe(speakable);
        expect(xmlText(text)).not.toMatch(/[<>"\r]/);
        expect(xmlAttribute(text)).not.toMatch(/[<>"\r\n\t]/);
      }),
    );
  });

  it("has the same elements whatever names and messages say", () => {
    const elements = (text: string) => [...junitXml(reportOf(text)).matchAll(/<[/?]?[a-z-]+/g)].map(([name]) => name);
    const calm = elements("calm");
    fc.assert(fc.property(wild, (text) => void expect(elements(`x${text}`)).toEqual(calm)));
  });

  test("counts errors, failed tasks and what nobody accepted as failures, and warnings as passed", () => {
    const xml = junitXml(reportOf("calm"));
    expect(xml).toContain('<testsuites name="deploy" tests="7" failures="4" errors="0" skipped="1" time="1.500">');
    expect(xml).toContain(
      '<testcase name="calm gains runtime-socket calm" classname="deploy.up.privilege" time="0.000">',
    );
    expect(xml).toContain('<failure message="host-root is not accepted" type="consent">calm</failure>');
    expect(xml).toContain("<system-out>warning D117 calm</system-out>");
  });

  test("of a plan with something to do has not failed", () => {
    const { plan: _, ...rest } = reportOf("calm", 10);
    const xml = junitXml({ ...rest, command: "plan", plan: undefined, findings: [], tasks: [] });
    expect(xml).toContain('tests="1" failures="0"');
  });
});

describe("a pipeline", () => {
  test.each([
    [{}, undefined, undefined],
    [{ CI: "" }, false, undefined],
    [{ CI: "false" }, undefined, undefined],
    [{ CI: "0", GITHUB_ACTIONS: "true" }, undefined, undefined],
    [{ CI: "false" }, true, "plain"],
    [{}, true, "plain"],
    [{ CI: "1" }, undefined, "plain"],
    [{ CI: "true", GITHUB_ACTIONS: "true" }, undefined, "github"],
    [{ GITHUB_ACTIONS: "true" }, undefined, undefined],
    [{ GITLAB_CI: "true" }, true, "gitlab"],
  ] as const)("of %j with --ci %s is %s", (env, flag, expected) => {
    expect(pipelineOf(env, flag)).toBe(expected);
  });

  test("names files by flags before variables, from the current folder, and GitHub's page only there", () => {
    const folders = { cwd: "/repo", home: "/home/me" };
    const env = {
      DEPLOY_JUNIT_FILE: "out/junit.xml",
      DEPLOY_JSON_FILE: "/tmp/x.json",
      GITHUB_STEP_SUMMARY: "/tmp/step",
    };
    const flags = { jsonFile: "y.json" };
    const paths = { summary: undefined, junit: "/repo/out/junit.xml", json: "/repo/y.json" };
    expect(reportPathsOf(env, flags, "github", folders)).toEqual({ ...paths, stepSummary: "/tmp/step" });
    expect(reportPathsOf(env, flags, "gitlab", folders)).toEqual({ ...paths, stepSummary: undefined });
    expect(reportPathsOf({}, {}, "github", folders)).toBeUndefined();
  });
});
