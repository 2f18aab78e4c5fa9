import { randomBytes } from "node:crypto";
import {
  annotation,
  createHarmlessStream,
  githubCommand,
  harmlessForGithub,
  harmlessJson,
} from "../core/ci/github-commands.ts";
import { sectionEnd, sectionStart } from "../core/ci/gitlab-section.ts";
import type { Pipeline } from "../core/ci/pipeline.ts";
import type { Reporter } from "../world.ts";
import { type Fold, foldedTasks } from "./folded-tasks.ts";
import { createReporter, type Terminal } from "./reporter.ts";

/** What lines of a pipeline's log are made of, apart from what is said. */
export interface Surroundings {
  readonly cwd: string;
  /** The folder of the repository, from which annotations count. */
  readonly workspace: string | undefined;
  readonly elapsedSeconds: () => number;
  readonly unixSeconds: () => number;
}

/** The reporter for a pipeline: plain lines, folded where its log can do that, findings at their places. It asks nothing. */
export function createCiReporter(
  terminal: Terminal,
  pipeline: Exclude<Pipeline, "plain">,
  surroundings: Surroundings,
): Reporter {
  switch (pipeline) {
    case "gitlab": {
      const fold = sections(terminal, surroundings);
      return createReporter(terminal, foldedTasks(fold, surroundings.elapsedSeconds), undefined);
    }
    case "github":
      return createGithubReporter(terminal, surroundings);
  }
}

/** Nothing that comes from elsewhere can open or close one: escape characters never reach the log. */
function sections({ stderr }: Terminal, { unixSeconds }: Surroundings): Fold {
  let count = 0;
  const name = () => `deploy_${count}`;
  return {
    open(title) {
      count += 1;
      stderr(`${sectionStart(name(), title, unixSeconds())}\n`);
    },
    close: () => stderr(`${sectionEnd(name(), unixSeconds())}\n`),
  };
}

/** The only lines that the runner obeys are those of `command`: all others are made harmless first. */
function createGithubReporter(terminal: Terminal, surroundings: Surroundings): Reporter {
  const lines = createHarmlessStream(terminal.stdout);
  let token: string | undefined;
  const resume = () => {
    if (token !== undefined) terminal.stderr(`::${token}::\n`);
    token = undefined;
  };
  const command = (line: string) => {
    resume();
    terminal.stderr(`${line}\n`);
  };
  const fold: Fold = {
    open: (title) => command(githubCommand("group", {}, title)),
    // A second bolt: the runner obeys nothing until it reads a word that no child process can know.
    beforeChild() {
      if (token !== undefined) return;
      const word = randomBytes(16).toString("hex");
      command(githubCommand("stop-commands", {}, word));
      token = word;
    },
    close: () => command(githubCommand("endgroup")),
  };
  const guarded: Terminal = {
    ...terminal,
    stdout: terminal.json ? (text) => terminal.stdout(harmlessJson(text)) : lines.write,
    stderr: (text) => terminal.stderr(harmlessForGithub(text)),
    annotate: (finding) => command(annotation(finding, surroundings)),
  };
  const reporter = createReporter(guarded, foldedTasks(fold, surroundings.elapsedSeconds), undefined);
  return {
    ...reporter,
    endStream() {
      reporter.endStream();
      lines.flush();
    },
  };
}
