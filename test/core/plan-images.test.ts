import { describe, expect, test } from "vitest";
import { type Case, container, planFor, starts, stepsOf } from "./plan-facts.ts";

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
