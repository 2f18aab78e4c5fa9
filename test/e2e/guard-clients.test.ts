import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { allowedScenarios, type DockerCall, refusedCalls } from "../guard/escapes/docker-scenarios.ts";
import { enginePath, type GuardedWorld, makeGuardedWorld } from "../guard/escapes/guarded-world.ts";
import { containerIds } from "../guard/escapes/observe.ts";
import { inventedWorld, type World } from "../guard/escapes/world.ts";
import { command, type Ended } from "../support/command.ts";

let guarded: GuardedWorld;
let world: World;

beforeAll(async () => {
  guarded = await makeGuardedWorld();
  world = guarded.world;
});

afterAll(() => guarded?.dispose());

function docker(socketPath: string, { args, input }: DockerCall): Promise<Ended> {
  const env = { DOCKER_HOST: `unix://${socketPath}`, DOCKER_CLI_HINTS: "false" };
  return command("docker", args, { env, ...(input === undefined ? {} : { input }) });
}

/** Without what differs from one call to the next: ids, times, and where asked for every number. */
function normal(text: string, varies: boolean | undefined): string {
  const steady = text
    .replace(/\b[0-9a-f]{64}\b/g, "<id>")
    .replace(/\b[0-9a-f]{12}\b/g, "<short id>")
    // Engine 20.10 says it twice of an image, later ones once.
    .replace(/no such image: \S+: (?=No such image)/g, "")
    // What the engine says of a container that cannot do it: actions go to its id, by whatever name it was meant.
    .replace(/([Cc]ontainer )"?(?:<id>|sandbox-[0-9a-f]{6}-x)"?(?=\n|:| is paused)/g, "$1<it>")
    .replace(/(?:Less than a second|About a minute|\d+ seconds?)( ago)?/g, "<time>")
    .replace(/ +/g, " ");
  return varies ? steady.replace(/\d+/g, "<n>") : steady;
}

async function transcript(socketPath: string, calls: readonly DockerCall[]): Promise<string[]> {
  const lines: string[] = [];
  for (const each of calls) {
    const { exitCode, stdout, stderr } = await docker(socketPath, each);
    lines.push(
      ...[
        `$ docker ${each.args.join(" ")} -> ${exitCode}`,
        normal(stdout, each.varies),
        `2> ${normal(stderr, each.varies)}`,
      ],
    );
  }
  return lines;
}

describe("the docker command", () => {
  const count = allowedScenarios(inventedWorld).map(({ name }, at) => ({ name, at }));
  test.each(count)("has the same output and exit codes with a guard and without: $name", async ({ at }) => {
    const calls = allowedScenarios(world)[at]?.calls ?? [];
    const before = await containerIds(world);
    const plain = await transcript(enginePath, calls);
    const through = await transcript(guarded.socketOf("wide"), calls);
    expect(through).toEqual(plain);
    expect(await containerIds(world)).toEqual(before);
  });

  test("has a terminal in a sandbox, of the size that it asks for, and the exit code of the program", async () => {
    // The size follows the start in a request of its own.
    const program =
      'until [ -n "$(stty size 2>/dev/null)" ]; do sleep 0.1; done; stty size; test -t 0 && echo terminal; exit 6';
    const line = `stty rows 33 cols 101; docker exec -it ${world.mine.name} sh -c '${program}'`;
    for (const socketPath of [enginePath, guarded.socketOf("wide")]) {
      const { exitCode, stdout } = await command("script", ["--quiet", "--return", "--command", line, "/dev/null"], {
        env: { DOCKER_HOST: `unix://${socketPath}` },
      });
      // `script` shows the end of its own input as ^@, sooner or later.
      const shown = stdout.replaceAll("^@", "").trim().split(/\r?\n/);
      expect({ socketPath, exitCode, shown }).toEqual({ socketPath, exitCode: 6, shown: ["33 101", "terminal"] });
    }
  });

  test("sees sandboxes only, and of images only those of the policy", async () => {
    const listed = (...args: string[]) => docker(guarded.socketOf("wide"), { args });
    expect((await listed("ps", "-a", "--format", "{{.Names}}")).stdout).toBe(`${world.mine.name}\n`);
    expect((await listed("image", "ls", "--format", "{{.Repository}}:{{.Tag}}")).stdout).toBe(
      `${world.image.reference}\n`,
    );
    const { exitCode, stderr } = await listed("inspect", world.foreign.name);
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: `Error: No such object: ${world.foreign.name}\n` });
  });

  const refusals = refusedCalls(inventedWorld).map(([args, rule], at) => ({ line: args.join(" "), rule, at }));
  test.each(refusals)("is told the rule $rule: docker $line", async ({ at }) => {
    const [args = [], rule = ""] = refusedCalls(world)[at] ?? [];
    const before = await containerIds(world);
    const { exitCode, stdout, stderr } = await docker(guarded.socketOf("wide"), { args });
    expect(exitCode).not.toBe(0);
    expect(stderr + stdout).toMatch(new RegExp(`sandbox guard: .*\\(rule ${rule.replaceAll(".", "\\.")}`));
    expect(await containerIds(world)).toEqual(before);
  });
});
