import { describe, expect, it } from "vitest";
import { lacksDocker, type OfferWorld, offerDocker } from "../../src/commands/docker-offer.ts";
import type { Finding } from "../../src/core/findings/finding.ts";
import { dockerFailure } from "../../src/core/stack/docker-failures.ts";
import { DeployError } from "../../src/errors.ts";
import { createReporter } from "../../src/terminal/reporter.ts";

const missing = dockerFailure({ exitCode: 127, stderr: "", missing: true });
const because = new DeployError(missing === undefined ? [] : [missing]);

interface Scene {
  readonly uid?: number;
  /** What the person answers; nobody is asked where it is left out. */
  readonly answer?: boolean;
  /** How `--dry-run` and `--yes` of the script end. */
  readonly exitCodes?: { readonly "--dry-run"?: number; readonly "--yes"?: number };
}

/** A machine whose installer only notes how it was called. */
function machine({ uid = 0, answer, exitCodes = {} }: Scene) {
  const calls: string[] = [];
  const said: string[] = [];
  const terminal = {
    stdout: () => undefined,
    stderr: (text: string) => said.push(text),
    json: false,
    color: false,
    columns: () => undefined,
  };
  const asker =
    answer === undefined ? undefined : { confirm: async () => answer, prompt: async () => "", secret: async () => "" };
  const world: OfferWorld = {
    ...{ uid, env: {}, cwd: "/srv/tool", toolRoot: "/srv/tool", signal: new AbortController().signal },
    forgetEarlyAnswers: () => calls.push("forget"),
    reporter: createReporter(
      terminal,
      async (tasks) => {
        for (const task of tasks) await task.run(() => undefined);
      },
      asker,
    ),
    run: async ({ program, args }) => {
      calls.push([program, ...args].join(" "));
      const exitCode = (args[0] === "--yes" ? exitCodes["--yes"] : exitCodes["--dry-run"]) ?? 0;
      return { exitCode, stdout: "", stderr: "install-docker: This will be done\n", missing: false };
    },
  };
  return { world, calls, said: () => said.join("") };
}

const script = "/srv/tool/scripts/install-docker.sh";
const installed = [`${script} --dry-run`, `${script} --yes`, "forget"];

async function refusalOf(scene: Scene, yes = false): Promise<Finding & { readonly exitCode: number }> {
  const { world, calls } = machine(scene);
  const error: unknown = await offerDocker(world, { yes }, because).catch((reason: unknown) => reason);
  if (!(error instanceof DeployError) || error.findings[0] === undefined) throw error;
  if (scene.exitCodes?.["--yes"] === undefined) expect(calls).toEqual([`${script} --dry-run`]);
  return { ...error.findings[0], exitCode: error.exitCode };
}

describe("an offer to install Docker", () => {
  it.each([
    ["with --yes", {}, true],
    ["with a yes on the terminal", { answer: true }, false],
  ])("%s shows the plan, installs, and forgets what was asked before", async (_case, scene, yes) => {
    const { world, calls, said } = machine(scene);
    await offerDocker(world, { yes }, because);
    expect(calls).toEqual(installed);
    expect(said()).toBe("This will be done\n");
  });

  it("that nobody can answer is refused with the command, and nothing is installed", async () => {
    expect(await refusalOf({})).toMatchObject({
      ...{ code: "D040", exitCode: 3 },
      fix: "run scripts/install-docker.sh, or the same command with --yes",
    });
  });

  it("that is declined is refused in the same way", async () => {
    expect(await refusalOf({ answer: false })).toMatchObject({ code: "D040", exitCode: 3 });
  });

  it.each([true, false])("without root names the command with sudo, whatever was answered (--yes: %s)", async (yes) => {
    expect(await refusalOf({ uid: 1000, answer: true }, yes)).toMatchObject({
      ...{ code: "D040", exitCode: 3 },
      fix: "run sudo scripts/install-docker.sh, then the same command again",
    });
  });

  it("on a machine that the script does not know leaves it at its advice", async () => {
    expect(await refusalOf({ exitCodes: { "--dry-run": 4 } }, true)).toMatchObject({
      ...{ code: "D040", exitCode: 3 },
      fix: "do what is said above, then run the same command again",
    });
  });

  it("is not made where the script cannot look, and the stop stays as it was", async () => {
    expect(await refusalOf({ exitCodes: { "--dry-run": 127 } }, true)).toEqual({ ...missing, exitCode: 3 });
  });

  it("that fails is D160 with the end of what was said", async () => {
    expect(await refusalOf({ exitCodes: { "--yes": 1 } }, true)).toMatchObject({
      ...{ code: "D160", exitCode: 1 },
      message: "Docker could not be installed:\ninstall-docker: This will be done",
    });
  });
});

it("an offer is made for a Docker or Compose that is missing or too old, and for nothing else", () => {
  const stop = (code: Finding["code"]) => new DeployError([{ code, severity: "error", message: "" }]);
  const codes = ["D040", "D041", "D042", "D043", "D044", "D047"] as const;
  expect(codes.filter((code) => lacksDocker(stop(code)))).toEqual(["D040", "D043", "D044"]);
  expect(lacksDocker(new Error("D040"))).toBe(false);
});
