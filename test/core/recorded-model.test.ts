import { describe, expect, test } from "vitest";
import { runnableModel } from "../../src/core/recorded-model.ts";

const none = { images: {}, files: new Map<string, string>() };

const model = {
  name: "shop",
  services: {
    gateway: {
      image: "shop/gateway:1",
      build: { context: "/src" },
      environment: { PRICE: "5$$" },
      volumes: [
        { type: "bind", source: "/srv/config.yaml", target: "/etc/config.yaml", read_only: true },
        { type: "volume", source: "data", target: "/data" },
      ],
      secrets: [{ source: "key" }],
    },
    sandbox: { image: "shop/sandbox:1", build: { context: "/src" }, profiles: ["build"] },
  },
  secrets: { key: { name: "shop_key", file: "/srv/$$key" } },
  configs: { rules: { file: "/srv/rules" } },
  "x-note": { kept: true },
};

function runnable(replacements: Parameters<typeof runnableModel>[1]): unknown {
  return JSON.parse(runnableModel(JSON.stringify(model), replacements));
}

describe("a recorded model", () => {
  test("loses only the builds of what runs when nothing changed", () => {
    const { build: _, ...gateway } = model.services.gateway;
    expect(runnable(none)).toEqual({ ...model, services: { ...model.services, gateway } });
  });

  test("names the image that ran where its own reference is another one", () => {
    expect(runnable({ ...none, images: { gateway: "shop/gateway:deploy-1" } })).toMatchObject({
      services: { gateway: { image: "shop/gateway:deploy-1" }, sandbox: { image: "shop/sandbox:1" } },
    });
  });

  test("mounts copies in place of binds, secrets and configs that changed, and leaves volumes alone", () => {
    const files = new Map([
      ["/srv/config.yaml", "/h/a$b"],
      ["/srv/$key", "/h/key"],
      ["/srv/rules", "/h/rules"],
      ["data", "/h/never"],
    ]);
    expect(runnable({ ...none, files })).toMatchObject({
      services: { gateway: { volumes: [{ source: "/h/a$$b", target: "/etc/config.yaml" }, { source: "data" }] } },
      secrets: { key: { name: "shop_key", file: "/h/key" } },
      configs: { rules: { file: "/h/rules" } },
    });
  });

  test.each(["", "[]", '"text"', '{"services":{"a":1}}', "{}"])("that is none throws: %s", (text) => {
    expect(() => runnableModel(text, none)).toThrow();
  });
});
