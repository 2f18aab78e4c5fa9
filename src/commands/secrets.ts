import type { Finding } from "../core/findings/finding.ts";
import type { AcceptName } from "../core/plan/plan.ts";
import { weakSecret } from "../core/plan/plan.ts";
import type { Step } from "../core/plan/plan-steps.ts";
import { inputFinding, withoutLineEnd } from "../core/secrets/secret-input.ts";
import { classTexts, secretListText, usersOfSecret } from "../core/secrets/secret-list.ts";
import { relativePath } from "../core/stack/stack.ts";
import { DeployError, type ExitCode, exitCodes } from "../errors.ts";
import { upTasks } from "../shell/apply/apply.ts";
import { findReceipt, receiptFor } from "../shell/records/receipt.ts";
import { exportedFinding, readSecrets, writeSecretLine } from "../shell/records/secret-setting.ts";
import type { World } from "../world.ts";
import { withChange } from "./change.ts";
import { readSituation, readStack, stopOnErrors } from "./prepare.ts";
import { mendRotation } from "./rotation-steps.ts";
import { unknownSecret } from "./unknown-secret.ts";
import { planOf, type UpFlags } from "./up.ts";

/** Flags of `secrets`. */
export interface SecretsFlags extends UpFlags {
  readonly all?: boolean;
}

/** Shows, makes and changes the secrets of the stack; values go in, and never come out. */
export async function secrets(world: World, flags: SecretsFlags, args: readonly string[]): Promise<ExitCode> {
  const [action, ...names] = args;
  switch (action) {
    case "list":
      return list(world, flags);
    case "check":
      return check(world, flags);
    case "generate":
      return generate(world, flags);
    case "set":
      return set(world, flags, names);
    case "rotate":
      return (await import("./rotate.ts")).rotate(world, flags, names);
    default:
      throw new Error(`secrets ${action} is in the table but has no story`);
  }
}

async function list(world: World, flags: SecretsFlags): Promise<ExitCode> {
  const { territory, stack, project } = await readStack(world, flags);
  const [{ secrets: found }, { receipt, problem }] = await Promise.all([
    readSecrets(world, territory, stack),
    findReceipt(world, territory.statePath),
  ]);
  if (problem) world.reporter.findings([problem], 0);
  const known = receiptFor(project, receipt)?.secrets ?? {};
  const sinceOf = (name: string) => known[name]?.since;
  const text = secretListText(found, (name) => sinceOf(name)?.slice(0, 10));
  world.reporter.result(text === "" ? "this stack has no secrets" : text, {
    version: 1,
    exitCode: 0,
    secrets: found.map(({ passwords: _, ...secret }) => ({
      ...secret,
      meaning: classTexts[secret.class],
      since: sinceOf(secret.name) ?? null,
    })),
  });
  return exitCodes.done;
}

/** Whether a finding is about values and secrets, and not about the machine or the mode. */
function isAboutSecrets({ code }: Finding): boolean {
  return /^D(?:034|062|1\d\d)$/.test(code);
}

async function check(world: World, flags: SecretsFlags): Promise<ExitCode> {
  const situation = await readSituation(world, flags);
  const plan = planOf(situation, flags);
  const findings = plan.findings.filter(isAboutSecrets);
  const wrong = findings.some(({ severity }) => severity === "error");
  const exitCode = wrong ? exitCodes.refused : exitCodes.done;
  const missing = situation.facts.missingSecrets;
  const lines = [
    findings.length === 0 ? "nothing is wrong with the secrets" : `${findings.length} findings about the secrets`,
    ...(missing.length === 0 ? [] : [`not generated yet: ${missing.join(", ")}; ./deploy secrets generate does it`]),
  ];
  world.reporter.result(lines.join("\n"), { version: 1, exitCode, findings, missing });
  world.reporter.findings(findings, 0);
  return exitCode;
}

/** The steps of `up` that make what is missing, and nothing of the rest. */
async function generate(world: World, flags: SecretsFlags): Promise<ExitCode> {
  await mendRotation(world, flags);
  const situation = await readSituation(world, flags);
  const { territory, facts, project } = situation;
  const plan = planOf(situation, flags);
  stopOnErrors(plan.findings.filter(isAboutSecrets));
  const isWanted = (step: Step) =>
    step.kind === "generate-secrets" ||
    step.kind === "write-secret-files" ||
    (step.kind === "seed-file" && step.seed.to === territory.envPath);
  const steps = facts.missingSecrets.length === 0 ? [] : plan.steps.filter(isWanted);
  const names = facts.missingSecrets;
  if (steps.length > 0) {
    const words = ["secrets", "generate", ...names];
    await withChange(world, { ...territory, project, words, changes: true, onlyFolder: true }, () =>
      world.reporter.tasks(upTasks(world, { ...plan, steps }, { ...situation, model: facts.model })),
    );
  }
  const file = relativePath(territory.root, territory.envPath);
  const text = names.length === 0 ? "every secret has a value" : `generated ${names.join(", ")} into ${file}`;
  world.reporter.result(text, { version: 1, exitCode: 0, generated: names });
  return exitCodes.done;
}

async function set(world: World, flags: SecretsFlags, names: readonly string[]): Promise<ExitCode> {
  const [name] = names;
  if (name === undefined || names.length > 1) {
    const message = "secrets set needs the name of one variable; its value comes from standard input";
    const fix = 'printf %s "$VALUE" | ./deploy secrets set NAME; on a terminal it asks';
    throw new DeployError([{ code: "D001", severity: "error", message, fix }]);
  }
  await mendRotation(world, flags);
  const { territory, stack, project } = await readStack(world, flags);
  const file = relativePath(territory.root, territory.envPath);
  const { secrets: found, model, input } = await readSecrets(world, territory, stack);
  const secret = found.find((each) => each.name === name);
  const known = [...found.map((each) => each.name), ...input.envFile.entries.map(({ key }) => key)];
  if (!known.includes(name)) throw new DeployError([unknownSecret(name, known)]);
  const exported = exportedFinding(world, name, file);
  if (exported) throw new DeployError([exported]);
  const value = await readValue(world, name);
  const accept: readonly AcceptName[] = flags.accept;
  const form = model.generatedSecrets[name]?.form;
  const wrong = inputFinding(name, value, { form, acceptWeak: accept.includes(weakSecret) });
  if (wrong) throw new DeployError([wrong]);
  const words = ["secrets", "set", name];
  await withChange(world, { ...territory, project, words, changes: true, onlyFolder: true }, () =>
    writeSecretLine(world, territory, name, value),
  );
  const users = secret === undefined ? [] : usersOfSecret(secret);
  const next = users.length === 0 ? "" : `; ./deploy up gives it to ${users.join(", ")}`;
  const kept = secret?.class === "volume" ? `\n${name} is ${classTexts.volume}` : "";
  world.reporter.result(`${name} is set in ${file}${next}${kept}`, { version: 1, exitCode: 0, name, users });
  return exitCodes.done;
}

async function readValue(world: World, name: string): Promise<string> {
  const text = (await world.reporter.askSecret(`Value of ${name} (not shown)`)) ?? (await world.readInput());
  if (text === undefined) {
    const message = `the value of ${name} is read from standard input, and that is a terminal which nobody is asked on`;
    throw new DeployError([{ code: "D111", severity: "error", message, fix: "pipe the value in" }]);
  }
  const value = withoutLineEnd(text);
  world.reporter.hide([text, value, ...text.split(/\r?\n/)]);
  return value;
}
