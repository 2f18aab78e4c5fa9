import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import {
  annotation,
  createHarmlessStream,
  githubCommand,
  harmlessForGithub,
  harmlessJson,
} from "../../../src/core/ci/github-commands.ts";
import { visibleText } from "../../../src/core/text/visible-text.ts";

/** A command as GitHub's runner reads it from a line; after its ActionCommand: the new form at the start, the old anywhere. */
function obeyed(line: string) {
  const old = line.includes("##[") ? { name: "old", properties: {}, text: line } : undefined;
  const found = /^[\s\u0085]*::([^\s:]+)(?: (.*?))?::(.*)$/s.exec(line);
  if (found === null) return old;
  const [, name = "", list = "", text = ""] = found;
  const pairs = list.split(",").filter((each) => each !== "");
  const properties = Object.fromEntries(
    pairs.map((pair) => [pair.split("=")[0] ?? "", decoded(pair.replace(/^[^=]*=/, ""))]),
  );
  return { name, properties, text: decoded(text) };
}

function decoded(text: string): string {
  const letters: Record<string, string> = { "%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ",", "%25": "%" };
  return text.replace(/%(?:0D|0A|3A|2C|25)/g, (each) => letters[each] ?? each);
}

const piece = fc.constantFrom(
  ...[
    "::",
    ":",
    "##[",
    "#",
    "[",
    "\n",
    "\r",
    "\r\n",
    " ",
    "\t",
    "\u00a0",
    "\u0085",
    "\u3000",
    "%",
    "%0A",
    ",",
    "=",
    "]",
    "x",
  ],
  ...[
    "error",
    "add-mask",
    "stop-commands",
    "::error::x",
    "##[add-path]/tmp",
    "\u001b[31m",
    "\ufeff",
    "é",
    "file=a,line=1",
  ],
);
const wild = fc.array(piece, { maxLength: 12 }).map((parts) => parts.join(""));

describe("a command for GitHub", () => {
  it("is read as it was meant, whatever is in its values", () => {
    fc.assert(
      fc.property(wild, wild, (file, text) => {
        const line = githubCommand("error", { file, title: undefined }, text);
        expect(line).not.toMatch(/[\r\n]/);
        expect(obeyed(line)).toEqual({ name: "error", properties: { file }, text });
      }),
    );
  });

  test("without values is only its name", () => {
    expect(githubCommand("endgroup")).toBe("::endgroup::");
  });

  test.each([
    ["/repo/stack/deploy.config.yaml", "stack/deploy.config.yaml"],
    ["deploy.config.yaml", "stack/deploy.config.yaml"],
    ["../compose.yaml", "compose.yaml"],
    ["/etc/docker/daemon.json", "/etc/docker/daemon.json"],
  ])("a finding at %s is shown at %s of the repository", (file, expected) => {
    const finding = {
      code: "D012",
      severity: "error",
      message: "no: such, mode",
      fix: "choose",
      at: { file, line: 4, column: 9 },
    } as const;
    expect(annotation(finding, { cwd: "/repo/stack", workspace: "/repo" })).toBe(
      `::error file=${expected},line=4,col=9,title=D012::${file}:4:9 error D012 no: such, mode%0A  fix: choose`,
    );
  });
});

describe("text from elsewhere", () => {
  /** Neither as it is, nor for a reader that takes the colours at the beginning away. */
  const isHarmless = (text: string) => {
    for (const line of text.split(/\r\n|\r|\n/)) {
      expect(obeyed(line)).toBeUndefined();
      expect(obeyed(line.replace(/^(?:\s|\u0085|\u001b\[[0-9;]*m)+/, ""))).toBeUndefined();
    }
  };

  it("is never obeyed by the runner", () => {
    fc.assert(fc.property(wild, (text) => isHarmless(harmlessForGithub(text))));
    fc.assert(fc.property(wild, (text) => isHarmless(harmlessForGithub(visibleText(text)))));
  });

  it("stays as it is where nothing in it would be obeyed", () => {
    const text = "a::b ## [x] std::vector\n  key: value\n";
    expect(harmlessForGithub(text)).toBe(text);
  });

  it("is not obeyed in whatever pieces it comes, and nothing of it is lost", () => {
    fc.assert(
      fc.property(fc.array(wild), (chunks) => {
        const seen: string[] = [];
        const stream = createHarmlessStream((text) => void seen.push(text));
        for (const chunk of chunks) stream.write(chunk);
        stream.flush();
        isHarmless(seen.join(""));
        expect(seen.join("")).toBe(harmlessForGithub(chunks.join("")));
      }),
    );
  });

  it("means the same in JSON, and is not obeyed there", () => {
    fc.assert(
      fc.property(fc.dictionary(wild, wild), (document) => {
        const json = harmlessJson(JSON.stringify(document, null, 2));
        isHarmless(json);
        expect(JSON.parse(json)).toEqual(document);
      }),
    );
  });
});
