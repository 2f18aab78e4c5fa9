import { expect, test } from "vitest";
import { container, planFor, starts } from "./plan-facts.ts";

const model = { networks: { front: { name: "demo_front" }, shared: { name: "elsewhere", external: true } } };
const services = { gateway: { image: "demo:1", networks: { front: null, shared: null } } };
const on = (...networks: string[]) => ({ ...container("gateway"), networks });

test("a container that lacks a network of its service is made anew: Compose would start it as it is", () => {
  const plan = planFor({ services, model, containers: [on("demo_front")] });
  expect(starts(plan)).toEqual(["!recreate gateway: its container is not on the network elsewhere"]);
});

test("a container on all networks of its service, or on more, stays as it is", () => {
  expect(starts(planFor({ services, model, containers: [on("demo_front", "elsewhere")] }))).toEqual([]);
  expect(starts(planFor({ services, model, containers: [on("demo_front", "elsewhere", "added_by_hand")] }))).toEqual(
    [],
  );
});

test("a service that shares another one's network is on none of its own", () => {
  const hostConfig = { NetworkMode: "container:proxy-1" };
  const containers = [
    { ...container("gateway", { hostConfig }), networks: [] },
    { ...container("proxy"), networks: ["demo_front"] },
  ];
  const shared = {
    gateway: { image: "demo:1", network_mode: "service:proxy" },
    proxy: { image: "demo:1", networks: { front: null } },
  };
  expect(starts(planFor({ services: shared, model, containers }))).toEqual([]);
});
