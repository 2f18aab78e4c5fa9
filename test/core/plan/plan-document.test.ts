import { expect, test } from "vitest";
import { plannedPrivileges } from "../../../src/core/plan/plan.ts";
import { planDocument } from "../../../src/core/plan/plan-document.ts";
import { planDown } from "../../../src/core/plan/plan-down.ts";
import { container, planFor } from "./plan-facts.ts";

const socket = { type: "bind", source: "/var/run/docker.sock", target: "/var/run/docker.sock" };
const plan = planFor({
  services: { gateway: { image: "demo:1", volumes: [socket] }, proxy: { image: "demo:1" } },
  containers: [container("gateway", { hostConfig: { CapAdd: ["NET_ADMIN"] }, hash: "old" }), container("proxy")],
});

test("the document of a plan has every part, in whole paths and under stable names", () => {
  expect(planDocument(plan)).toEqual({
    version: 1,
    mode: "local",
    because: { text: "a test says so", rule: "test" },
    project: "demo",
    composeFiles: ["/srv/demo/compose.yaml"],
    services: ["gateway", "proxy"],
    rolledBackTo: null,
    privileges: [
      {
        service: "gateway",
        kind: "runtime-socket",
        detail: "/var/run/docker.sock (rw)",
        change: "gained",
        consent: "host-root",
      },
      { service: "gateway", kind: "capability", detail: "NET_ADMIN", change: "lost", consent: null },
    ],
    credentials: [],
    exposure: null,
    drift: [],
    steps: [
      {
        kind: "start",
        why: "its configuration changed: mount /var/run/docker.sock added, capability to add NET_ADMIN removed",
        text: "recreate gateway",
        services: [
          {
            service: "gateway",
            kind: "recreate",
            why: "its configuration changed: mount /var/run/docker.sock added, capability to add NET_ADMIN removed",
          },
        ],
      },
    ],
    findings: [],
    questions: [
      {
        kind: "host-privilege",
        name: "host-root",
        text: "gateway: runtime-socket /var/run/docker.sock (rw)",
        acceptedBy: null,
      },
    ],
  });
});

test("the document of a plan survives JSON unchanged", () => {
  for (const each of [plan, planFor({ options: { accept: ["host-root"] } }), planFor({ containers: [] })]) {
    const document = planDocument(each);
    expect(JSON.parse(JSON.stringify(document))).toEqual(document);
  }
});

test("the document of a down has no mode", () => {
  const facts = {
    project: "demo",
    containers: [],
    sandboxes: [],
    foreign: [],
    networks: [],
    volumes: [],
    privileges: [],
  };
  expect(planDocument(planDown(facts, { volumes: false, confirmed: false }))).toMatchObject({
    mode: null,
    because: null,
  });
});

test("several reasons to start are told once each, with the services they hold for", () => {
  const services = { a: { image: "demo:1" }, b: { image: "demo:1" }, c: { image: "demo:1" } };
  const { steps } = planDocument(planFor({ services, containers: [container("b", { hash: "old" })] }));
  expect(steps.map(({ why }) => why)).toEqual([
    "a, c: it has no container yet; b: its configuration changed in something that its container does not show",
  ]);
});

test("what is planned to be held is what is gained or kept", () => {
  expect(plannedPrivileges(plan).map(({ detail }) => detail)).toEqual(["/var/run/docker.sock (rw)"]);
});
