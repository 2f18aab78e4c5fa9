import type { Finding } from "../../core/findings/finding.ts";
import { withoutLineEnd } from "../../core/secrets/secret-input.ts";
import { type Given, type GivenAnswer, wrongAnswer } from "../../core/setup/answers.ts";
import { parseAnswers } from "../../core/setup/answers-file.ts";
import { flagOf, type QuestionId, questionIds, variableOf } from "../../core/setup/question.ts";
import {
  holderOf,
  type SecretId,
  type SecretQuestion,
  secretFlagOf,
  secretVariableOf,
  tokenProblem,
} from "../../core/setup/secret-questions.ts";
import { resolvePath } from "../../core/stack/stack.ts";
import { DeployError } from "../../errors.ts";
import type { World } from "../../world.ts";
import type { GlobalFlags } from "../prepare.ts";

/** Flags of `setup`: the answers by the ids of their questions, and how they come in and out. */
export interface SetupFlags extends GlobalFlags {
  readonly answers?: string;
  readonly printAnswers?: boolean;
  readonly given?: Readonly<Partial<Record<QuestionId, string>>>;
  /** Files that hold a secret each; `-` is standard input. */
  readonly secretFiles?: Readonly<Partial<Record<SecretId, string>>>;
}

/** Every answer that was given beforehand. A flag counts more than a variable, and that more than a file of answers. */
export async function readGiven(world: World, flags: SetupFlags): Promise<Given> {
  const ofFile =
    flags.answers === undefined ? new Map<QuestionId, GivenAnswer>() : await readFile(world, flags.answers);
  return new Map(
    questionIds.flatMap((id) => {
      const flag = flags.given?.[id];
      const variable = world.env[variableOf(id)];
      const answer =
        flag !== undefined
          ? { value: flag, source: flagOf(id) }
          : variable
            ? { value: variable, source: variableOf(id) }
            : ofFile.get(id);
      return answer === undefined ? [] : [[id, answer] as const];
    }),
  );
}

async function readFile(world: World, file: string): Promise<Given> {
  const text = await world.files.read(resolvePath(world.cwd, world.home, file));
  if (text === undefined) throw new DeployError([missingAnswers(file)]);
  const parsed = parseAnswers({ file, text });
  if (!parsed.ok) throw new DeployError(parsed.findings);
  return parsed.value;
}

/** A secret that was given beforehand, hidden from here on, and the variable for it. One that is no token is D181. */
export async function givenSecret(
  world: World,
  flags: SetupFlags,
  question: SecretQuestion,
): Promise<readonly [variable: string, value: string] | undefined> {
  const file = flags.secretFiles?.[question.id];
  const value = file === undefined ? world.env[secretVariableOf(question.id)] : await secretIn(world, file);
  if (value === undefined || (file === undefined && value === "")) return undefined;
  const token = withoutLineEnd(value);
  world.reporter.hide([token]);
  const problem = tokenProblem(token);
  const source = file === undefined ? secretVariableOf(question.id) : secretFlagOf(question.id);
  if (problem !== undefined) throw new DeployError([wrongAnswer({ source, value: "" }, problem)]);
  return [holderOf(question, token), token];
}

async function secretIn(world: World, file: string): Promise<string> {
  const text =
    file === "-" ? await world.readInput() : await world.files.read(resolvePath(world.cwd, world.home, file));
  if (text !== undefined) return text;
  const message =
    file === "-" ? "standard input is a terminal, and no secret comes from there" : `there is no file ${file}`;
  throw new DeployError([
    { code: "D014", severity: "error", message, fix: "name the file that holds the token, or pipe it in" },
  ]);
}

function missingAnswers(file: string): Finding {
  return {
    code: "D014",
    severity: "error",
    message: `there is no file of answers ${file}, which --answers names`,
    fix: "correct the path (it starts at the current folder); ./deploy setup --print-answers writes such a file",
  };
}
