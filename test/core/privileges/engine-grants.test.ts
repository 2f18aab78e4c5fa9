import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { privilegesOfContainers } from "../../../src/core/privileges/live-privileges.ts";
import { privilegesOfModel } from "../../../src/core/privileges/privileges.ts";
import { bind, granted, host, modelOf } from "../../support/granted.ts";
import { containersOf, inspected } from "../../support/inspected.ts";

/** What `app` is granted beside a service that holds the socket, as a vendor's stack has it. */
function beside(service: Record<string, unknown>, proxy: Record<string, unknown> = {}): string[] {
  const services = { app: service, "docker-proxy": { ...bind("/var/run/docker.sock"), ...proxy } };
  return privilegesOfModel(modelOf({ services }), host)
    .filter(({ service: name }) => name === "app")
    .map(({ kind, detail, consent }) => [kind, detail, ...(consent === undefined ? [] : [consent])].join(" | "));
}

const at = (DOCKER_HOST: string, rest: Record<string, unknown> = {}) => ({ environment: { DOCKER_HOST }, ...rest });

describe("an engine named by a variable", () => {
  test.each([
    ["tcp://docker-proxy:2375", {}],
    ["tcp://Docker-Proxy:2375", {}],
    ["http://docker-proxy:2375/v1.43", {}],
    ["docker-proxy:2375", {}],
    ["ssh://me@docker-proxy", {}],
    ["tcp://demo-docker-proxy-1:2375", {}],
    ["tcp://engine:2375", { networks: { default: { aliases: ["engine"] } } }],
    ["tcp://called:2375", { container_name: "called" }],
  ])("is listed behind a service of the stack: %s", (value, proxy) => {
    expect(beside(at(value), proxy)).toEqual([expect.stringMatching(/^runtime-socket \| DOCKER_HOST [^|]+$/)]);
  });

  test.each([
    "tcp://172.17.0.1:2375",
    "tcp://10.0.0.7:2376",
    "tcp://2886729729:2375",
    "tcp://0xac.0x11.0.1:2375",
    "tcp://[fe80::1]:2375",
    "tcp://host.docker.internal:2375",
    "tcp://gateway.docker.internal:2375",
    "tcp://host.containers.internal:2375",
    "tcp://localhost:2375",
    "tcp://box:2375",
    "tcp://engine.example.com:2376",
    "ssh://root@box",
    "172.17.0.1:2375",
    "docker-proxy.:2375",
    "tcp://:2375",
    "vsock://2:1024",
  ])("is taken for the host's where no service is called so: %s", (value) => {
    expect(beside(at(value))).toEqual([expect.stringMatching(/^runtime-socket \| DOCKER_HOST .* \| host-root$/)]);
  });

  test.each(["DOCKER_HOST", "CONTAINER_HOST", "BUILDKIT_HOST"])("counts in %s", (variable) => {
    const environment = { [variable]: "tcp://172.17.0.1:2375" };
    expect(beside({ environment })).toEqual([`runtime-socket | ${variable} tcp://172.17.0.1:2375 | host-root`]);
  });

  test("shows no user and no password", () => {
    expect(granted(at("tcp://me:hunter2@box:2375"))).toEqual([
      "runtime-socket | DOCKER_HOST tcp://box:2375 | host-root",
    ]);
  });

  test("is the host's under a service's name to which extra_hosts gives another address", () => {
    const extra = { extra_hosts: ["docker-proxy=host-gateway"] };
    expect(beside(at("tcp://docker-proxy:2375", extra))).toEqual([
      "runtime-socket | DOCKER_HOST tcp://docker-proxy:2375 | host-root",
    ]);
  });

  test.each(["172.17.0.1", "host.docker.internal", "off"])(
    "is the host's though a service is called %s: it does not start, or the name leads elsewhere",
    (name) => {
      const others = { "172.17.0.1": {}, "host.docker.internal": {}, off: { scale: 0 } };
      const model = modelOf({ services: { app: at(`tcp://${name}:1`), ...others } });
      expect(privilegesOfModel(model, host).map(({ consent }) => consent)).toEqual(["host-root"]);
    },
  );

  test.each(["", "unix:///run/guard/docker.sock", "npipe:////./pipe/docker_engine", "fd://", "docker-container://x"])(
    "is nothing by itself inside the container: %j",
    (value) => {
      expect(beside(at(value))).toEqual([]);
    },
  );

  test.each([
    ["unix:///x/d.sk", "/x/d.sk"],
    ["unix:///x/d.sk", "/x"],
    ["/x/d.sk", "/x"],
    ["unix:/x/d.sk", "/x/d.sk"],
  ])("makes a socket of whatever is mounted from outside the project where it points: %s", (value, target) => {
    expect(granted({ ...at(value), ...bind("/srv/engine", true, target) })).toEqual([
      "runtime-socket | /srv/engine (ro) | host-root",
    ]);
    expect(granted({ ...at(value), ...bind("/srv/demo/run", true, target) })).toEqual(["host-bind | ./run (ro)"]);
    expect(granted({ ...at(value), ...bind("/srv/engine", true, "/y") })).toEqual(["host-bind | /srv/engine (ro)"]);
  });

  test("is judged in the same words on the live containers", () => {
    const db = inspected({
      Id: "b".repeat(64),
      Name: "/demo-docker-proxy-1",
      labels: { "com.docker.compose.service": "docker-proxy" },
      network: { Networks: { demo_default: { Aliases: ["docker-proxy", "engine"] } } },
    });
    const live = (value: string, ExtraHosts: string[] = []) =>
      privilegesOfContainers(
        containersOf(inspected({ env: [`DOCKER_HOST=${value}`], hostConfig: { ExtraHosts } }), db),
        host,
      ).map(({ consent }) => consent);
    expect(
      ["tcp://docker-proxy:1", "tcp://engine:1", "tcp://demo-docker-proxy-1:1"].flatMap((each) => live(each)),
    ).toEqual([undefined, undefined, undefined]);
    expect(live("tcp://box:1")).toEqual(["host-root"]);
    expect(live("tcp://engine:1", ["engine:172.17.0.1"])).toEqual(["host-root"]);
  });

  test("never goes unlisted, whatever stands there, unless it is inside the container", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 1 }), (value) => {
        fc.pre(value.trim() !== "" && !/^(\/|[a-z-]+:)/i.test(value.trim()));
        expect(granted(at(value)).length).toBe(1);
      }),
    );
  });
});
