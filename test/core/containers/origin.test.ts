import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isFromHere, type Origin, type OwnPlaces, originOf } from "../../../src/core/containers/origin.ts";
import { container } from "../plan/plan-facts.ts";

const labelled = (files: string | undefined, environment?: string) =>
  originOf(
    container("gateway", {
      labels: {
        ...(files === undefined ? {} : { "com.docker.compose.project.config_files": files }),
        ...(environment === undefined ? {} : { "com.docker.compose.project.environment_file": environment }),
      },
    }),
    "/opt/tool",
  );

const shipped = "/opt/tool/compose/docker-compose.yaml";

describe("where a container was deployed from", () => {
  test.each<[string, Origin | undefined, Origin | undefined]>([
    ["is its environment file", labelled(shipped, "/srv/a/.env"), { environment: ["/srv/a/.env"], compose: [] }],
    [
      "is its environment file with its Compose files",
      labelled("/srv/vendor/compose.yaml", "/srv/a/.env"),
      { environment: ["/srv/a/.env"], compose: ["/srv/vendor/compose.yaml"] },
    ],
    [
      "is its Compose files where it had no environment file",
      labelled(`${shipped},/srv/a/more.yaml`, "/dev/null"),
      { environment: [], compose: ["/srv/a/more.yaml"] },
    ],
    [
      "is told by paths with commas in them",
      labelled("/srv/a,b/x.yaml,/srv/y.yaml,-", "/srv/a, b/.env"),
      { environment: ["/srv/a, b/.env"], compose: ["/srv/a,b/x.yaml", "/srv/y.yaml"] },
    ],
    ["is unknown where only the tool's own files were used", labelled(shipped), undefined],
    ["is unknown where the model came from a pipe", labelled("-"), undefined],
    ["is unknown without labels", labelled(undefined), undefined],
  ])("%s", (_what, found, expected) => {
    expect(found).toEqual(expected);
  });
});

describe("a container", () => {
  const places: OwnPlaces = {
    root: "/srv/a",
    files: ["/etc/agents/a.env", "/srv/vendor/c.yaml"],
    containers: ["mine"],
  };
  const environment = (path: string, ...compose: string[]) =>
    isFromHere("id", { environment: [path], compose }, places);
  const compose = (path: string) => isFromHere("id", { environment: [], compose: [path] }, places);

  test("is this folder's by an environment file in it, or by one that the configuration names", () => {
    expect([
      environment("/srv/a/.env"),
      environment("/srv/a/production.env"),
      environment("/etc/agents/a.env"),
    ]).toEqual([true, true, true]);
  });

  test("is not this folder's by the environment file of another one, even of a copy within it or beside it", () => {
    expect(["/srv/b/.env", "/srv/a/copy/.env", "/srv/a2/.env", "/srv/.env"].map((path) => environment(path))).toEqual(
      Array(4).fill(false),
    );
  });

  test("is not this folder's by a vendor's Compose file that it shares with the folder of another environment file", () => {
    expect(environment("/srv/b/.env", "/srv/vendor/c.yaml")).toBe(false);
  });

  test("is this folder's where a vendor's stack below it was started by hand with its own environment file", () => {
    expect(environment("/srv/a/docker/.env", "/srv/a/docker/compose.yaml")).toBe(true);
    expect(environment("/srv/b/docker/.env", "/srv/a/docker/compose.yaml")).toBe(false);
  });

  test("is this folder's by a Compose file anywhere below it, or by one that the configuration names", () => {
    expect([compose("/srv/a/docker/compose.yaml"), compose("/srv/vendor/c.yaml"), compose("/srv/a2/c.yaml")]).toEqual([
      true,
      true,
      false,
    ]);
  });

  test("that the last deployment from here verified is this folder's, wherever the folder was then", () => {
    expect(isFromHere("mine", { environment: ["/old/place/.env"], compose: [] }, places)).toBe(true);
  });

  test("of another folder is never taken for this folder's because its name begins alike", () => {
    const name = fc.stringMatching(/^[a-z]{1,8}$/);
    fc.assert(
      fc.property(name, name, (mine, other) => {
        fc.pre(mine !== other);
        const own: OwnPlaces = { root: `/srv/${mine}`, files: [`/srv/${mine}/.env`], containers: [] };
        const files = [`/srv/${other}/.env`];
        const origins = [
          { environment: files, compose: [] },
          { environment: [], compose: files },
          { environment: files, compose: files },
        ];
        return origins.every((origin) => !isFromHere("id", origin, own));
      }),
    );
  });
});
