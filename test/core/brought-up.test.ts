import { describe, expect, test } from "vitest";
import type { Privilege } from "../../src/core/privileges/privilege.ts";
import { privilegesOfModel } from "../../src/core/privileges/privileges.ts";
import { host, modelOf } from "../support/granted.ts";

function lineOf({ service, kind, detail, consent }: Privilege): string {
  return `${service} ${[kind, detail, ...(consent === undefined ? [] : [consent])].join(" | ")}`;
}

describe("what Compose brings up for a service", () => {
  test.each([
    ["a provider", { provider: { type: "./run.sh" } }, "docker host-program | provider ./run.sh | host-root"],
    ["a model", { models: { llm: null } }, "docker host-program | docker model, for llm | host-root"],
  ])("counts if it is scaled to zero and only another depends on it: %s", (_what, service, line) => {
    const services = {
      app: { depends_on: { middle: {} } },
      middle: { depends_on: { docker: {} } },
      docker: { ...service, scale: 0 },
      other: { provider: { type: "x" } },
    };
    expect(privilegesOfModel(modelOf({ services }), host, ["app"]).map(lineOf)).toEqual([line]);
  });

  test("counts in full if it has the profile `build` and an optional dependency may start it by another", () => {
    const services = {
      app: { depends_on: { evil: { required: false } } },
      evil: { profiles: ["build", "full"], pid: "host", depends_on: { next: {} } },
      next: { profiles: ["build"], network_mode: "service:evil" },
      unused: { profiles: ["build"], pid: "host" },
    };
    expect(privilegesOfModel(modelOf({ services }), host, ["app"]).map(lineOf)).toEqual([
      "evil host-namespace | pid: host | host-root",
      "next host-namespace | network: service evil",
    ]);
  });

  test("takes along the socket of a service whose volumes it takes", () => {
    const services = { app: { volumes_from: ["api"] }, api: { use_api_socket: true } };
    expect(privilegesOfModel(modelOf({ services }), host, ["app"]).map(lineOf)).toEqual([
      "app runtime-socket | /var/run/docker.sock (rw) | host-root",
    ]);
  });
});
