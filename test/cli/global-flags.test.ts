import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { commandTable } from "../../src/cli.ts";
import { commandFirst } from "../../src/command-line.ts";
import { someOf } from "../support/some-of.ts";
import { refused, useWorkbench } from "./support/use-workbench.ts";

const workbench = useWorkbench();

/** Commands that act on a project, with what they cannot do without. */
const commands = commandTable.map(({ name }) => (name === "completion" ? [name, "bash"] : [name]));

describe("global flags before the command", () => {
  it("mean the same as behind it", async () => {
    const before = await workbench().deploy("--json", "--project", "other", "plan");
    const behind = await workbench().deploy("plan", "--json", "--project", "other");
    expect(before).toEqual(behind);
    expect(JSON.parse(before.stdout)).toMatchObject({ version: 1, project: "other" });
  });

  test.each<[string[], string[]]>([
    [
      ["--json", "plan"],
      ["plan", "--json"],
    ],
    [
      ["--project", "x", "up", "--build"],
      ["up", "--project", "x", "--build"],
    ],
    [
      ["--project=x", "-y", "--no-color", "up"],
      ["up", "--project=x", "-y", "--no-color"],
    ],
    [
      ["--env-file", "plan", "up"],
      ["up", "--env-file", "plan"],
    ],
    [["--json"], ["--json"]],
    [
      ["--project", "up"],
      ["--project", "up"],
    ],
    [
      ["--volumes", "down"],
      ["--volumes", "down"],
    ],
    [["--help"], ["--help"]],
    [
      ["logs", "--json"],
      ["logs", "--json"],
    ],
    [[], []],
  ])("%j is read as %j", (line, expected) => {
    expect(commandFirst(line)).toEqual(expected);
  });

  it("never lose, add or change a word", () => {
    const word = fc.constantFrom("--json", "-y", "--project", "x", "up", "--project=x", "--volumes", "--", "-", "");
    fc.assert(
      fc.property(fc.array(word), (line) => {
        expect(commandFirst(line).toSorted()).toEqual(line.toSorted());
        expect(commandFirst(commandFirst(line))).toEqual(commandFirst(line));
      }),
    );
  });

  test.each<[string[], string]>([
    [["--json"], "write the command first: ./deploy up --json"],
    [["--project", "up"], "write the command first: ./deploy up --project"],
    [["--volumes", "down"], "write the command first: ./deploy down --volumes"],
    [["--tail", "5", "logs"], "write the command first: ./deploy logs --tail"],
    [["--accept", "host-root", "plan"], "write the command first: ./deploy plan --accept"],
    [["--nonsense", "plan"], "./deploy --help shows every command"],
  ])("without a command, or with a flag of one, %j names the line to write", async (line, fix) => {
    const { exitCode, stdout, stderr } = await workbench().deploy(...line);
    expect(exitCode).toBe(2);
    expect(`${stdout}${stderr}`).toContain(`fix: ${fix}\n`);
    expect(await workbench().changes()).toEqual([]);
  });
});

describe("a project's name that Compose or a file system could misread", () => {
  const names = [
    "",
    " ",
    "../../x",
    "a/b",
    "Agents",
    "a b",
    "-x",
    "_x",
    "x\ny",
    "x\u001b[2J",
    "ä",
    "x".repeat(64),
    ".",
    "a.b",
  ];

  const isRefused = async (name: string, ...line: string[]) => {
    const said = await refused(workbench(), 2, ...line, `--project=${name}`);
    expect(said).toMatch(
      /^error D001 option '--project <name>' argument '.*' is invalid\. It must be 1 to 63 lower-case/,
    );
    expect(said.split("\n").filter((each) => each !== "").length).toBe(2);
    expect(said).not.toContain("\u001b");
    // The list of containers is asked for before the command line is read, and changes nothing.
    expect((await workbench().calls()).filter(([what]) => what !== "ps")).toEqual([]);
  };

  test.each(someOf(names, 4))("%j is D001 with exit 2 on one line, and nothing runs", (name) =>
    isRefused(name, "down"),
  );

  test.each(someOf(commands, 3))("is D001 for %s as well", (...line) => isRefused("../../x", ...line));

  test.each(someOf(names, 4))("%j is D012 in the configuration", async (name) => {
    await workbench().write("deploy.config.yaml", `version: 1\nproject: ${JSON.stringify(name)}\n`);
    const said = await refused(workbench(), 2, "plan");
    expect(said).toMatch(/^deploy\.config\.yaml:2:\d+ error D012 project must be 1 to 63 lower-case letters/);
  });

  it("does not stop at names that are odd and allowed", async () => {
    for (const name of ["0", "a_b-".repeat(15)]) {
      const { exitCode, stdout } = await workbench().deploy("status", "--project", name);
      expect([exitCode, stdout]).toEqual([0, `nothing of ${name} is running\n`]);
    }
  });
});

it("config --json is a versioned document as the others are", async () => {
  const { stdout } = await workbench().deploy("config", "--json");
  expect(JSON.parse(stdout)).toMatchObject({ version: 1, exitCode: 0, name: "scripted", services: {} });
});
