import { describe, expect, test } from "vitest";
import { planBuild, planPull } from "../../../src/core/plan/plan-images.ts";
import { type Case, configOf, container, planFor, situationOf, starts, stepsOf } from "./plan-facts.ts";

const services = {
  gateway: { image: "demo-gateway:1", build: { context: "." } },
  migrate: { image: "demo-gateway:1", restart: "no" },
  proxy: { image: "caddy:2" },
};
const here = { "demo-gateway:1": "sha256:1", "caddy:2": "sha256:1" };

function images(parts: Case) {
  const plan = planFor({ services, images: here, ...parts });
  return plan.steps.flatMap((step) => {
    switch (step.kind) {
      case "build":
        return `build${step.pull ? " --pull" : ""} ${step.services.join(" ")}`;
      case "pull":
        return `pull ${step.policy} ${step.services.join(" ")}`;
      case "make-local-images":
        return `make ${step.images.join(" ")}`;
      default:
        return [];
    }
  });
}

describe("images", () => {
  test.each<[what: string, parts: Case, expected: string[]]>([
    ["that are all here need no step", {}, []],
    [
      "that are missing are built where they can be, else pulled",
      { images: {} },
      ["build gateway", "pull missing proxy"],
    ],
    ["that another service builds are not pulled", { images: { "caddy:2": "sha256:1" } }, ["build gateway"]],
    ["are all built when that is asked for", { options: { build: "always" } }, ["build gateway"]],
    ["are all pulled when that is asked for", { options: { pull: "always" } }, ["pull always proxy"]],
    [
      "are built on newly pulled bases when both are asked for",
      { options: { build: "always", pull: "always" } },
      ["build --pull gateway", "pull always proxy"],
    ],
    ["that are here are as good without building", { options: { build: "never", pull: "never" } }, []],
    [
      "of excluded services are not needed",
      { images: { "caddy:2": "sha256:1" }, stack: { excluded: ["gateway", "migrate"] } },
      [],
    ],
    [
      "that no service runs are built as well",
      { model: { "x-sandbox-deploy": { builtImages: { "sandbox-image": "sandbox:1" } } } },
      ["build sandbox-image"],
    ],
    [
      "of the default stack are made from packages in local mode, an overlay's own are built",
      {
        images: {},
        stack: { images: "local", variables: { PROXY_IMAGE: "caddy:2", GATEWAY_IMAGE: "demo-gateway:1" } },
      },
      ["make demo-gateway:1", "pull missing proxy"],
    ],
    [
      "of an overlay are built as usual although those of the default stack are made from packages",
      { images: {}, stack: { images: "local", variables: { GATEWAY_IMAGE: "other:1" } } },
      ["build gateway", "pull missing proxy"],
    ],
  ])("%s", (_, parts, expected) => {
    expect(images(parts)).toEqual(expected);
  });

  test("that are missing and may neither be built nor pulled are errors, all at once", () => {
    const plan = planFor({ services, images: {}, options: { build: "never", pull: "never" } });
    expect(stepsOf(plan, "build")).toEqual([]);
    expect(stepsOf(plan, "pull")).toEqual([]);
    expect(plan.findings.map(({ code, message, fix }) => [code, message, fix])).toEqual([
      [
        "D050",
        "the image demo-gateway:1 of service gateway is not on this machine",
        "run without --no-build, or run ./deploy build first",
      ],
      [
        "D050",
        "the image caddy:2 of service proxy is not on this machine",
        "run with --pull missing, or run ./deploy pull first",
      ],
    ]);
  });

  test("that are built anew replace the containers of every service that uses them", () => {
    const plan = planFor({ services, images: here, options: { build: "always" } });
    expect(starts(plan)).toEqual([
      "recreate gateway: its image is made or pulled anew",
      "recreate migrate: its image is made or pulled anew",
    ]);
  });

  test("come before anything is stopped", () => {
    const plan = planFor({ services, images: {}, containers: [container("old"), container("gateway")] });
    expect(plan.steps.map(({ kind }) => kind)).toEqual(["build", "pull", "remove-containers", "start"]);
  });
});

describe("on request", () => {
  const all = {
    gateway: { image: "sandbox-deploy/gateway:1", build: { context: "." } },
    extra: { image: "org/extra", build: { context: "." } },
    nameless: { build: { context: ".", privileged: true } },
    proxy: { image: "caddy:2" },
  };
  const given = { services: all, images: { "caddy:2": "sha256:1" } };
  const local = { images: "local", variables: { GATEWAY_IMAGE: "sandbox-deploy/gateway:1" } } as const;
  const built = (parts: Case, ...asked: string[]) => {
    const { facts, stack } = situationOf({ ...given, ...parts });
    return planBuild(configOf(parts.config), facts, stack, asked, parts.options?.accept ?? []);
  };

  test("everything is built that can be, though it is here", () => {
    expect(built({}).steps).toMatchObject([{ kind: "build", services: ["gateway", "extra", "nameless"] }]);
  });

  test("only what the packages can make is made from them, in local mode too", () => {
    expect(built({ stack: local }).steps).toMatchObject([
      { kind: "make-local-images", images: ["sandbox-deploy/gateway:1"] },
      { kind: "build", services: ["extra", "nameless"] },
    ]);
    expect(built({ stack: local }, "nameless").steps).toMatchObject([{ kind: "build", services: ["nameless"] }]);
    expect(built({ stack: local }, "proxy").steps).toEqual([]);
  });

  test("a privileged build asks, unless it was accepted or applied before", () => {
    const asked = [{ name: "host-root", text: "nameless: host-program privileged image build" }];
    const applied = [{ service: "nameless", kind: "host-program", detail: "privileged image build" }] as const;
    expect(built({}).questions).toMatchObject(asked);
    expect(built({}, "extra").questions).toEqual([]);
    expect(built({ applied }).questions).toEqual([]);
    expect(built({ options: { accept: ["host-root"] } }).questions).toMatchObject([
      { acceptedBy: "--accept host-root" },
    ]);
  });

  test("only what nobody here builds is pulled, the newest", () => {
    const { facts } = situationOf(given);
    expect(planPull(facts, []).steps).toMatchObject([{ kind: "pull", services: ["proxy"], policy: "always" }]);
    expect(planPull(facts, ["gateway"]).steps).toEqual([]);
  });
});
