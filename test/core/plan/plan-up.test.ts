import { describe, expect, test } from "vitest";
import { container, ordinary, planFor, starts, stepsOf } from "./plan-facts.ts";

const exited = (ExitCode: number) => ({ state: { Status: "exited", Running: false, ExitCode } });
const policy = (Name: string) => ({ hostConfig: { RestartPolicy: { Name } } });
const secretModel = {
  "x-sandbox-deploy": {
    secrets: { API_KEY: { value: "", file: "api_key" }, STORE_PASSWORD: { value: "s3cr3t", file: "store_password" } },
  },
};

describe("a service", () => {
  test.each<
    [what: string, parts: Parameters<typeof container>[1], modelled: Record<string, unknown>, expected: string[]]
  >([
    ["that runs as configured is left alone", {}, {}, []],
    ["that is unhealthy is left for verification to judge", { state: { Health: { Status: "unhealthy" } } }, {}, []],
    ["that crashes and restarts is left for verification to judge", { state: { Status: "restarting" } }, {}, []],
    [
      "whose configuration has another hash is recreated",
      { hash: "old" },
      {},
      ["recreate gateway: its configuration changed in something that its container does not show"],
    ],
    [
      "that was stopped is started",
      { ...exited(143), ...policy("unless-stopped") },
      { restart: "unless-stopped" },
      ["start gateway: its container ended with exit code 143"],
    ],
    [
      "that ended well although it should go on is started",
      { ...exited(0), ...policy("unless-stopped") },
      { restart: "unless-stopped" },
      ["start gateway: its container ended with exit code 0"],
    ],
    ["that ran once and ended well is finished", exited(0), {}, []],
    [
      "that was to run until it succeeds, and did, is finished",
      { ...exited(0), ...policy("on-failure") },
      { restart: "on-failure:3" },
      [],
    ],
    [
      "that ran once and failed is started again",
      exited(1),
      {},
      ["start gateway: its container ended with exit code 1"],
    ],
    [
      "that ended well but has a health check is a server and is started",
      exited(0),
      { healthcheck: { test: ["CMD", "true"] } },
      ["start gateway: its container ended with exit code 0"],
    ],
    ["whose health check is disabled may be finished", exited(0), { healthcheck: { disable: true } }, []],
    [
      "that ended well but publishes a port is a server and is started",
      { ...exited(0), hostConfig: { PortBindings: { "80/tcp": [{ HostIp: "", HostPort: "80" }] } } },
      { ports: [{ target: 80, published: "80" }] },
      ["start gateway: its container ended with exit code 0"],
    ],
    [
      "that was created and never started is started",
      { state: { Status: "created", Running: false } },
      {},
      ["start gateway: its container is created"],
    ],
    [
      "that is paused is recreated by force, for the engine does not start it",
      { state: { Status: "paused" } },
      {},
      ["!recreate gateway: its container is paused"],
    ],
    [
      "that is dead is recreated by force",
      { state: { Status: "dead", Running: false } },
      {},
      ["!recreate gateway: its container is dead"],
    ],
    [
      "that is stopped and has another configuration is recreated",
      { ...exited(1), hash: "old" },
      {},
      ["recreate gateway: its configuration changed in something that its container does not show"],
    ],
  ])("%s", (_, parts, modelled, expected) => {
    const services = { ...ordinary, gateway: { image: "demo:1", ...modelled } };
    const plan = planFor({ services, containers: [container("gateway", parts), container("proxy")] });
    expect(starts(plan)).toEqual(expected);
    expect(plan.steps).toHaveLength(expected.length);
  });

  test("without a container is created", () => {
    expect(starts(planFor({ containers: [container("proxy")] }))).toEqual(["create gateway: it has no container yet"]);
  });

  test("with a container of an older image under the same name is recreated", () => {
    const plan = planFor({ images: { "demo:1": "sha256:2" } });
    expect(starts(plan)).toEqual([
      "recreate gateway: its image changed (1 -> 2)",
      "recreate proxy: its image changed (1 -> 2)",
    ]);
  });

  test("without an image of its own is compared under the name that Compose gives it", () => {
    const services = { gateway: { build: { context: "." } }, proxy: { image: "demo:1" } };
    const same = planFor({ services, images: { "demo:1": "sha256:1", "demo-gateway": "sha256:1" } });
    const other = planFor({ services, images: { "demo:1": "sha256:1", "demo-gateway": "sha256:2" } });
    expect(starts(same)).toEqual([]);
    expect(starts(other)).toEqual(["recreate gateway: its image changed (1 -> 2)"]);
  });

  test("with an image named by its digest is compared under that name", () => {
    const image = `ghcr.io/acme/app@sha256:${"a".repeat(64)}`;
    const at = (id: string) =>
      planFor({
        services: { gateway: { image }, proxy: { image: "demo:1" } },
        images: { [image]: id, "demo:1": "sha256:1" },
      });
    expect(starts(at("sha256:1"))).toEqual([]);
    expect(starts(at("sha256:2"))).toEqual(["recreate gateway: its image changed (1 -> 2)"]);
  });

  test("whose provider ran from here is not run again, and is never waited for", () => {
    const services = { ...ordinary, model: { provider: { type: "model" } } };
    const containers = [container("gateway"), container("proxy")];
    const privilege = { service: "model", kind: "host-program", detail: "provider model" } as const;
    const first = planFor({ services, containers });
    const second = planFor({ services, containers, applied: [privilege] });
    expect(starts(first)).toEqual(["create model: its provider has not run from here"]);
    expect(second.steps).toEqual([]);
    expect([first.services, second.services]).toEqual([
      ["gateway", "proxy"],
      ["gateway", "proxy"],
    ]);
    expect(first.questions.map(({ name }) => name)).toEqual(["host-root"]);
    expect(second.questions).toEqual([]);
  });
});

