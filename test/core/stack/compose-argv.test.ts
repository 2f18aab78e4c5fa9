import { describe, expect, test } from "vitest";
import {
  buildArgv,
  composeArgv,
  composeEnvironment,
  downArgv,
  hashArgv,
  logsArgv,
  modelArgv,
  pullArgv,
  restartArgv,
  upArgv,
} from "../../../src/core/stack/compose-argv.ts";

const stack = { project: "demo", files: ["/srv/a.yaml", "/srv/b c.yaml"], envPath: "/srv/.env", variables: {} };
const start = "compose --project-name demo --env-file /srv/.env --file /srv/a.yaml --file".split(" ");
const built = ["--profile", "build"];
const prefix = [...start, "/srv/b c.yaml"];

describe("docker compose", () => {
  test.each<[what: string, argv: string[], expected: string[]]>([
    ["is told project, environment and files in their order", composeArgv(stack), prefix],
    [
      "is asked for the model and what is only built",
      modelArgv(stack),
      [...prefix, ...built, "config", "--format", "json"],
    ],
    [
      "is told the environment file's profiles as well, which it forgets otherwise",
      modelArgv({ ...stack, variables: { COMPOSE_PROFILES: "extra, more" } }),
      [...prefix, ...built, "--profile", "extra", "--profile", "more", "config", "--format", "json"],
    ],
    ["is asked for hashes", hashArgv(stack), [...prefix, "config", "--hash", "*"]],
    [
      "starts the named services and never builds",
      upArgv(stack, ["a", "b"], false),
      [...prefix, "up", "--detach", "--no-build", "--remove-orphans", "a", "b"],
    ],
    [
      "recreates the named services",
      upArgv(stack, ["a"], true),
      [...prefix, "up", "--detach", "--no-build", "--remove-orphans", "--force-recreate", "a"],
    ],
    [
      "builds, also what no service runs",
      buildArgv(stack, ["a"], false),
      [...prefix, "--profile", "build", "build", "a"],
    ],
    ["builds on newer bases", buildArgv(stack, ["a"], true), [...prefix, "--profile", "build", "build", "--pull", "a"]],
    ["pulls", pullArgv(stack, ["a"], "missing"), [...prefix, "pull", "--ignore-buildable", "--policy", "missing", "a"]],
    [
      "removes a project by its name alone",
      downArgv("demo", false),
      "compose --project-name demo --env-file /dev/null down --remove-orphans".split(" "),
    ],
    [
      "removes volumes only when told",
      downArgv("demo", true),
      "compose --project-name demo --env-file /dev/null down --remove-orphans --volumes".split(" "),
    ],
    [
      "restarts by the project's name",
      restartArgv("demo", ["a"]),
      "compose --project-name demo --env-file /dev/null restart a".split(" "),
    ],
    [
      "shows logs",
      logsArgv("demo", ["a"], { follow: false, tail: "20", color: false }),
      "compose --project-name demo --env-file /dev/null logs --tail 20 --no-color a".split(" "),
    ],
    [
      "follows logs in colour",
      logsArgv("demo", [], { follow: true, tail: "all", color: true }),
      "compose --project-name demo --env-file /dev/null logs --tail all --follow".split(" "),
    ],
  ])("%s", (_, argv, expected) => {
    expect(argv).toEqual(expected);
  });
});

describe("the environment of docker compose", () => {
  test.each([
    "COMPOSE_FILE",
    "COMPOSE_PROJECT_NAME",
    "COMPOSE_ENV_FILES",
    "COMPOSE_DISABLE_ENV_FILE",
    "COMPOSE_PATH_SEPARATOR",
    "COMPOSE_PROFILES",
    "COMPOSE_REMOVE_ORPHANS",
    "COMPOSE_IGNORE_ORPHANS",
    "COMPOSE_PROGRESS",
  ])("never holds %s, which would select another stack or another output", (name) => {
    expect(composeEnvironment({ variables: {} }, { [name]: "x", PATH: "/bin" })).toEqual({ PATH: "/bin" });
  });

  test("keeps what the operator set, also settings of Compose that select nothing", () => {
    const env = { HTTP_PROXY: "http://proxy", DOCKER_HOST: "unix:///x", COMPOSE_PARALLEL_LIMIT: "2" };
    expect(composeEnvironment({ variables: {} }, env)).toEqual(env);
  });

  test("lets the stack's own variables win, for configuration and stack may not disagree", () => {
    const env = { DOCKER_SOCKET: "/tmp/fake.sock", PORT: "1" };
    expect(composeEnvironment({ variables: { DOCKER_SOCKET: "/run/docker.sock" } }, env)).toEqual({
      DOCKER_SOCKET: "/run/docker.sock",
      PORT: "1",
    });
  });
});
