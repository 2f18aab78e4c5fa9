import { describe, expect, test } from "vitest";
import { privilegesOfContainers } from "../../../src/core/privileges/live-privileges.ts";
import { granted, host } from "../../support/granted.ts";
import { containersOf, inspected } from "../../support/inspected.ts";

function held(
  Type: string,
  Config: Record<string, string>,
  defaults?: { runtime: string; logDriver: string },
): string[] {
  const containers = containersOf(inspected({ hostConfig: { LogConfig: { Type, Config } } }));
  return privilegesOfContainers(containers, { ...host, defaults }).map(({ kind, detail, consent }) =>
    [kind, detail, ...(consent === undefined ? [] : [consent])].join(" | "),
  );
}

describe("the log of a container", () => {
  test.each<[driver: string, options: Record<string, string>, expected: string[]]>([
    ["json-file", { "max-size": "10m" }, []],
    ["local", {}, []],
    ["journald", { tag: "x" }, []],
    ["none", {}, []],
    ["syslog", {}, []],
    ["syslog", { "syslog-address": "udp://logs.example.com:514" }, ["log-driver | syslog udp://logs.example.com:514"]],
    [
      "syslog",
      { "syslog-address": "unix:///var/run/docker.sock" },
      ["runtime-socket | /var/run/docker.sock (rw), by the log driver | host-root"],
    ],
    [
      "syslog",
      { "syslog-address": "unixgram:///dev/log" },
      ["host-bind | /dev/log (rw), by the log driver | host-files"],
    ],
    ["syslog", { "syslog-address": "unixgram:///srv/demo/log" }, ["host-bind | ./log (rw), by the log driver"]],
    [
      "fluentd",
      { "fluentd-address": "unix:///opt/fluent.sock" },
      ["host-bind | /opt/fluent.sock (rw), by the log driver | host-files"],
    ],
    ["fluentd", {}, ["log-driver | fluentd"]],
    ["gelf", { "gelf-address": "tcp://u:hunter2@logs:12201" }, ["log-driver | gelf tcp://logs:12201"]],
    ["splunk", { "splunk-url": "https://s:8088", "splunk-token": "hunter2" }, ["log-driver | splunk https://s:8088"]],
    ["awslogs", { "awslogs-group": "x" }, ["log-driver | awslogs"]],
    ["acme/loki:latest", { "loki-url": "https://u:hunter2@loki" }, ["log-driver | acme/loki:latest"]],
  ])(
    "with driver %s and %j is judged in the same words in the model and on the container",
    (driver, options, expected) => {
      expect(granted({ logging: { driver, options } })).toEqual(expected);
      expect(held(driver, options)).toEqual(expected);
    },
  );

  test("is no news on a container where the engine sends every log there", () => {
    const options = { "gelf-address": "tcp://logs:12201" };
    expect(held("gelf", options, { runtime: "runc", logDriver: "gelf" })).toEqual([]);
    expect(held("gelf", options, { runtime: "runc", logDriver: "json-file" })).toHaveLength(1);
  });

  test("may have options without a value", () => {
    expect(granted({ logging: { driver: "gelf", options: { "gelf-address": null, tag: 1 } } })).toEqual([
      "log-driver | gelf",
    ]);
  });
});
