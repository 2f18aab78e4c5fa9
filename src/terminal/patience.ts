import { basename } from "node:path";
import type { Command, Reporter } from "../world.ts";
import type { Clock } from "./plain-tasks.ts";

/** A question to a healthy engine is answered in well under a second. */
const patienceSeconds = 10;

/** A reporter, and what makes it say for which child process it waits. */
export interface Patience {
  readonly reporter: Reporter;
  readonly wait: <Answer>(command: Command, answer: Promise<Answer>) => Promise<Answer>;
}

/** Says once what a question waits for, or an engine that hangs would look like a tool that does. Tasks show that themselves. */
export function withPatience(reporter: Reporter, { elapsedSeconds, everySecond }: Clock): Patience {
  let isSaid = false;
  let shownLists = 0;
  return {
    reporter: {
      ...reporter,
      async tasks(tasks) {
        shownLists += 1;
        await reporter.tasks(tasks).finally(() => {
          shownLists -= 1;
        });
      },
    },
    async wait(command, answer) {
      const begun = elapsedSeconds();
      const stop = everySecond(() => {
        if (isSaid || shownLists > 0 || elapsedSeconds() - begun < patienceSeconds) return;
        isSaid = true;
        reporter.note(
          `still waiting for ${nameOf(command)}: ./deploy doctor tells whether the engine hangs; Ctrl-C ends this`,
        );
      });
      return answer.finally(stop);
    },
  };
}

/** As people type it: `docker compose config` without what is between. */
function nameOf({ program, args }: Command): string {
  const name = basename(program);
  const words = args.filter((word, index) => /^[a-z]+$/.test(word) && !args[index - 1]?.startsWith("-"));
  return [name === "docker-compose" ? "docker" : name, ...words.slice(0, 2)].join(" ");
}
