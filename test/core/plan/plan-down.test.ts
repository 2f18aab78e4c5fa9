import { describe, expect, test } from "vitest";
import { type DownFacts, planDown } from "../../../src/core/plan/plan-down.ts";
import { container } from "./plan-facts.ts";

const nothing: DownFacts = {
  project: "demo",
  containers: [],
  sandboxes: [],
  foreign: [],
  networks: [],
  volumes: [],
  privileges: [],
};
const running: DownFacts = {
  ...nothing,
  containers: [container("gateway"), container("gateway", { number: 2 }), container("proxy")],
  networks: ["demo_default"],
  volumes: ["demo_store"],
};
const plain = { volumes: false, confirmed: false };

describe("down", () => {
  test("has nothing to do where nothing is", () => {
    expect(planDown(nothing, plain)).toMatchObject({ steps: [], questions: [], privileges: [], services: [] });
    expect(planDown(nothing, { volumes: true, confirmed: false })).toMatchObject({ steps: [], questions: [] });
  });

  test("keeps the volumes, also where nothing else is left", () => {
    expect(planDown(running, plain)).toMatchObject({
      services: ["gateway", "proxy"],
      steps: [{ kind: "remove-project", project: "demo", volumes: [] }],
      questions: [],
    });
    expect(planDown({ ...nothing, volumes: ["demo_store"] }, plain).steps).toEqual([]);
  });

  test("removes a network that a failed start left behind", () => {
    expect(planDown({ ...nothing, networks: ["demo_default"] }, plain).steps).toMatchObject([
      { kind: "remove-project" },
    ]);
  });

  test("removes sandboxes first, also where the stack itself is gone", () => {
    const sandboxes = [{ ...container("x"), id: "s1", name: "demo-sandbox-1" }];
    const kinds = (facts: DownFacts) => planDown(facts, plain).steps.map(({ kind }) => kind);
    expect(kinds({ ...running, sandboxes })).toEqual(["remove-sandboxes", "remove-project"]);
    expect(kinds({ ...nothing, sandboxes })).toEqual(["remove-sandboxes"]);
  });

  test("asks before it deletes data, naming it, unless that was confirmed", () => {
    const facts = { ...running, volumes: ["demo_store", "demo_cache"] };
    expect(planDown(facts, { volumes: true, confirmed: false })).toMatchObject({
      steps: [{ kind: "remove-project", volumes: ["demo_store", "demo_cache"] }],
      questions: [
        {
          kind: "data-loss",
          name: "volumes",
          text: "the data in demo_store, demo_cache will be deleted and cannot be brought back",
        },
      ],
    });
    expect(planDown(facts, { volumes: true, confirmed: false }).questions[0]).not.toHaveProperty("acceptedBy");
    expect(planDown(facts, { volumes: true, confirmed: true }).questions).toMatchObject([{ acceptedBy: "--yes" }]);
  });

  test("asks before it removes what only a name says to be a sandbox, and not about what carries the project's label", () => {
    const labels = { "sandbox-deploy.project": "demo", "sandbox-deploy.role": "sandbox" };
    const own = { ...container("x", { labels }), name: "demo-sandbox-1" };
    const other = { ...container("x"), name: "agent-box-1" };
    expect(planDown({ ...nothing, sandboxes: [own] }, plain).questions).toEqual([]);
    const facts = { ...nothing, sandboxes: [own, other] };
    expect(planDown(facts, plain).questions).toEqual([
      {
        kind: "foreign-containers",
        name: "containers",
        text: "nothing but the beginning of their names says that these containers are sandboxes of demo: agent-box-1",
      },
    ]);
    expect(planDown(facts, { ...plain, confirmed: true }).questions).toMatchObject([{ acceptedBy: "--yes" }]);
  });

  test("deletes volumes that outlived their stack when that is asked for", () => {
    const plan = planDown({ ...nothing, volumes: ["demo_store"] }, { volumes: true, confirmed: true });
    expect(plan.steps).toMatchObject([{ kind: "remove-project", volumes: ["demo_store"] }]);
  });

  test("loses every privilege that is held", () => {
    const privilege = { service: "gateway", kind: "runtime-socket", detail: "/var/run/docker.sock (rw)" } as const;
    expect(planDown({ ...running, privileges: [privilege] }, plain).privileges).toEqual([
      { ...privilege, change: "lost" },
    ]);
  });
});
