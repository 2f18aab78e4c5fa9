import { join } from "node:path";
import { expect, it } from "vitest";
import { command } from "../support/command.ts";
import { repositoryRoot } from "../support/stack.ts";

/** Packages are downloaded and images made: minutes, and more of them where others use the machine too. */
const enough = { timeout: 1_200_000 };

it(
  "a machine with nothing but Debian 12, Node.js and git runs the stack after the README's first command",
  enough,
  async () => {
    const { exitCode, stdout, stderr } = await command(join(repositoryRoot, "scripts/bare-machine.sh"), ["bookworm"]);
    expect(`${exitCode}\n${stdout}${stderr}`).toMatch(/^0\n/);
    const [figures] = /from nothing to a stack that answers in \d+ s, \d+ MB downloaded/.exec(stdout) ?? [];
    expect(figures).toBeDefined();
    process.stdout.write(`${figures}\n`);
  },
);
