import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ComparedSide, diffDeployments, isSame } from "../../../src/core/deployment/deployment-diff.ts";
import { diffText } from "../../../src/core/deployment/deployment-text.ts";

const side: ComparedSide = {
  title: "one",
  mode: "local",
  files: { "/srv/demo/.env": "a", "/srv/demo/compose.yaml": "b" },
  model: {
    services: {
      web: { image: "web:1", environment: { LEVEL: "low", "A.B": "x" }, ports: [{ target: 80 }] },
      store: {},
    },
    volumes: { data: { name: "demo_data" } },
  },
  images: { web: "sha256:1" },
  privileges: [{ service: "web", kind: "published-port", detail: "127.0.0.1:80 -> 80/tcp" }],
  secrets: { PASSWORD: "f1" },
};
const other = (changes: Partial<ComparedSide>): ComparedSide => ({ ...side, title: "two", ...changes });

describe("the difference of two deployments", () => {
  test.each([
    ["mode", { mode: "aio" }, { mode: { from: "local", to: "aio" } }],
    [
      "files by path",
      { files: { "/srv/demo/.env": "A", "/srv/demo/more.yaml": "c" } },
      {
        files: [
          { name: "/srv/demo/.env", change: "changed" },
          { name: "/srv/demo/compose.yaml", change: "removed" },
          { name: "/srv/demo/more.yaml", change: "added" },
        ],
      },
    ],
    [
      "keys and variables by name, for each service",
      {
        model: {
          services: { web: { image: "web:1", environment: { LEVEL: "high", MORE: "1" }, ports: [] }, store: {} },
          volumes: { data: { name: "elsewhere" } },
        },
      },
      {
        settings: [
          { service: "web", name: "environment.A.B", change: "removed" },
          { service: "web", name: "environment.LEVEL", change: "changed" },
          { service: "web", name: "environment.MORE", change: "added" },
          { service: "web", name: "ports", change: "changed" },
          { service: null, name: "volumes.data.name", change: "changed" },
        ],
      },
    ],
    [
      "a service that is new or gone as a whole",
      { model: { services: { web: side.model && { image: "x" }, cache: { image: "c", environment: { A: "1" } } } } },
      {
        settings: expect.arrayContaining([
          { service: "cache", name: "", change: "added" },
          { service: "store", name: "", change: "removed" },
        ]),
      },
    ],
    [
      "images",
      { images: { web: "sha256:2", cache: "sha256:3" } },
      {
        images: [
          { service: "cache", from: null, to: "sha256:3" },
          { service: "web", from: "sha256:1", to: "sha256:2" },
        ],
      },
    ],
    [
      "privileges that are gained and lost, but not those of sandboxes",
      {
        privileges: [
          { service: "web", kind: "host-bind", detail: "/etc (ro)" },
          { service: "sandbox", kind: "capability", detail: "CHOWN" },
        ],
      },
      {
        privileges: [
          { service: "web", kind: "host-bind", detail: "/etc (ro)", change: "gained" },
          { service: "web", kind: "published-port", detail: "127.0.0.1:80 -> 80/tcp", change: "lost" },
        ],
      },
    ],
    ["secrets by name", { secrets: { PASSWORD: "f2" } }, { secrets: [{ name: "PASSWORD", change: "changed" }] }],
    [
      "nothing where one of them is not known, and says so",
      { images: undefined, model: undefined },
      { images: [], settings: [], notCompared: ["configuration, images: not known of two"] },
    ],
  ] satisfies [string, Partial<ComparedSide>, object][])("names %s", (_what, changes, expected) => {
    const same = { mode: null, files: [], settings: [], images: [], privileges: [], secrets: [], notCompared: [] };
    const diff = diffDeployments(side, other(changes));
    expect(diff).toEqual({ ...same, from: "one", to: "two", ...expected });
    expect(isSame(diff)).toBe("notCompared" in expected);
  });

  test("of two equal ones is none", () => {
    const diff = diffDeployments(side, other({}));
    expect(isSame(diff)).toBe(true);
    expect(diffText(diff, "/srv/demo")).toBe("from one to two (+ added, - removed, ~ changed)\nno difference");
  });

  test("holds no value of either model, whatever the models are", () => {
    const value = fc
      .string({ unit: fc.constantFrom(..."0123456789"), minLength: 6, maxLength: 9 })
      .map((text) => `V${text}`);
    const names = fc.string({ unit: fc.constantFrom(..."abc.xyz"), minLength: 1, maxLength: 5 });
    const service = fc.dictionary(names, fc.oneof(value, fc.array(value), fc.dictionary(names, value)));
    const model = fc.record({ services: fc.dictionary(names, service) });
    fc.assert(
      fc.property(model, model, (before, after) => {
        const diff = diffDeployments({ ...side, model: before }, other({ model: after }));
        expect(JSON.stringify(diff) + diffText(diff, "/")).not.toMatch(/V\d{6}/);
        expect(diffDeployments({ ...side, model: before }, other({ model: before })).settings).toEqual([]);
      }),
    );
  });

  test("is read in groups, each with what changed by name", () => {
    const model = { services: { web: { image: "web:2" } } };
    const text = diffText(
      diffDeployments(side, other({ model, images: { web: "sha256:2" }, secrets: {} })),
      "/srv/demo",
    );
    expect(text).toBe(
      [
        "from one to two (+ added, - removed, ~ changed)",
        "configuration",
        "  - store          the whole service",
        "  - web            environment.A.B",
        "  - web            environment.LEVEL",
        "  ~ web            image",
        "  - web            ports",
        "  - (whole stack)  volumes.data.name",
        "images",
        "  web  sha256:1 -> sha256:2",
        "secrets",
        "  - PASSWORD",
      ].join("\n"),
    );
  });
});
