import type { Finding } from "../../core/findings/finding.ts";
import type { Plan } from "../../core/plan/plan.ts";
import { planText } from "../../core/plan/plan-text.ts";
import { type FileChange, fileChanges } from "../../core/setup/file-changes.ts";
import type { Answers } from "../../core/setup/question.ts";
import type { Secrets } from "../../core/setup/secret-questions.ts";
import { settingsOf } from "../../core/setup/settings.ts";
import { summaryText } from "../../core/setup/summary.ts";
import { wrapText } from "../../core/text/wrapped-text.ts";
import { DeployError } from "../../errors.ts";
import { within } from "../../shell/doctor/deadline.ts";
import { exportedFinding } from "../../shell/records/secret-setting.ts";
import { withDrafts } from "../../shell/setup/drafts.ts";
import { keptPath } from "../../shell/setup/kept.ts";
import type { World } from "../../world.ts";
import { withChange } from "../change.ts";
import { type GlobalFlags, readSituation, valueOrStop } from "../prepare.ts";
import { planOf, type UpFlags } from "../up.ts";
import type { Place } from "./place.ts";

/** What would be written, and what `up` would then do. */
export interface Draft {
  readonly answers: Answers;
  readonly changes: readonly FileChange[];
  /** Variables whose values nobody is shown. */
  readonly secretNames: readonly string[];
  /** Undefined where `up` would stop before it has a plan. */
  readonly plan: Plan | undefined;
  /** All of it for people. */
  readonly text: (columns: number) => string;
}

/** What the plan depends on beside the files. */
export type PlanFlags = GlobalFlags & Partial<Pick<UpFlags, "images" | "build" | "pull" | "accept">>;

/** Works out files and plan; nothing of the operator's is changed. */
export async function draftOf(
  world: World,
  flags: PlanFlags,
  place: Place,
  answers: Answers,
  secrets: Secrets,
): Promise<Draft> {
  const changes = valueOrStop(fileChanges(answers, place.found, place.ground, secrets), world);
  stopOnExported(world, place, answers);
  const planned = await planWith(world, flags, place, changes);
  const text = (columns: number) =>
    [summaryText(answers, changes, [...secrets.keys()], columns), ...plannedText(planned, columns)].join("\n\n");
  return { answers, changes, secretNames: [...secrets.keys()], plan: planned.plan, text };
}

interface Planned {
  readonly plan: Plan | undefined;
  readonly findings: readonly Finding[];
}

/** The plan of `up` with these files; why there is none is no reason to write nothing, since it can be mended later. */
async function planWith(
  world: World,
  flags: PlanFlags,
  { setting: { territory } }: Place,
  changes: readonly FileChange[],
): Promise<Planned> {
  const silent = { ...world, reporter: { ...world.reporter, findings: () => {} } };
  const drafts = changes.map(({ path, after, mode }) => ({ path, text: after, mode }));
  const known = await withDrafts(silent, drafts, territory, (drafted) =>
    within(drafted, planSeconds, async (bound) => {
      const situation = await readSituation(bound, flags);
      return planOf(situation, { pull: "missing", build: "missing", accept: [], confirmed: false, ...flags });
    }),
  );
  switch (known.kind) {
    case "known":
      return { plan: known.value, findings: known.value.findings };
    case "refused":
      return { plan: undefined, findings: known.findings };
    case "late":
    case "unasked":
      return { plan: undefined, findings: [silentEngine] };
  }
}

/** A plan takes seconds; an engine that says nothing for so long is one that hangs. */
const planSeconds = 20;

const silentEngine: Finding = {
  code: "D041",
  severity: "error",
  message: `the Docker daemon did not answer within ${planSeconds} seconds, so there is no plan`,
};

function plannedText({ plan, findings }: Planned, columns: number): string[] {
  const errors = findings.filter(({ severity }) => severity === "error");
  const shown = errors.flatMap(({ code, message }) => wrapText(message, `  ${code} `, undefined, columns));
  const stop = shown.length === 0 ? [] : [["./deploy up would stop, because", ...shown].join("\n")];
  return plan === undefined
    ? stop
    : [`what ./deploy up would do with these files\n\n${planText(plan, columns)}`, ...stop];
}

function stopOnExported(world: World, { ground, found }: Place, answers: Answers): void {
  const names = [...settingsOf(answers, found).env.keys()];
  const findings = names.flatMap((name) => exportedFinding(world, name, ground.env.name) ?? []);
  if (findings.length > 0) throw new DeployError(findings);
}

/** Writes what a draft says, under the lock of the folder; stops where a file is no longer what the draft was made from. */
export async function writeDraft(world: World, { setting }: Place, { changes }: Draft): Promise<void> {
  const { territory, project } = setting;
  if (changes.length > 0) {
    const change = { ...territory, project, words: ["setup"], changes: true, onlyFolder: true as const };
    await withChange(world, { ...change, check: () => stopUnlessSame(world, changes) }, async () => {
      // The configuration comes last: it is what the next run goes by.
      for (const { path, after, mode } of changes.toReversed()) await world.files.writeAtomic(path, after, { mode });
    });
  }
  await world.files.remove(keptPath(territory.statePath));
}

async function stopUnlessSame(world: World, changes: readonly FileChange[]): Promise<void> {
  const texts = await Promise.all(changes.map(({ path }) => world.files.read(path)));
  const others = changes.filter(({ text }, index) => texts[index] !== text);
  if (others.length === 0) return;
  throw new DeployError([
    {
      code: "D064",
      severity: "error",
      message: `${others.map(({ name }) => name).join(", ")} changed since it was read; nothing was written`,
      fix: "run ./deploy setup again and look at the new difference",
    },
  ]);
}
