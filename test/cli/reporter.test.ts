import { once } from "node:events";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { withPatience } from "../../src/terminal/patience.ts";
import { plainTasks } from "../../src/terminal/plain-tasks.ts";
import { createReporter } from "../../src/terminal/reporter.ts";
import type { Progress } from "../../src/world.ts";
import { stoppedClock } from "./support/stopped-clock.ts";

function recording() {
  const shown: string[] = [];
  const terminal = { stdout: (text: string) => void shown.push(text), stderr: () => undefined };
  const tasks = plainTasks(false, stoppedClock);
  return {
    shown,
    reporter: createReporter({ ...terminal, json: false, color: false, columns: () => undefined }, tasks, undefined),
  };
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

/** A clock that goes on when it is told to. */
function handClock() {
  let seconds = 0;
  const ticks = new Set<() => void>();
  const clock = {
    elapsedSeconds: () => seconds,
    everySecond: (each: () => void) => {
      ticks.add(each);
      return () => void ticks.delete(each);
    },
  };
  const pass = (more: number) => {
    for (let left = more; left > 0; left -= 1) {
      seconds += 1;
      for (const tick of ticks) tick();
    }
  };
  return { clock, pass, ticks };
}

describe("progress in a pipe", () => {
  function told(verbose: boolean) {
    const { clock, pass } = handClock();
    const shown: string[] = [];
    const run = (work: (progress: Progress) => void) =>
      plainTasks(verbose, clock)(
        [{ title: "build a", run: async (progress) => work(progress) }],
        (line) => shown.push(line),
        (line) => line,
      );
    return { shown, pass, run };
  }

  it("is a line from time to time, also while nothing is said, and none for what is soon over", async () => {
    const { shown, pass, run } = told(false);
    await run((progress) => {
      progress("#1 [a 1/9] FROM b", "output");
      progress("a 1/9: FROM b", "summary");
      pass(14);
      progress("a 2/9: RUN c", "summary");
      pass(33);
      progress("a 9/9: RUN d", "summary");
    });
    expect(shown).toEqual([
      "- build a",
      "  a 2/9: RUN c (15 s)",
      "  a 2/9: RUN c (30 s)",
      "  a 2/9: RUN c (45 s)",
      "  done in 47.0 s",
    ]);
  });

  it("is every line of the child process with --verbose, and each once", async () => {
    const { shown, pass, run } = told(true);
    await run((progress) => {
      progress("#1 [a 1/9] FROM b", "output");
      progress("a 1/9: FROM b", "summary");
      pass(99);
      progress("a: starting");
    });
    expect(shown).toEqual(["- build a", "    #1 [a 1/9] FROM b", "    a: starting", "  done in 99.0 s"]);
  });
});

describe("a question that is not answered", () => {
  const question = (...args: string[]) => ({
    program: "/usr/libexec/docker/cli-plugins/docker-compose",
    args,
    env: {},
  });
  const config = question("compose", "--project-name", "scripted", "--file", "a.yaml", "config", "--format", "json");

  function waiting() {
    const { clock, pass, ticks } = handClock();
    const said: string[] = [];
    const terminal = { stdout: () => undefined, stderr: (text: string) => void said.push(text) };
    const shown = { ...terminal, json: false, color: false, columns: () => undefined };
    const patience = withPatience(createReporter(shown, plainTasks(false, clock), undefined), clock);
    return { ...patience, pass, ticks, said };
  }

  it("is named once after ten seconds, with what to do", async () => {
    const { wait, pass, ticks, said } = waiting();
    const engine = new AbortController();
    const answers = [config, config].map((each) => wait(each, once(engine.signal, "abort")));
    pass(9);
    expect(said).toEqual([]);
    pass(30);
    expect(said).toEqual([
      "still waiting for docker compose config: ./deploy doctor tells whether the engine hangs; Ctrl-C ends this\n",
    ]);
    engine.abort();
    await Promise.all(answers);
    expect(ticks.size).toBe(0);
  });

  it("is left to the tasks that ask it", async () => {
    const { reporter, wait, pass, said } = waiting();
    const run = async () => {
      const engine = new AbortController();
      const answer = wait(config, once(engine.signal, "abort"));
      pass(20);
      engine.abort();
      await answer;
    };
    await reporter.tasks([{ title: "wait", run }]);
    expect(said.join("")).not.toContain("still waiting for docker");
  });
});
