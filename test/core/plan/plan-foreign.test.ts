import { describe, expect, test } from "vitest";
import type { ForeignDeployment } from "../../../src/core/containers/origin.ts";
import { planDown } from "../../../src/core/plan/plan-down.ts";
import { planText } from "../../../src/core/plan/plan-text.ts";
import { container, planFor } from "./plan-facts.ts";

const elsewhere: ForeignDeployment = { files: ["/srv/b/.env"], names: ["demo-gateway-1", "demo-proxy-1"], gone: false };
const gone: ForeignDeployment = { ...elsewhere, gone: true };
const nothing = { project: "demo", sandboxes: [], networks: [], volumes: [], privileges: [] };
const running = { ...nothing, containers: [container("gateway"), container("proxy")] };

describe("a project that another folder deployed", () => {
  test("is not taken over: the finding names its containers and files, and the ways out", () => {
    const [finding, ...others] = planFor({ foreign: [elsewhere] }).findings;
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ code: "D066", severity: "error" });
    expect(finding?.message).toContain("demo-gateway-1, demo-proxy-1 (deployed with /srv/b/.env)");
    for (const way of ["--project NAME", "./deploy down in that folder", "--accept foreign-project"])
      expect(finding?.fix).toContain(way);
  });

  test("is not taken over because questions are answered with yes", () => {
    expect(planFor({ foreign: [elsewhere], options: { confirmed: true } }).findings).toMatchObject([
      { severity: "error" },
    ]);
  });

  test("is taken over with a warning when that was accepted by name, or when its folder is gone", () => {
    const accepted = planFor({ foreign: [elsewhere], options: { accept: ["foreign-project"] } });
    expect(accepted.findings).toMatchObject([{ code: "D066", severity: "warning" }]);
    expect(planFor({ foreign: [gone] }).findings).toMatchObject([{ code: "D066", severity: "warning" }]);
  });

  test("is removed only by an acceptance of its own name, which --yes is not", () => {
    const facts = { ...running, foreign: [elsewhere] };
    const questions = (confirmed: boolean, accept: readonly "foreign-project"[] = []) =>
      planDown(facts, { volumes: false, confirmed, accept }).questions;
    expect(questions(true)).toEqual([
      {
        kind: "foreign-project",
        name: "foreign-project",
        text: "another folder deployed these containers of demo: demo-gateway-1, demo-proxy-1 (deployed with /srv/b/.env)",
      },
    ]);
    expect(questions(false, ["foreign-project"])).toMatchObject([{ acceptedBy: "--accept foreign-project" }]);
  });

  test("is removed without a question where its folder is gone: nobody could do it from there", () => {
    expect(planDown({ ...running, foreign: [gone] }, { volumes: false, confirmed: false }).questions).toEqual([]);
  });

  test("keeps the question about data apart from the one about whose it is", () => {
    const facts = { ...running, volumes: ["demo_store"], foreign: [elsewhere] };
    const { questions } = planDown(facts, { volumes: true, confirmed: true });
    expect(questions.map(({ kind, acceptedBy }) => [kind, acceptedBy])).toEqual([
      ["foreign-project", undefined],
      ["data-loss", "--yes"],
    ]);
  });

  test("cannot write lines of its own into the question by the names of its files", () => {
    const odd = { ...elsewhere, files: ["/srv/b\n  accepted (--yes)/.env"] };
    const plan = planDown({ ...running, foreign: [odd] }, { volumes: false, confirmed: false });
    expect(planText(plan)).not.toMatch(/^ +accepted/m);
  });
});

describe("a project that this folder deployed under another name", () => {
  const former = { project: "old", names: ["old-gateway-1"] };

  test("is asked about before up begins the new one beside it", () => {
    const { questions, findings } = planFor({ former });
    expect(findings).toEqual([]);
    expect(questions).toEqual([
      {
        kind: "former-project",
        name: "former-project",
        text: "this folder deployed project old before, which still runs (old-gateway-1); up starts demo beside it",
      },
    ]);
    expect(planFor({ former, options: { confirmed: true } }).questions).toMatchObject([{ acceptedBy: "--yes" }]);
  });

  test("is named beside an error, which it is often the cause of", () => {
    const busy = { code: "D047", severity: "error", message: "a port is in use" } as const;
    expect(planFor({ former, findings: [busy] }).findings).toMatchObject([
      { code: "D047" },
      { code: "D067", severity: "warning", fix: "./deploy down --project old removes it; its data stays" },
    ]);
  });
});
