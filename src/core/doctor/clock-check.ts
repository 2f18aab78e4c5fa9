import { durationText } from "../text/duration.ts";
import type { Problem, Verdict } from "./check.ts";

/** A time that somebody else told; all in milliseconds since 1970, by the clock of this machine unless told. */
export interface ToldTime {
  readonly by: string;
  /** As it was told; the truth may be as much later as `grain`. */
  readonly told: number;
  readonly grain: number;
  readonly askedAt: number;
  readonly answeredAt: number;
}

/** What this machine's clock is held against. */
export interface ClockFacts {
  readonly told: readonly ToldTime[];
  readonly now: number;
  /** When this folder was deployed last. */
  readonly deployedAt: number | undefined;
}

const toleratedMilliseconds = 30_000;

/** Whether the clock of this machine is right, as far as others tell, D212. */
export function judgeClock({ told, now, deployedAt }: ClockFacts): Verdict {
  const offsets = told.map((each) => ({ ...each, offset: offsetOf(each) }));
  const wrong = offsets.filter(({ offset }) => Math.abs(offset) > toleratedMilliseconds);
  const ahead = deployedAt !== undefined && deployedAt - now > toleratedMilliseconds;
  const text =
    told.length === 0 ? "nobody was there to compare with" : `the same as ${told.map(({ by }) => by).join(" and ")}`;
  if (wrong.length === 0 && !ahead) return { text, problems: [] };
  const evidence = [
    ...wrong.map(
      ({ by, offset }) =>
        `${by} is ${durationText(Math.abs(offset) / 1000)} ${offset > 0 ? "ahead of" : "behind"} this machine`,
    ),
    ...(ahead
      ? [`the last deployment of this folder is ${durationText((deployedAt - now) / 1000)} in the future`]
      : []),
  ];
  const problem: Problem = {
    code: "D212",
    severity: "warning",
    message:
      "the clock of this machine is wrong, or that of its engine: certificates, logs and the ages of locks cannot be trusted",
    evidence,
    fix: "timedatectl set-ntp true\nor: chronyc makestep; in WSL: wsl --shutdown, then start again",
  };
  return { text, problems: [problem] };
}

/** How far the other clock is ahead for certain; zero where the time of question and answer explains the difference. */
function offsetOf({ told, grain, askedAt, answeredAt }: ToldTime): number {
  if (told > answeredAt) return told - answeredAt;
  return told + grain < askedAt ? told + grain - askedAt : 0;
}
