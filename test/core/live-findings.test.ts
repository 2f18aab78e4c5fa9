import { describe, expect, test } from "vitest";
import { unplannedFindings, unplannedPrivileges } from "../../src/core/live-findings.ts";
import type { Privilege } from "../../src/core/privilege.ts";

const socket: Privilege = {
  service: "gateway",
  kind: "runtime-socket",
  detail: "/var/run/docker.sock (rw)",
  consent: "host-root",
};
const port: Privilege = { service: "proxy", kind: "published-port", detail: "127.0.0.1:2026 -> 8080/tcp" };
const messages = (planned: readonly Privilege[], live: readonly Privilege[]) =>
  unplannedFindings(unplannedPrivileges(planned, live)).map(({ message }) => message);

describe("a running container", () => {
  test("that holds what is planned, or less, is no finding", () => {
    expect(messages([socket, port], [socket, port])).toEqual([]);
    expect(messages([socket, port], [])).toEqual([]);
  });

  test("that holds more is an error which names the service and the privilege, each", () => {
    const findings = unplannedFindings(
      unplannedPrivileges([port], [socket, port, { ...port, detail: "0.0.0.0:80 -> 80/tcp" }]),
    );
    expect(findings.map(({ code, severity, message }) => `${severity} ${code} ${message}`)).toEqual([
      "error D072 gateway held more than planned: runtime-socket /var/run/docker.sock (rw); it was stopped",
      "error D072 proxy held more than planned: published-port 0.0.0.0:80 -> 80/tcp",
    ]);
  });

  test.each<[what: string, live: Privilege]>([
    ["another service", { ...socket, service: "proxy" }],
    ["another detail", { ...socket, detail: "/var/run/docker.sock (ro)" }],
    ["another kind", { ...socket, kind: "host-bind" }],
  ])("that holds a planned privilege as %s holds more", (_, live) => {
    expect(messages([socket], [live])).toHaveLength(1);
  });

  test("that is a sandbox counts where it reaches the host, for the rest is the platform's choice", () => {
    const sandbox = { ...port, service: "sandbox" };
    expect(messages([], [sandbox])).toEqual([]);
    expect(messages([], [{ ...socket, service: "sandbox" }])).toEqual([
      "sandbox held more than planned: runtime-socket /var/run/docker.sock (rw); it was stopped",
    ]);
  });
});
