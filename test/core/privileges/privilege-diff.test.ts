import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Privilege,
  privilegeKey,
  privilegeKinds,
  sortedPrivileges,
} from "../../../src/core/privileges/privilege.ts";
import { diffPrivileges } from "../../../src/core/privileges/privilege-diff.ts";

const privilege: fc.Arbitrary<Privilege> = fc.record({
  service: fc.constantFrom("a", "b"),
  kind: fc.constantFrom(...privilegeKinds),
  detail: fc.constantFrom("x", "y"),
});
const privileges = fc.array(privilege, { maxLength: 12 });

describe("the difference between two sets of privileges", () => {
  test("lists what is gained, then what is lost, then what is kept", () => {
    const socket: Privilege = {
      service: "gateway",
      kind: "runtime-socket",
      detail: "/var/run/docker.sock (rw)",
      consent: "host-root",
    };
    const port: Privilege = { service: "proxy", kind: "published-port", detail: "127.0.0.1:2026 -> 8080/tcp" };
    const open: Privilege = { service: "proxy", kind: "published-port", detail: "0.0.0.0:2026 -> 8080/tcp" };
    const data: Privilege = { service: "app", kind: "host-bind", detail: "./data (rw)" };
    expect(diffPrivileges([data, port], [open, socket, data])).toEqual([
      { ...socket, change: "gained" },
      { ...open, change: "gained" },
      { ...port, change: "lost" },
      { ...data, change: "kept" },
    ]);
  });

  test("tells apart the same detail of another service or kind", () => {
    const one: Privilege = { service: "a", kind: "host-bind", detail: "x" };
    const changes = diffPrivileges(
      [one],
      [
        { ...one, service: "b" },
        { ...one, kind: "kubeconfig" },
      ],
    );
    expect(changes.map(({ change }) => change)).toEqual(["gained", "gained", "lost"]);
  });

  test("takes the consent of the privilege that will be held", () => {
    const before: Privilege = { service: "a", kind: "host-bind", detail: "x" };
    expect(diffPrivileges([before], [{ ...before, consent: "host-files" }])).toEqual([
      { ...before, consent: "host-files", change: "kept" },
    ]);
  });

  test("to itself is that everything is kept", () => {
    fc.assert(
      fc.property(privileges, (set) => {
        expect(diffPrivileges(set, set)).toEqual(sortedPrivileges(set).map((each) => ({ ...each, change: "kept" })));
      }),
    );
  });

  test("leads from one set to the other and back", () => {
    fc.assert(
      fc.property(privileges, privileges, (before, after) => {
        const keys = (change: string, changes: readonly (Privilege & { change: string })[]) =>
          changes.filter((each) => each.change === change).map(privilegeKey);
        const there = diffPrivileges(before, after);
        const back = diffPrivileges(after, before);
        expect(keys("gained", there)).toEqual(keys("lost", back));
        expect(keys("kept", there)).toEqual(keys("kept", back));
        const reached = there.filter(({ change }) => change !== "lost").map(privilegeKey);
        expect(reached.sort()).toEqual(sortedPrivileges(after).map(privilegeKey).sort());
      }),
    );
  });
});