describe("replicas", () => {
  const at = (replicas: number, count: number) =>
    planFor({
      services: { ...ordinary, gateway: { image: "demo:1", deploy: { replicas } } },
      containers: [
        container("proxy"),
        ...Array.from({ length: count }, (_, index) => container("gateway", { number: index + 1 })),
      ],
    });

  test.each<[replicas: number, count: number, expected: string[]]>([
    [3, 3, []],
    [3, 0, ["create gateway: it has no container yet"]],
    [3, 1, ["scale gateway: it has 1 container where 3 should be"]],
    [1, 3, ["scale gateway: it has 3 containers where 1 should be"]],
    [0, 0, []],
  ])("%i wanted and %i there", (replicas, count, expected) => {
    expect(starts(at(replicas, count))).toEqual(expected);
  });

  test("of zero are no service: not waited for, and what is left of it is removed", () => {
    const plan = at(0, 2);
    expect(plan.services).toEqual(["proxy"]);
    expect(plan.steps).toEqual([
      {
        kind: "remove-containers",
        why: "their service is scaled to zero",
        names: ["demo-gateway-1", "demo-gateway-2"],
        ids: ["gateway-1", "gateway-2"],
      },
    ]);
  });

  test("of which one differs are recreated", () => {
    const plan = planFor({
      services: { gateway: { image: "demo:1", scale: 2 }, proxy: { image: "demo:1" } },
      containers: [container("proxy"), container("gateway"), container("gateway", { number: 2, hash: "old" })],
    });
    expect(starts(plan)).toEqual([
      "recreate gateway: its configuration changed in something that its container does not show",
    ]);
  });
});

describe("secrets", () => {
  const services = {
    gateway: { image: "demo:1", secrets: [{ source: "api_key" }, { source: "store_password" }] },
    store: { image: "demo:1", secrets: [{ source: "store_password" }] },
    proxy: { image: "demo:1" },
  };

  test("that changed on disk are written, and only their readers are recreated by force", () => {
    const plan = planFor({
      services,
      model: secretModel,
      staleSecretFiles: ["STORE_PASSWORD"],
      containers: [container("gateway"), container("store"), container("proxy", { hash: "old" })],
    });
    expect(plan.steps.map(({ kind }) => kind)).toEqual(["write-secret-files", "start", "start"]);
    expect(starts(plan)).toEqual([
      "!recreate gateway: a secret that it reads from a file changed",
      "!recreate store: a secret that it reads from a file changed",
      "recreate proxy: its configuration changed in something that its container does not show",
    ]);
  });

  test("that only one service reads concern nobody else", () => {
    const plan = planFor({ services, model: secretModel, staleSecretFiles: ["API_KEY"] });
    expect(starts(plan)).toEqual(["!recreate gateway: a secret that it reads from a file changed"]);
  });

  test("that are missing are generated first, and written for containers only once there are images", () => {
    const seed = { from: "/opt/tool/templates/env", to: "/srv/demo/.env", mode: 0o600, why: "there is none" };
    const plan = planFor({
      services,
      model: secretModel,
      seeds: [seed],
      missingSecrets: ["API_KEY"],
      staleSecretFiles: ["API_KEY"],
      containers: [],
      images: {},
    });
    expect(plan.steps.map(({ kind }) => kind)).toEqual([
      "seed-file",
      "generate-secrets",
      "pull",
      "write-secret-files",
      "start",
    ]);
    expect(stepsOf(plan, "seed-file")).toMatchObject([{ name: ".env", template: "/opt/tool/templates/env" }]);
  });
});

describe("names in the configuration", () => {
  test.each(["required", "optional"])("exclude a service that another one %sly depends on: an error", (kind) => {
    const dependency = { provisioner: { condition: "service_started", required: kind === "required" } };
    const services = {
      ...ordinary,
      gateway: { image: "demo:1", depends_on: dependency },
      provisioner: { image: "demo:1" },
    };
    const plan = planFor({ services, stack: { excluded: ["provisioner"] } });
    expect(plan.findings).toMatchObject([{ code: "D012", severity: "error" }]);
    expect(plan.findings[0]?.message).toContain("gateway depends on provisioner");
    expect(planFor({ services }).findings).toEqual([]);
  });

  test("that no service has are warned about", () => {
    const { findings } = planFor({ config: { platform: { service: "agent" }, compose: { proxy: "nginx" } } });
    expect(findings.map(({ code, severity, message }) => `${severity} ${code} ${message}`)).toEqual([
      "warning D033 platform.service names the service agent, which the Compose files do not have",
      "warning D033 compose.proxy names the service nginx, which the Compose files do not have",
    ]);
  });
});

test("a plan passes on what was found about the machine", () => {
  const finding = { code: "D047", severity: "error", message: "a port is in use" } as const;
  expect(planFor({ findings: [finding] }).findings).toEqual([finding]);
});

test("the service that reads the platform's configuration is made anew when that file changed", () => {
  const [step] = planFor({ rereads: "gateway" }).steps;
  expect(step).toMatchObject({
    kind: "start",
    recreate: true,
    services: [{ service: "gateway", kind: "recreate", why: "the platform's configuration file changed" }],
  });
});

test("a dependency that is only built is an error, for Compose would refuse it only after everything was pulled", () => {
  const needs = (required: boolean) => ({
    gateway: { image: "demo:1", depends_on: { image: { condition: "service_started", required } } },
    image: { profiles: ["build"], build: { context: "." } },
  });
  const codes = (required: boolean) => planFor({ services: needs(required) }).findings.map(({ code }) => code);
  expect(codes(true)).toContain("D032");
  expect(codes(false)).not.toContain("D032");
});
