import {
  type CheckResult,
  checkNames,
  judged,
  type Known,
  problemOf,
  resultOf,
  skipped,
} from "../../core/doctor/check.ts";
import { problemsOf } from "../../core/doctor/doctor-text.ts";
import type { EngineReport } from "../../core/doctor/engine-report.ts";
import { judgePlan } from "../../core/doctor/stack-checks.ts";
import type { Finding } from "../../core/findings/finding.ts";
import type { AcceptName, Plan } from "../../core/plan/plan.ts";
import { planUp } from "../../core/plan/plan-up.ts";
import { modelSecrets } from "../../core/secrets/secret-values.ts";
import { modelOf, readModelText } from "../../shell/compose/compose.ts";
import { readCompose } from "../../shell/compose/compose-version.ts";
import { both, following, within } from "../../shell/doctor/deadline.ts";
import { readEngine } from "../../shell/doctor/engine.ts";
import { projectContainers } from "../../shell/engine/engine.ts";
import type { World } from "../../world.ts";
import { configPathOf, type GlobalFlags, readSetting, readSituation, readStack } from "../prepare.ts";
import { examineMachine } from "./examine-machine.ts";
import { examineStack } from "./examine-stack.ts";
import { manyQuestions, type Scene } from "./scene.ts";

/** Makes every check at the same time, each within its deadline; changes nothing. */
export async function examine(
  world: World,
  flags: GlobalFlags & { readonly accept?: readonly AcceptName[] },
  seconds: number,
): Promise<CheckResult[]> {
  const { accept = [] } = flags;
  const heard: Finding[] = [];
  const scene = await sceneOf(world, flags, seconds, heard);
  const [machine, stack, plan] = await Promise.all([
    examineMachine(scene),
    examineStack(scene),
    planFor(scene, accept),
  ]);
  const others = [...machine, await configurationResult(scene, heard), ...stack];
  const results = [...others, judged("plan", plan, (value) => judgePlan(value, problemsOf(others)))];
  return results.toSorted((left, right) => checkNames.indexOf(left.check) - checkNames.indexOf(right.check));
}

async function sceneOf(world: World, flags: GlobalFlags, seconds: number, heard: Finding[]): Promise<Scene> {
  const quiet: World = { ...world, reporter: { ...world.reporter, note: () => undefined, findings: () => undefined } };
  const hearing: World = { ...quiet, reporter: { ...quiet.reporter, findings: (found) => void heard.push(...found) } };
  const engine = within(quiet, seconds, readEngine);
  const report = engine.then((known): Known<EngineReport> => {
    if (known.kind === "known" && known.value.failure === undefined && known.value.report !== undefined)
      return { kind: "known", value: known.value.report };
    return { kind: "unasked", why: "the engine does not answer" };
  });
  const path = configPathOf(world, flags);
  const isThere = flags.config !== undefined || (await world.files.stat(path)) !== undefined;
  const absent = { kind: "unasked", why: "there is no deploy.config.yaml here" } as const;
  const setting = isThere ? within(quiet, seconds, (bound) => readSetting(bound, flags)) : Promise.resolve(absent);
  const stack = following(setting, isThere ? "the configuration cannot be read" : absent.why, () =>
    within(hearing, seconds, (bound) => readStack(bound, flags)),
  );
  const model = following(stack, isThere ? "the stack is not known" : absent.why, ({ stack: laidOut }) =>
    within(quiet, seconds, async (bound) => {
      const read = modelOf(await readModelText(bound, laidOut));
      world.reporter.hide(modelSecrets(read));
      return read;
    }),
  );
  return {
    ...{ world: quiet, flags, seconds, engine, report, setting, stack, model },
    compose: within(quiet, seconds, async (bound) => (await readCompose(bound, undefined)).version),
    containers: following(report, "the engine does not answer", () =>
      following(setting, isThere ? "the configuration cannot be read" : absent.why, ({ project, namePrefix }) =>
        within(quiet, seconds, (bound) => projectContainers(bound, project, namePrefix)),
      ),
    ),
  };
}

/** What `up` would do, and refuse: nothing that would stop it is left out, whoever finds it. */
async function planFor(scene: Scene, accept: readonly AcceptName[]): Promise<Known<Plan>> {
  const { world, flags, seconds } = scene;
  const ready = both(scene.model, scene.containers);
  return following(ready, "the stack or its engine is not known", () =>
    within(world, seconds * manyQuestions, async (bound) => {
      const { config, facts, stack } = await readSituation(bound, flags);
      return planUp(config.config, facts, stack, { build: "missing", pull: "missing", accept });
    }),
  );
}

/** What is wrong with the files that say what is to be deployed. Where Docker is the reason, its own check says so. */
async function configurationResult(scene: Scene, heard: readonly Finding[]): Promise<CheckResult> {
  const [setting, stack, model] = await Promise.all([scene.setting, scene.stack, scene.model]);
  if (setting.kind === "unasked") return resultOf("configuration", skipped(setting.why));
  const refused = [setting, stack, model].flatMap((known) => (known.kind === "refused" ? known.findings : []));
  const own = [...refused, ...heard].filter(({ code }) => !/^D04[0-4]$/.test(code));
  const once = [...new Map(own.map((finding) => [`${finding.code} ${finding.message}`, finding])).values()];
  const mode = stack.kind === "known" ? stack.value.stack.detection : undefined;
  const text = mode === undefined ? "read" : `${mode.mode} mode (${mode.because.text})`;
  if ([setting, stack, model].some(({ kind }) => kind === "late"))
    return resultOf("configuration", skipped("Compose did not answer in time"));
  return resultOf("configuration", { text, problems: once.map(problemOf) });
}
