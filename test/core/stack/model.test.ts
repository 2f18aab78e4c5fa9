import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { parseModel } from "../../../src/core/stack/model.ts";

function modelOf(json: unknown) {
  const parsed = parseModel(json);
  if (!parsed.ok) throw new Error(parsed.findings.map(({ message }) => message).join("\n"));
  return parsed.value;
}

function serviceOf(service: unknown) {
  const { app } = modelOf({ name: "demo", services: { app: service } }).services;
  if (!app) throw new Error("the service is gone");
  return app;
}

describe("the merged model", () => {
  test("may be as empty as Compose allows", () => {
    const model = modelOf({
      name: "demo",
      services: { app: {} },
      volumes: { data: null },
      networks: { default: null },
    });
    expect(model.services["app"]).toMatchObject({
      image: undefined,
      ports: [],
      privileged: false,
      replicas: 1,
      environment: {},
    });
    expect(model.volumes["data"]).toMatchObject({ external: false, driverOpts: {} });
    expect(model.networks["default"]).toMatchObject({ external: false, internal: false });
  });

  test("loses every doubled dollar, in values and in keys", () => {
    const app = serviceOf({ volumes: [{ type: "bind", source: "/a$$b", target: "/$$$$" }], labels: { k$$: "$$v" } });
    expect(app.volumes[0]).toMatchObject({ source: "/a$b", target: "/$$" });
    expect(app.labels).toEqual({ k$: "$v" });
  });

  test("ignores keys that are not known, wherever they stand", () => {
    const app = serviceOf({
      image: "x",
      invented: { deep: [1] },
      ports: [{ target: 80, app_protocol: "http", mode: "ingress" }],
    });
    expect(app.ports).toEqual([{ hostIp: undefined, published: undefined, target: 80, protocol: "tcp" }]);
    expect(Object.keys(app)).not.toContain("invented");
  });

  test.each([
    ["a list of ports that is text", { services: { app: { ports: "80:80" } } }, "services.app.ports"],
    ["a flag that is text", { services: { app: { privileged: "yes" } } }, "services.app.privileged"],
    ["no name", { services: {} }, "name"],
  ])("is refused with its place, not read past, where there is %s", (_what, part, place) => {
    const parsed = parseModel({ ...("name" in part || place === "name" ? {} : { name: "demo" }), ...part });
    expect(parsed).toMatchObject({ ok: false, findings: [{ code: "D032", message: expect.stringContaining(place) }] });
  });

  test("is refused without quoting any of its values", () => {
    const parsed = parseModel({ name: "demo", services: { app: { environment: { KEY: ["hunter2-sentinel"] } } } });
    expect(parsed.ok).toBe(false);
    expect(JSON.stringify(parsed)).not.toContain("hunter2-sentinel");
  });

  test("shows no value of an environment, a secret's content or a generated secret, however it is printed", () => {
    const model = modelOf({
      name: "demo",
      services: { app: { environment: { KEY: "hunter2-sentinel", UNSET: null } } },
      secrets: { s: { content: "hunter2-sentinel" } },
      configs: { c: { content: "hunter2-sentinel" } },
      "x-sandbox-deploy": { secrets: { KEY: { value: "hunter2-sentinel" } } },
    });
    expect(JSON.stringify(model) + inspect(model, { depth: null, showHidden: true })).not.toContain("hunter2-sentinel");
    expect(model.services["app"]?.environment["KEY"]?.reveal()).toBe("hunter2-sentinel");
    expect(model.services["app"]?.environment["UNSET"]).toBeNull();
    expect(model.generatedSecrets["KEY"]?.value.reveal()).toBe("hunter2-sentinel");
  });

  test("keeps services of the profile build apart, for they never start; those of other profiles are here to start", () => {
    const { services, buildServices } = modelOf({
      name: "demo",
      services: { app: {}, debug: { profiles: ["debug"] }, image: { profiles: ["debug", "build"] } },
    });
    expect([Object.keys(services), Object.keys(buildServices)]).toEqual([["app", "debug"], ["image"]]);
  });

  test("has the secrets to generate, 32 bytes each where nothing is said, and the images that no service runs", () => {
    const model = modelOf({
      name: "demo",
      services: {},
      "x-sandbox-deploy": {
        secrets: { A: { value: "", file: "a", bytes: 16 }, B: null },
        builtImages: { sandbox: "demo/sandbox:1" },
      },
    });
    expect(model.generatedSecrets["A"]).toMatchObject({ file: "a", bytes: 16 });
    expect(model.generatedSecrets["B"]).toMatchObject({ file: undefined, bytes: 32 });
    expect(model.builtImages).toEqual({ sandbox: "demo/sandbox:1" });
  });

  test.each([
    [
      "an object",
      { source: "/dev/sda", target: "/dev/x", permissions: "r" },
      { source: "/dev/sda", target: "/dev/x", permissions: "r" },
    ],
    ["a line of older versions", "/dev/sda:/dev/x:r", { source: "/dev/sda", target: "/dev/x", permissions: "r" }],
    ["a line with one path", "/dev/fuse", { source: "/dev/fuse", target: "/dev/fuse", permissions: "rwm" }],
    [
      "a CDI name",
      "nvidia.com/gpu=all",
      { source: "nvidia.com/gpu=all", target: "nvidia.com/gpu=all", permissions: "rwm" },
    ],
  ])("reads a device given as %s", (_form, device, expected) => {
    expect(serviceOf({ devices: [device] }).devices).toEqual([expected]);
  });

  test("takes a missing create_host_path for false", () => {
    const { volumes } = serviceOf({
      volumes: [
        { type: "bind", source: "/a", target: "/a", bind: { create_host_path: true } },
        { type: "bind", source: "/b", target: "/b", bind: {} },
        { type: "bind", source: "/c", target: "/c" },
      ],
    });
    expect(volumes.map(({ createHostPath }) => createHostPath)).toEqual([true, false, false]);
  });

  test("joins gpus with the devices that deploy reserves", () => {
    const reserved = { capabilities: ["gpu"], driver: "nvidia", device_ids: ["1"] };
    const app = serviceOf({ gpus: [{ count: -1 }], deploy: { resources: { reservations: { devices: [reserved] } } } });
    expect(app.deviceRequests).toEqual([
      { driver: "", count: -1, ids: [], capabilities: [] },
      { driver: "nvidia", count: 0, ids: ["1"], capabilities: ["gpu"] },
    ]);
  });

  test.each([
    [{}, 1],
    [{ scale: 2, deploy: { replicas: 2 } }, 2],
    [{ deploy: { replicas: 0 } }, 0],
  ])("counts the replicas of %j as %i", (service, replicas) => {
    expect(serviceOf(service).replicas).toBe(replicas);
  });

  test.each([
    ["lines", ["a=1.2.3.4", "b:host-gateway"], ["a=1.2.3.4", "b:host-gateway"]],
    ["a map", { a: "1.2.3.4", b: ["::1", "::2"] }, ["a=1.2.3.4", "b=::1", "b=::2"]],
  ])("reads extra hosts given as %s", (_form, hosts, expected) => {
    expect(serviceOf({ extra_hosts: hosts }).extraHosts).toEqual(expected);
  });
});

test.each([
  [{ X_KEY: { value: "x", file: "../../../etc/cron.d/x" } }],
  [{ X_KEY: { value: "x", file: "/etc/passwd" } }],
  [{ X_KEY: { value: "x", file: ".." } }],
  [{ "A=1\nB": { value: "x" } }],
  [{ X_KEY: { value: "x", bytes: 0 } }],
  [{ X_KEY: { value: "x", bytes: -5 } }],
])("a Compose file's wish for a secret that is no plain name, or no secret, is refused: %j", (secrets) => {
  const parsed = parseModel({ name: "demo", services: {}, "x-sandbox-deploy-evil": { secrets } });
  expect(parsed.ok).toBe(false);
  expect(parsed.findings.map(({ code }) => code)).toEqual(["D032"]);
});
