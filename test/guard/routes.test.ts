import { describe, expect, test } from "vitest";
import type { Method } from "../../src/guard/request/framing.ts";
import { findRoute, routes } from "../../src/guard/request/routes.ts";
import { hexId } from "./support/decisions.ts";

const methods: readonly Method[] = ["GET", "HEAD", "POST", "DELETE", "PUT"];

function routeOf(line: string): string {
  const [method, path = ""] = line.split(" ");
  const known = methods.find((each) => each === method) ?? "GET";
  const match = findRoute(known, path);
  return match.kind === "read" ? `${match.value.route.name} ${match.value.reference}`.trim() : "none";
}

describe("the table", () => {
  test("is this, and nothing else goes through", () => {
    const lines = routes.map(
      ({ name, methods: allowed, path, group, query, judged }) =>
        `${name}: ${allowed.join("|")} ${path}${group === undefined ? "" : ` [${group}]`}${judged ? " judged" : ""} ?${Object.keys(query).join("&")}`,
    );
    expect(lines).toMatchSnapshot();
  });

  test("gives each operation one name", () => {
    expect(new Set(routes.map(({ name }) => name)).size).toBe(routes.length);
  });

  test("holds a container against the policy again wherever something begins to run in it or is put into it", () => {
    expect(routes.filter(({ judged }) => judged).map(({ name }) => name)).toEqual([
      "container.start",
      "container.restart",
      "container.attach",
      "container.archive",
      "container.extract",
      "exec.create",
      "exec.start",
    ]);
  });
});

describe("a request finds its route", () => {
  test.each([
    ["HEAD /_ping", "ping"],
    ["GET /containers/json", "container.list"],
    ["POST /containers/create", "container.create"],
    ["GET /containers/x/json", "container.inspect x"],
    ["GET /containers/user/image/json", "container.inspect user/image"],
    ["DELETE /containers/x", "container.remove x"],
    ["HEAD /containers/x/archive", "container.archive x"],
    ["PUT /containers/x/archive", "container.extract x"],
    [`POST /exec/${hexId("a")}/start`, `exec.start ${hexId("a")}`],
    ["GET /images/json", "image.list"],
    ["GET /images/a/b:c@sha256:d/json", "image.inspect a/b:c@sha256:d"],
    ["GET /networks/a/b", "network.inspect a/b"],
    ["GET /plugins/a/b:c/json", "plugin.inspect a/b:c"],
  ])("%s is %s", (line, route) => {
    expect(routeOf(line)).toBe(route);
  });
});

describe("a request finds none", () => {
  test.each([
    "POST /build",
    "POST /build/prune",
    "POST /session",
    "POST /grpc",
    "POST /auth",
    "POST /commit",
    "GET /swarm",
    "POST /swarm/init",
    "GET /services",
    "GET /nodes",
    "GET /tasks",
    "GET /secrets",
    "GET /configs",
    "GET /system/df",
    "GET /debug/pprof/heap",
    "GET /distribution/alpine/json",
    "GET /networks",
    "POST /networks/create",
    "POST /networks/x/connect",
    "POST /networks/x/disconnect",
    "DELETE /networks/x",
    "GET /volumes",
    "POST /volumes/create",
    "DELETE /volumes/x",
    "POST /volumes/prune",
    "GET /plugins",
    "POST /plugins/pull",
    "POST /plugins/x/enable",
    "POST /images/load",
    "GET /images/get",
    "GET /images/x/get",
    "GET /images/search",
    "GET /images/x/history",
    "POST /images/x/push",
    "POST /images/x/tag",
    "DELETE /images/x",
    "POST /images/prune",
    "POST /containers/prune",
    "POST /containers/x/rename",
    "POST /containers/x/update",
    "POST /containers/x/copy",
    "GET /containers/x/export",
    "GET /containers/x/changes",
    "GET /containers/x/attach/ws",
    "GET /containers/x/checkpoints",
    "POST /containers/x/checkpoints",
    "GET /containers/x/start",
    "HEAD /containers/json",
    "PUT /containers/create",
    "POST /containers/x/y/start",
    "DELETE /containers/x/y",
    "POST /containers/create/",
    "POST /Containers/create",
    "POST /containers/x/START",
    "GET /libpod/info",
    "GET /v1.41/containers/json",
    "GET /v01.41/containers/json",
    "GET /",
  ])("%s", (line) => {
    expect(routeOf(line)).toBe("none");
  });

  test("with a method of another route", () => {
    const found = routes.flatMap(({ methods: allowed, path }) =>
      methods
        .filter((method) => !allowed.includes(method))
        .map((method) => `${method} ${path.replace(/\{[^}]*\}/, "x")}`)
        .filter((line) => routeOf(line) !== "none"),
    );
    // A container can be called `json` or `create`, and the archive has two routes.
    expect(found.sort()).toEqual([
      "DELETE /containers/create",
      "DELETE /containers/json",
      "GET /containers/x/archive",
      "HEAD /containers/x/archive",
      "PUT /containers/x/archive",
    ]);
  });
});
