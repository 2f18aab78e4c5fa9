import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { plainTasks } from "../../src/terminal/plain-tasks.ts";
import { createReporter } from "../../src/terminal/reporter.ts";

function recording() {
  const shown: string[] = [];
  const terminal = { stdout: (text: string) => void shown.push(text), stderr: () => undefined };
  const tasks = plainTasks(false, () => 0);
  return { shown, reporter: createReporter({ ...terminal, json: false, color: false }, tasks, undefined) };
}

describe("a stream of text", () => {
  it("shows no secret, in whatever pieces it comes, and everything else", () => {
    const cuts = fc.array(fc.nat(40), { maxLength: 6 });
    fc.assert(
      fc.property(cuts, (places) => {
        const { shown, reporter } = recording();
        reporter.hide(["hush-hush-now"]);
        const text = "before hush-hush-now after hush-hush";
        const starts = [0, ...places.toSorted((a, b) => a - b)];
        for (const [index, start] of starts.entries()) reporter.stream(text.slice(start, starts[index + 1]));
        reporter.endStream();
        expect(shown.join("")).toBe("before ‹redacted› after hush-hush");
      }),
    );
  });

  it("shows no secret that became known after it began", () => {
    const { shown, reporter } = recording();
    reporter.stream("begun\n");
    reporter.hide(["hush-hush-now"]);
    reporter.stream("it is hush-hush-now\n");
    reporter.endStream();
    expect(shown.join("")).toBe("begun\nit is ‹redacted›\n");
  });
});
