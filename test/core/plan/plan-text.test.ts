import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { planDown } from "../../../src/core/plan/plan-down.ts";
import { describeStep, type Step } from "../../../src/core/plan/plan-steps.ts";
import { planText } from "../../../src/core/plan/plan-text.ts";
import { wrapText } from "../../../src/core/text/wrapped-text.ts";
import { container, planFor } from "./plan-facts.ts";

describe("a step in one line", () => {
  const seed = { from: "/opt/tool/templates/env", to: "/srv/demo/.env", mode: 0o600, why: "" };
  test.each<[step: Step, expected: string]>([
    [{ kind: "seed-file", why: "", seed, name: ".env", template: "templates/env" }, "create .env from templates/env"],
    [{ kind: "generate-secrets", why: "", names: ["A", "B"] }, "generate A, B"],
    [{ kind: "write-secret-files", why: "", names: ["A"] }, "write secret file A"],
    [{ kind: "write-secret-files", why: "", names: ["A", "B"] }, "write secret files A, B"],
    [{ kind: "make-local-images", why: "", images: ["a:1"] }, "make image a:1 from Debian packages"],
    [{ kind: "build", why: "", services: ["a", "b"], pull: false }, "build a, b"],
    [{ kind: "pull", why: "", services: ["a"], policy: "missing" }, "pull a"],
    [{ kind: "pull", why: "", services: ["a"], policy: "always" }, "pull the newest image of a"],
    [{ kind: "remove-containers", why: "", names: ["x-1"], ids: ["1"] }, "remove x-1"],
    [
      {
        kind: "start",
        why: "",
        recreate: false,
        services: [
          { service: "a", kind: "create", why: "" },
          { service: "b", kind: "start", why: "" },
          { service: "c", kind: "create", why: "" },
        ],
      },
      "create a, c; start b",
    ],
    [{ kind: "remove-project", why: "", project: "demo", volumes: [] }, "remove the containers and networks of demo"],
    [
      { kind: "remove-project", why: "", project: "demo", volumes: ["v", "w"] },
      "remove the containers and networks of demo and the volumes v, w",
    ],
  ])("%#", (step, expected) => {
    expect(describeStep(step)).toBe(expected);
  });
});

describe("the text of a plan", () => {
  test("gives each of several services a line with its reason, in columns", () => {
    const text = planText(planFor({ containers: [container("proxy", { hash: "old" })] }));
    expect(text.split("\n").slice(-4)).toEqual([
      "  1. bring up 2 services",
      "     create    gateway  it has no container yet",
      "     recreate  proxy    its configuration changed in something that its",
      "                        container does not show",
    ]);
  });

  test("shows files from the configuration's folder on, and others whole", () => {
    const files = ["/opt/tool/compose/docker-compose.yaml", "/srv/demo/extra/own.yaml"];
    const text = planText(planFor({ stack: { files } }));
    expect(text).toContain("files     /opt/tool/compose/docker-compose.yaml\n          extra/own.yaml\n");
  });

  test("keeps to 80 columns however many services there are and whatever they are called", () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,24}$/);
    fc.assert(
      fc.property(fc.uniqueArray(name, { minLength: 1, maxLength: 25 }), (names) => {
        const services = Object.fromEntries(names.map((each) => [each, { image: "demo:1" }]));
        const text = planText(planFor({ services, containers: [], images: {} }));
        expect(text.split("\n").filter((line) => line.length > 80)).toEqual([]);
        for (const each of names) expect(text).toContain(each);
      }),
      { numRuns: 50 },
    );
  });

  test("of a down has no mode and no files", () => {
    const facts = {
      project: "demo",
      containers: [],
      sandboxes: [],
      foreign: [],
      networks: ["n"],
      volumes: ["v"],
      privileges: [],
    };
    expect(planText(planDown(facts, { volumes: true, confirmed: false }))).toBe(
      [
        "project   demo",
        "",
        "privileges: none",
        "",
        "steps",
        "  1. remove the containers and networks of demo and the volumes v",
        "     why: down was asked for",
        "",
        "questions",
        "  ? the data in v will be deleted and cannot be brought back",
        "    open: confirm it with --yes",
      ].join("\n"),
    );
  });
});

describe("wrapped text", () => {
  test("is indented like its first line", () => {
    expect(wrapText("aaa bbb ccc", "why: ", undefined, 12)).toEqual(["why: aaa bbb", "     ccc"]);
  });

  test("keeps a word whole that fits in no line", () => {
    expect(wrapText("a /a/very/long/path b", "- ", "  ", 8)).toEqual(["- a", "  /a/very/long/path", "  b"]);
  });

  test("loses no word, and only a single word may be wider than the columns", () => {
    const word = fc.stringMatching(/^[a-z/]{1,30}$/);
    fc.assert(
      fc.property(fc.array(word), fc.integer({ min: 1, max: 40 }), (words, columns) => {
        const lines = wrapText(words.join(" "), "  ", "  ", columns);
        expect(lines.flatMap((line) => line.trim().split(" "))).toEqual(words);
        expect(lines.filter((line) => line.length > columns && line.trim().includes(" "))).toEqual([]);
      }),
    );
  });
});
