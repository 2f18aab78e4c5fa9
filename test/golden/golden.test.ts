import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { planText } from "../../src/core/plan/plan-text.ts";
import { planUp } from "../../src/core/plan/plan-up.ts";
import { formatFindings } from "../../src/core/stack/docker-failures.ts";
import { readSituation } from "./situation.ts";

const cases = readdirSync(import.meta.dirname).filter((name) =>
  existsSync(join(import.meta.dirname, name, "deploy.config.yaml")),
);

/** What `deploy plan` prints: the plan, then its findings; or only the findings where no mode was found. */
function planOf(name: string): { plan: string; findings: string } {
  const situation = readSituation(join(import.meta.dirname, name));
  if (!situation.ok) return { plan: "", findings: formatFindings(situation.findings) };
  const plan = planUp(situation.config, situation.facts, situation.stack, situation.options);
  return { plan: planText(plan), findings: formatFindings([...situation.findings, ...plan.findings]) };
}

describe("a plan is the same text for the same situation", () => {
  test.each(cases)("%s", async (name) => {
    const { plan, findings } = planOf(name);
    const text = [plan, findings].filter((part) => part !== "").join("\n\n");
    await expect(`${text}\n`).toMatchFileSnapshot(join(import.meta.dirname, name, "plan.txt"));
  });
});

test("no line of a plan is wider than 80 columns", () => {
  const wide = cases.flatMap((name) =>
    planOf(name)
      .plan.split("\n")
      .filter((line) => line.length > 80 && line.trim().includes(" "))
      .map((line) => `${name}: ${line}`),
  );
  expect(wide).toEqual([]);
});
