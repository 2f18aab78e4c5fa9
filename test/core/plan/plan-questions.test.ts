import { describe, expect, test } from "vitest";
import { container, planFor } from "./plan-facts.ts";

const socket = { type: "bind", source: "/var/run/docker.sock", target: "/var/run/docker.sock" };
const proxy = { image: "demo:1" };
const withSocket = { gateway: { image: "demo:1", volumes: [socket] }, proxy };
const holdsSocket = container("gateway", {
  mounts: [{ Type: "bind", Source: "/var/run/docker.sock", Destination: "/var/run/docker.sock", RW: true }],
});

describe("a host-level privilege", () => {
  test("that is gained asks one question by the name of its consent", () => {
    expect(planFor({ services: withSocket }).questions).toEqual([
      { kind: "host-privilege", name: "host-root", text: "gateway: runtime-socket /var/run/docker.sock (rw)" },
    ]);
  });

  const running = { services: withSocket, containers: [holdsSocket, container("proxy")] };

  test("that a verified deployment from here granted asks nothing again", () => {
    const applied = [{ service: "gateway", kind: "runtime-socket", detail: "/var/run/docker.sock (rw)" }] as const;
    const plan = planFor({ ...running, applied });
    expect(plan.questions).toEqual([]);
    expect(plan.privileges.map(({ change }) => change)).toEqual(["kept"]);
  });

  test("that a container holds already, but that nobody accepted, is asked about", () => {
    const plan = planFor(running);
    expect(plan.questions.map(({ name }) => name)).toEqual(["host-root"]);
    expect(plan.privileges.map(({ change }) => change)).toEqual(["kept"]);
  });

  test("that moves to another service is gained there", () => {
    const services = { gateway: proxy, proxy: { image: "demo:1", volumes: [socket] } };
    const plan = planFor({ services, containers: [holdsSocket, container("proxy")] });
    expect(plan.questions.map(({ text }) => text)).toEqual(["proxy: runtime-socket /var/run/docker.sock (rw)"]);
    expect(plan.privileges.map(({ change, service }) => `${change} ${service}`)).toEqual([
      "gained proxy",
      "lost gateway",
    ]);
  });

  test("is accepted by a flag", () => {
    const plan = planFor({ services: withSocket, options: { accept: ["host-root"] } });
    expect(plan.questions.map(({ acceptedBy }) => acceptedBy)).toEqual(["--accept host-root"]);
  });

  test("is accepted by an entry of the configuration, whose reason is shown even if the flag is there too", () => {
    const accept = [{ privilege: "host-root", reason: "a machine of its own" }];
    const plan = planFor({ services: withSocket, config: { accept }, options: { accept: ["host-root"] } });
    expect(plan.questions.map(({ acceptedBy }) => acceptedBy)).toEqual(["deploy.config.yaml: a machine of its own"]);
  });

  test("is not accepted by the acceptance of another", () => {
    const accept = [{ privilege: "host-files", reason: "a machine of its own" }];
    const plan = planFor({ services: withSocket, config: { accept }, options: { accept: ["host-network"] } });
    expect(plan.questions.map(({ acceptedBy }) => acceptedBy)).toEqual([undefined]);
  });

  test("is asked about once per consent, with all its holders", () => {
    const services = {
      gateway: { image: "demo:1", privileged: true, network_mode: "host" },
      proxy: { image: "demo:1", volumes: [socket] },
    };
    expect(planFor({ services }).questions.map(({ name, text }) => [name, text])).toEqual([
      [
        "host-root",
        "gateway: privileged all capabilities and devices of the host; proxy: runtime-socket /var/run/docker.sock (rw)",
      ],
      ["host-network", "gateway: host-namespace network: host"],
    ]);
  });
});

test("a privilege that stays below the host's level is shown and asks nothing", () => {
  const ports = [{ target: 80, published: "80", host_ip: "127.0.0.1", protocol: "tcp" }];
  const plan = planFor({ services: { gateway: proxy, proxy: { image: "demo:1", ports } } });
  expect(plan.privileges.map(({ change, detail }) => `${change} ${detail}`)).toEqual(["gained 127.0.0.1:80 -> 80/tcp"]);
  expect(plan.questions).toEqual([]);
});

test("what only a model can show is gained once, not by every up", () => {
  const services = { gateway: { image: "demo:1", post_start: [{ command: ["true"], privileged: true }] }, proxy };
  const applied = { service: "gateway", kind: "privileged", detail: "post_start hook" } as const;
  expect(planFor({ services }).questions).toHaveLength(1);
  expect(planFor({ services, applied: [applied] }).questions).toEqual([]);
});

test("what was applied before does not vouch for what a container must show", () => {
  const applied = { service: "gateway", kind: "runtime-socket", detail: "/var/run/docker.sock (rw)" } as const;
  expect(planFor({ services: withSocket, applied: [applied] }).questions).toHaveLength(1);
});

describe("a privileged build of an image that no service runs", () => {
  const services = { gateway: proxy, proxy, image: { profiles: ["build"], build: { privileged: true } } };
  const model = { "x-sandbox-deploy": { builtImages: { image: "image:1" } } };
  const applied = { service: "image", kind: "host-program", detail: "privileged image build" } as const;

  test("asks once, though the service never starts", () => {
    const plan = planFor({ services, model, containers: [container("gateway"), container("proxy")] });
    expect(plan.questions.map(({ text }) => text)).toEqual(["image: host-program privileged image build"]);
    expect(plan.services).toEqual(["gateway", "proxy"]);
    expect(planFor({ services, model, applied: [applied] }).questions).toEqual([]);
  });
});

test("a network on the host's own that a container is on already is not gained by every up", () => {
  const networks = { lan: { name: "demo_lan", driver: "macvlan" } };
  const services = { gateway: { image: "demo:1", networks: { lan: null } }, proxy };
  const on = (name: string) => ({ ...container(name), networks: ["demo_lan"] });
  const plan = planFor({ services, model: { networks }, containers: [on("gateway"), container("proxy")] });
  expect(plan.privileges.map(({ change, detail }) => `${change} ${detail}`)).toEqual([
    "kept every port, on macvlan network demo_lan",
  ]);
});
