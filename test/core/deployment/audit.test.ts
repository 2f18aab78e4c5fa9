import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type AuditBegin,
  type AuditEnd,
  auditStates,
  auditText,
  auditWords,
  readAudit,
} from "../../../src/core/deployment/audit.ts";
import { planFor } from "../plan/plan-facts.ts";

const begin: AuditBegin = {
  ...{
    version: 1,
    event: "begin",
    id: "a1",
    time: "2026-01-01T00:00:00.000Z",
    who: "root",
    sudoBy: "ann",
    host: "here",
  },
  ...{ command: ["up", "--yes"], project: "shop", folder: "/srv/shop", toolVersion: "0.1.0" },
  from: { mode: "local", services: ["gateway"], privileges: ["proxy: published-port 127.0.0.1:1 -> 1/tcp"] },
  to: { mode: "aio", services: ["gateway", "guard"], privileges: ["guard: runtime-socket /var/run/docker.sock (rw)"] },
};
const end: AuditEnd = {
  ...{
    version: 1,
    event: "end",
    id: "a1",
    time: "2026-01-01T00:01:05.000Z",
    seconds: 65,
    exitCode: 1,
    codes: ["D070"],
  },
};
const lineOf = (line: unknown) => `${JSON.stringify(line)}\n`;

describe("the audit log", () => {
  it("says who did what, from where to where, and how it ended", () => {
    expect(auditText({ begin, end })).toMatchInlineSnapshot(`
      "2026-01-01T00:00:00.000Z  root@here (sudo by ann)  up --yes
        shop in /srv/shop: local -> aio
        exit 1 D070 after 1 min 5 s
        + guard: runtime-socket /var/run/docker.sock (rw)
        - proxy: published-port 127.0.0.1:1 -> 1/tcp"
    `);
    expect(auditText({ begin })).toContain("\n  no end: it was killed, or still runs\n");
  });

  it("says what was accepted, and by which word", () => {
    const accepted = [{ name: "no-tls", by: "deploy.config.yaml: behind\na proxy" }];
    expect(auditText({ begin: { ...begin, accepted }, end })).toContain(
      "\n  accepted no-tls (deploy.config.yaml: behind\\x0aa proxy)",
    );
    expect(readAudit(lineOf({ ...begin, accepted }))).toEqual([{ begin: { ...begin, accepted } }]);
  });

  it("knows what was accepted from the plan: by a flag, in the configuration, or when somebody was asked", () => {
    const socket = { type: "bind", source: "/var/run/docker.sock", target: "/var/run/docker.sock" };
    const ports = [{ host_ip: "0.0.0.0", published: "80", target: 80, protocol: "tcp" }];
    const services = { gateway: { image: "demo:1", ports, volumes: [socket] } };
    const accept = [{ privilege: "no-tls", reason: "a test says so" }];
    const { accepted } = auditStates(
      planFor({ services, config: { accept }, options: { accept: ["host-root"] } }),
      undefined,
      [],
    );
    expect(accepted).toEqual([
      { name: "host-root", by: "--accept host-root" },
      { name: "exposure", by: "an answer to the question" },
      { name: "no-tls", by: "deploy.config.yaml: a test says so" },
    ]);
  });

  it("puts begin and end together, whatever stands between them", () => {
    const other = { ...begin, id: "b2" };
    expect(readAudit([begin, other, end].map(lineOf).join(""))).toEqual([{ begin, end }, { begin: other }]);
  });

  it("is read as far as it is whole: a line that was cut off or is not known costs only itself", () => {
    const known = lineOf(begin) + lineOf(end);
    const junk = fc.oneof(
      fc.string().map((text) => text.replaceAll("\n", " ")),
      fc.nat(lineOf(begin).length - 3).map((length) => lineOf({ ...begin, id: "b2" }).slice(0, length)),
      fc.constant(lineOf({ ...begin, id: "c3", version: 2 }).trim()),
      fc.constant(lineOf({ ...end, id: "nobody" }).trim()),
    );
    fc.assert(
      fc.property(fc.array(junk), fc.array(junk), (before, after) => {
        const text = `${before.join("\n")}\n${known}${after.join("\n")}`;
        expect(readAudit(text)).toEqual([{ begin, end }]);
      }),
    );
  });
});

describe("the words of a command", () => {
  it("are its flags and arguments, but only known values and names", () => {
    const flags = { json: true, yes: true, accept: ["host-root"], build: "never", pull: "missing", lockWait: 5 };
    const paths = { config: "/srv/s3cret/deploy.config.yaml", envFile: "s3cret.env", verbose: true, confirmed: true };
    const words = auditWords("up", { ...flags, ...paths, project: "shop", volumes: false, images: undefined }, [
      "gateway",
    ]);
    expect(words).toEqual(
      "up gateway --yes --accept host-root --no-build --lock-wait 5 --config --env-file --project shop".split(" "),
    );
  });

  it("never hold the value of a flag that could be anything", () => {
    const known = ["project", "accept", "images", "pull", "waitSeconds", "lockWait", "build"];
    const names = fc.string({ minLength: 1 }).filter((name) => !known.includes(name));
    fc.assert(
      fc.property(fc.dictionary(names, fc.constant("s3cret")), (flags) => {
        expect(auditWords("up", flags).join(" ")).not.toContain("s3cret");
      }),
    );
  });
});
