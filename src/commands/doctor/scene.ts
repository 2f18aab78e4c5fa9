import type { Known } from "../../core/doctor/check.ts";
import type { EngineFacts } from "../../core/doctor/engine-checks.ts";
import type { EngineReport } from "../../core/doctor/engine-report.ts";
import type { ComposeModel } from "../../core/stack/model.ts";
import type { ProjectContainers } from "../../shell/engine/engine.ts";
import type { World } from "../../world.ts";
import type { GlobalFlags, Setting, StackSetting } from "../prepare.ts";

/** What is asked once and then used by several checks; each waits for what it needs. */
export interface Scene {
  readonly world: World;
  readonly flags: GlobalFlags;
  /** The deadline of each question, in seconds. */
  readonly seconds: number;
  readonly engine: Promise<Known<EngineFacts>>;
  /** What an engine that answers says. */
  readonly report: Promise<Known<EngineReport>>;
  /** The version of Compose. */
  readonly compose: Promise<Known<string>>;
  readonly setting: Promise<Known<Setting>>;
  readonly stack: Promise<Known<StackSetting>>;
  readonly model: Promise<Known<ComposeModel>>;
  readonly containers: Promise<Known<ProjectContainers>>;
}

/** What asks one thing after another has so many times the deadline of one question. */
export const manyQuestions = 4;
