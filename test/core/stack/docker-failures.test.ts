import { describe, expect, test } from "vitest";
import { composeFloor, composeVersionFinding, dockerFailure } from "../../../src/core/stack/docker-failures.ts";

const failure = (stderr: string, missing = false) => ({ exitCode: missing ? 127 : 1, stderr, missing });
const usage = "Usage:  docker [OPTIONS] COMMAND [ARG...]\n\nRun 'docker --help' for more information\n";

describe("docker that fails", () => {
  test.each<[what: string, stderr: string, expected: string | undefined]>([
    [
      "without a daemon",
      "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
      "D041",
    ],
    [
      "without a daemon at an address",
      "Cannot connect to the Docker daemon at tcp://127.0.0.1:1. Is the docker daemon running?",
      "D041",
    ],
    [
      "without a daemon, in the words of version 29",
      "failed to connect to the docker API at unix:///var/run/docker.sock; check if the path is correct and if the daemon is running: dial unix /var/run/docker.sock: connect: no such file or directory",
      "D041",
    ],
    [
      "with a host that does not exist",
      'error during connect: Get "http://nowhere:2375/v1.50/containers/json": dial tcp: lookup nowhere: no such host',
      "D041",
    ],
    [
      "for want of rights to the socket",
      'permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: Get "http://%2Fvar%2Frun%2Fdocker.sock/v1.50/containers/json": dial unix /var/run/docker.sock: connect: permission denied',
      "D042",
    ],
    [
      "for want of rights, in the words of version 29",
      "permission denied while trying to connect to the docker API at unix:///var/run/docker.sock",
      "D042",
    ],
    ["without Compose", "docker: unknown command: docker compose\n\nRun 'docker --help' for more information", "D043"],
    [
      "without Compose, in the words of version 20",
      "docker: 'compose' is not a docker command.\nSee 'docker --help'",
      "D043",
    ],
    ["without Compose, which it notices by a flag", `unknown flag: --project-name\n\n${usage}`, "D043"],
    ["without Compose, which it notices by another flag", `unknown shorthand flag: 'p' in -p\n\n${usage}`, "D043"],
    [
      "for a reason of the stack",
      'service "gateway" has neither an image nor a build context specified: invalid compose project',
      undefined,
    ],
    [
      "for a flag that Compose itself does not know",
      "unknown flag: --policy\n\nUsage:  docker compose pull [OPTIONS] [SERVICE...]",
      undefined,
    ],
    ["for want of rights inside a container", "gateway: /app/start: permission denied", undefined],
    ["without a word", "", undefined],
  ])("%s", (_, stderr, expected) => {
    expect(dockerFailure(failure(stderr))?.code).toBe(expected);
  });

  test("because there is no such program, whatever is on stderr", () => {
    expect(dockerFailure(failure("", true))).toMatchObject({ code: "D040", severity: "error" });
  });

  test("is explained with something to do", () => {
    for (const stderr of ["Is the docker daemon running?", "docker: unknown command: docker compose"])
      expect(dockerFailure(failure(stderr))?.fix).toMatch(/\w/);
  });
});

describe("a Compose version", () => {
  test.each([
    "2.24.4",
    "v2.24.4",
    "2.24.5",
    "2.25.0",
    "2.40.3",
    "2.40.3-ds1-1",
    "5.0.0",
    "v2.30.3-desktop.1\n",
    "10.0.0",
  ])("%j is new enough", (version) => {
    expect(composeVersionFinding(version)).toBeUndefined();
  });

  test.each(["2.24.3", "2.9.10", "1.29.2", "v2.0.0-rc.1"])("%j is too old, and the floor is named", (version) => {
    const finding = composeVersionFinding(version);
    expect(finding).toMatchObject({ code: "D044", message: `Docker Compose ${version} is too old` });
    expect(finding?.fix).toContain(composeFloor);
  });

  test.each(["", "\n", "dev", "2.24"])("%j cannot be told and counts as too old", (version) => {
    expect(composeVersionFinding(version)?.code).toBe("D044");
  });
});
