import { describe, expect, test } from "vitest";
import { container, ordinary, planFor, stepsOf } from "./plan-facts.ts";

describe("containers that the stack does not have", () => {
  test("are removed before anything is started; sandboxes once no old gateway can start another", () => {
    const plan = planFor({
      containers: [container("gateway", { hash: "old" }), container("proxy"), container("provisioner")],
      sandboxes: [{ ...container("x"), id: "s1", name: "demo-sandbox-1" }],
      stack: { excluded: ["provisioner"] },
    });
    expect(plan.steps.map(({ kind }) => kind)).toEqual(["remove-containers", "start", "remove-sandboxes"]);
    expect(stepsOf(plan, "remove-containers").map(({ ids, why }) => [ids, why])).toEqual([
      [["provisioner-1"], "not part of the stack in local mode"],
    ]);
    expect(stepsOf(plan, "remove-sandboxes").map(({ names, why }) => [names, why])).toEqual([
      [["demo-sandbox-1"], "sandboxes of aio mode; the stack is now in local mode"],
    ]);
  });

  test("leave no network of another mode, and keep those of the model and whatever is not the project's", () => {
    const attached = ["demo_default", "demo_control", "bridge", "other_front", "demo_operators"];
    const plan = planFor({
      containers: [{ ...container("gateway"), networks: attached }, container("proxy")],
      networks: ["demo_default", "demo_control", "demo_of_nobody_here"],
      model: { networks: { default: { name: "demo_default" } } },
    });
    expect(stepsOf(plan, "remove-networks").map(({ names }) => names)).toEqual([["demo_control"]]);
  });

  test("are only sandboxes where the mode is not aio", () => {
    const sandboxes = [{ ...container("x"), id: "s1" }];
    expect(planFor({ mode: "aio", sandboxes }).steps).toEqual([]);
    expect(planFor({ mode: "provisioner", sandboxes }).steps).toHaveLength(1);
  });

  test("include a service that is in the files but excluded, which neither starts nor counts", () => {
    const services = { ...ordinary, provisioner: { image: "demo:2", privileged: true } };
    const containers = [container("gateway"), container("proxy"), container("provisioner")];
    const plan = planFor({ services, containers, stack: { excluded: ["provisioner"] } });
    expect(plan.services).toEqual(["gateway", "proxy"]);
    expect(plan.steps.map(({ kind }) => kind)).toEqual(["remove-containers"]);
    expect(plan.privileges).toEqual([]);
    expect(plan.questions).toEqual([]);
  });
});

test("a network of the stack is known by its name or else by its key", () => {
  const networks = ["demo_default", "demo_control"];
  const containers = [{ ...container("gateway"), networks }, container("proxy")];
  const model = { networks: { default: { name: "demo_default" }, control: {} } };
  expect(planFor({ containers, model, networks }).steps).toEqual([]);
});

test("a replacement goes that a killed Compose has left beside what it was made for, and one that is all there is stays", () => {
  const old = { ...container("gateway"), id: `0123456789ab${"c".repeat(52)}` };
  const replacement = { ...container("gateway"), id: "d".repeat(64), name: "0123456789ab_demo-gateway-1" };
  const removed = (...containers: readonly (typeof old)[]) =>
    planFor({ containers: [...containers, container("proxy")] }).steps.map((step) =>
      step.kind === "remove-containers" ? step.ids : step.kind,
    );
  expect(removed(old, replacement)).toEqual([[replacement.id]]);
  expect(removed(replacement)).toEqual([]);
  expect(removed({ ...old, configHash: "old" }, replacement)).toEqual([[replacement.id], "start"]);
});

describe("sandboxes that have more than the guard's policy allows", () => {
  const services = { ...ordinary, guard: { image: "demo:1" } };
  const policy = { guardPolicy: "limits: { memory: 1m }\n" };
  const box = {
    ...container("x"),
    ...{ id: "s1", name: "demo-sandbox-1", limits: { memory: 1, memoryAndSwap: 1, cpus: 1, pids: 1 } },
    ownLabels: { "sandbox-deploy.project": "demo", "sandbox-deploy.guard": "demo" },
  };
  const { service: _, project: __, ...sandbox } = box;
  const of = (guardHash: string, more: Partial<Parameters<typeof planFor>[0]> = {}) =>
    planFor({
      ...{ mode: "aio", services, stack: policy, sandboxes: [sandbox] },
      containers: [container("gateway"), container("proxy"), container("guard", { hash: guardHash })],
      verdicts: new Map([["s1", "has more"]]),
      ...more,
    });

  test("go where a new policy makes the guard anew, once it has", () => {
    const plan = of("old");
    expect(plan.steps.map(({ kind }) => kind)).toEqual(["start", "remove-containers"]);
    expect(stepsOf(plan, "remove-containers")).toMatchObject([
      { ids: ["s1"], why: "made under other settings: demo-sandbox-1 has more" },
    ]);
    expect(plan.questions).toEqual([]);
  });

  test("stay where they have no more, and where the policy is what it was: then they are an error, not a leftover", () => {
    expect(stepsOf(of("old", { verdicts: new Map() }), "remove-containers")).toEqual([]);
    expect(of("h").steps).toEqual([]);
  });

  test("are asked about where only their names say whose they are", () => {
    const { questions } = of("old", { sandboxes: [{ ...sandbox, ownLabels: {} }] });
    expect(questions.map(({ kind }) => kind)).toEqual(["foreign-containers"]);
  });
});
