import { describe, expect, test } from "vitest";
import { runnableModel } from "../../../src/core/deployment/recorded-model.ts";

const none = { images: {}, sandboxImages: new Map<string, string>(), files: new Map<string, string>() };

const model = {
  name: "shop",
  services: {
    gateway: {
      image: "shop/gateway:1",
      build: { context: "/src" },
      environment: { PRICE: "5$$", SANDBOXES: "shop/sandbox:1, shop/other:2", EMPTY: null },
      volumes: [
        { type: "bind", source: "/srv/config.yaml", target: "/etc/config.yaml", read_only: true },
        { type: "volume", source: "data", target: "/data" },
      ],
      secrets: [{ source: "key" }],
    },
    sandbox: { image: "shop/sandbox:1", build: { context: "/src" }, profiles: ["build"] },
    unnamed: { build: { context: "/src" } },
  },
  secrets: { key: { name: "shop_key", file: "/srv/$$key" } },
  configs: { rules: { file: "/srv/rules" } },
  "x-note": { kept: true, builtImages: "of somebody else" },
  "x-sandbox-deploy-own": { builtImages: { sandbox: "shop/sandbox:1" } },
};

function runnable(replacements: Parameters<typeof runnableModel>[1]): unknown {
  return JSON.parse(runnableModel(JSON.stringify(model), replacements));
}

describe("a recorded model", () => {
  test("loses only the builds of images that have a name when nothing changed", () => {
    const { build: _, ...gateway } = model.services.gateway;
    expect(runnable(none)).toEqual({ ...model, services: { ...model.services, gateway } });
  });

  test("names the image that ran where its own reference is another one", () => {
    expect(runnable({ ...none, images: { gateway: "shop/gateway:deploy-1" } })).toMatchObject({
      services: { gateway: { image: "shop/gateway:deploy-1" }, sandbox: { image: "shop/sandbox:1" } },
    });
  });

  test("names the image of sandboxes that there was, wherever its reference is written", () => {
    const kept = "shop/sandbox:deploy-1";
    const given = { ...none, images: { sandbox: kept }, sandboxImages: new Map([["shop/sandbox:1", kept]]) };
    expect(runnable(given)).toMatchObject({
      services: {
        gateway: { image: "shop/gateway:1", environment: { PRICE: "5$$", SANDBOXES: `${kept}, shop/other:2` } },
        sandbox: { image: kept },
      },
      "x-note": model["x-note"],
      "x-sandbox-deploy-own": { builtImages: { sandbox: kept } },
    });
  });

  test("runs the image of a service without a name by the name that is kept, and builds nothing then", () => {
    const { services } = JSON.parse(
      JSON.stringify(runnable({ ...none, images: { unnamed: "shop/unnamed:deploy-1" } })),
    );
    expect(services.unnamed).toEqual({ image: "shop/unnamed:deploy-1" });
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
