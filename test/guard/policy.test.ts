import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Policy, readPolicy } from "../../src/guard/policy/policy.ts";
import { formatPolicyFinding } from "../../src/guard/policy/policy-finding.ts";
import { policyText } from "../../src/guard/policy/policy-text.ts";
import {
  binaryBytesText,
  decimalBytesText,
  parseBinaryBytes,
  parseDecimalBytes,
} from "../../src/guard/policy/units.ts";
import { policyOf, preset, roomy, roomyText } from "./support/create-world.ts";

const least = 'owner: o\nimages: [a]\nnames: "n"\nnetwork: none\n';

/** Every finding as an operator sees it. */
function findings(text: string): string[] {
  return readPolicy(text).findings.map((finding) => formatPolicyFinding("policy.yaml", finding));
}

/** As plain data, in which patterns can be compared. */
function data(policy: Policy): unknown {
  return JSON.parse(JSON.stringify(policy, (_key, value) => (value instanceof RegExp ? String(value) : value)));
}

describe("a policy file", () => {
  test("needs an owner, images, names and a network; all else has a strict default", () => {
    expect(data(policyOf(least))).toEqual({
      owner: "o",
      images: ["a"],
      names: "/^(?:n)$/u",
      unnamed: false,
      network: "none",
      volumes: [],
      extraHosts: [],
      limits: {
        memoryBytes: 512 * 1024 ** 2,
        nanoCpus: 1e9,
        pids: 256,
        shmBytes: 64 * 1024 ** 2,
        tmpfsBytes: 64 * 1024 ** 2,
        logBytes: 10_000_000,
        logFiles: 3,
        stopSeconds: 30,
      },
      capabilities: [],
      writableRoot: false,
      labels: [],
      sandboxes: { alive: 10, createsPerMinute: 30 },
      connections: 64,
      operations: { exec: false, attach: false, pull: false, pause: false, archive: false, events: false },
    });
    expect(findings("{}")).toEqual([
      "policy.yaml:1:1 error owner is missing; it is the value of the label by which this guard knows its containers",
      "policy.yaml:1:1 error images is missing; it lists what may be run, and nothing is allowed without it",
      "policy.yaml:1:1 error names is missing; it is the pattern of what sandboxes may be called",
      "policy.yaml:1:1 error network is missing; it is none, or the one network that sandboxes may join",
    ]);
  });

  test("may be JSON as well", () => {
    const json = JSON.stringify({ owner: "o", images: ["a"], names: "n", network: "none" }, undefined, "\t");
    expect(data(policyOf(json))).toEqual(data(policyOf(least)));
  });

  test("may leave owner and images to whoever starts the guard, and its own word counts", () => {
    const given = { owner: "given", images: ["given:1"] };
    expect(policyOf("names: n\nnetwork: none\n", given)).toMatchObject(given);
    expect(policyOf(least, given)).toMatchObject({ owner: "o", images: ["a"] });
    expect(readPolicy("names: n\nnetwork: none\n", { owner: undefined, images: undefined }).ok).toBe(false);
    expect(readPolicy("names: n\nnetwork: none\n", { owner: "o", images: [] }).ok).toBe(false);
  });

  test("has the hash of what is in force: of its meaning, and of owner and images wherever they were said", () => {
    const hashOf = (text: string, given = {}): string => {
      const reading = readPolicy(text, given);
      return reading.ok ? reading.hash : "refused";
    };
    const written = policyText(policyOf(roomyText));
    expect(hashOf(roomyText)).toBe(createHash("sha256").update(written).digest("hex"));
    expect(hashOf(written)).toBe(hashOf(roomyText));
    const rest = "names: n # a remark\nnetwork: none\n";
    expect(hashOf(rest, { owner: "o", images: ["a"] })).toBe(hashOf(least));
    const others = [least, `${least}unnamed: true\n`].map((text) => hashOf(text));
    const given = [
      { owner: "p", images: ["a"] },
      { owner: "o", images: ["b"] },
    ].map((each) => hashOf(rest, each));
    expect(new Set([...others, ...given]).size).toBe(4);
  });

  test("is told every problem at once, each with its place", () => {
    const text = `owner: Über
images: [busybox, "not a reference!"]
names: '(['
network: host
ports:
  container: [0, 80]
  hostAddress: localhost
  hostFrom: 9000
  hostTo: 8000
binds:
  root: /etc
  allowed: []
limits: { memory: 1k, cpus: none, pids: 1.5, swap: 1g }
capabilities: [SYS_ADMIN]
writable-root: true
operations:
  exce: true
`;
    expect(findings(text)).toMatchInlineSnapshot(`
      [
        "policy.yaml:1:1 error owner has to be letters, digits, dots, dashes and underscores, such as the project's name",
        "policy.yaml:2:19 error images[1] has to be a reference such as name:tag or name@sha256:…",
        "policy.yaml:3:1 error names is no pattern: Invalid regular expression: /([/u: Unterminated character class",
        "policy.yaml:4:1 error network has to be none, or the name of a network; with the host's own there is no sandbox",
        "policy.yaml:6:15 error ports.container[0] has to be 1 or more",
        "policy.yaml:7:3 error ports.hostAddress has to be an address such as 127.0.0.1",
        "policy.yaml:11:3 error binds.root is a directory of the system; whoever may mount below it has the host",
        "policy.yaml:12:3 error binds.allowed must not be empty",
        "policy.yaml:13:11 error limits.memory has to be a size such as 512m, and at least 6291456 bytes",
        "policy.yaml:13:23 error limits.cpus has to be a number",
        "policy.yaml:13:35 error limits.pids has to be a whole number",
        "policy.yaml:13:46 error limits.swap is not a key of a policy",
        "policy.yaml:14:16 error capabilities[0] has to be one of AUDIT_WRITE, CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, MKNOD, NET_BIND_SERVICE, NET_RAW, SETFCAP, SETGID, SETPCAP, SETUID, SYS_CHROOT, IPC_LOCK, SYS_NICE, SYS_PTRACE; others are ways to the host",
        "policy.yaml:15:1 error writable-root is not a key of a policy",
        "policy.yaml:17:3 error operations.exce is not a key of a policy",
      ]
    `);
  });

  test("is told of patterns that are none", () => {
    const text = `owner: o
images: [a]
names: 'a)|(b'
network: none
labels: ['[', '(a+)+', '(?:x|y*)*', '((a*))+']
users: 'x{'
volumes: [{ name: '*', target: '(/[a-z]+)*' }]
`;
    expect(findings(text)).toMatchInlineSnapshot(`
      [
        "policy.yaml:3:1 error names is no pattern: Invalid regular expression: /a)|(b/u: Unmatched ')'",
        "policy.yaml:5:10 error labels[0] is no pattern: Invalid regular expression: /[/u: Unterminated character class",
        "policy.yaml:5:15 error labels[1] is no pattern: a repetition of nothing but a repetition, such as (a+)+, can take for ever to match",
        "policy.yaml:5:24 error labels[2] is no pattern: a repetition of nothing but a repetition, such as (a+)+, can take for ever to match",
        "policy.yaml:5:37 error labels[3] is no pattern: a repetition of nothing but a repetition, such as (a+)+, can take for ever to match",
        "policy.yaml:6:1 error users is no pattern: Invalid regular expression: /x{/u: Incomplete quantifier",
        "policy.yaml:7:13 error volumes[0].name is no pattern: Invalid regular expression: /*/u: Nothing to repeat",
      ]
    `);
  });

  test("is told what is allowed and unwise", () => {
    const text = `owner: o
images: [a]
names: n
network: none
ports: { container: [80], hostAddress: 0.0.0.0, hostFrom: 1, hostTo: 2 }
labels: ['x', '.*']
`;
    expect(readPolicy(text).ok).toBe(true);
    expect(findings(text)).toMatchInlineSnapshot(`
      [
        "policy.yaml:5:1 warning ports have no effect: without a network nothing can be published",
        "policy.yaml:5:27 warning ports.hostAddress is every address of the host: whoever reaches the host reaches every sandbox",
        "policy.yaml:6:15 warning labels[1] matches traefik.enable, which stays refused: other programs act on it",
      ]
    `);
    expect(findings(least.replace("none", "bridge"))).toHaveLength(1);
  });

  test("is told of patterns that match volumes of others, or those of the guard itself", () => {
    const volumes = ["workspace-[a-z]+", ".*", "\\w+_guard-audit"].map((name) => `{ name: '${name}', target: '/x' }`);
    expect(findings(`${least}volumes: [${volumes.join(", ")}]\n`)).toEqual([
      expect.stringMatching(
        / warning volumes\[1\]\.name matches others_data: sandboxes can mount volumes that are not/,
      ),
      expect.stringMatching(/ warning volumes\[2\]\.name matches \w+_guard-audit: /),
    ]);
  });

  test.each([
    ["", "a policy is a mapping"],
    ["[]", "a policy is a mapping"],
    ["x", "a policy is a mapping"],
    ["a: *b", "a policy is a mapping"],
    ["a: [", "not valid YAML"],
    ["\tx: 1", "not valid YAML"],
    [`${least}owner: p`, "not valid YAML"],
    [`${least}---\n${least}`, "more than one document"],
    [`${least}seccomp: { defaultAction: SCMP_ACT_ALLOW, syscalls: [] }`, "has to block"],
    [`${least}seccomp: unconfined`, "seccomp"],
    [`${least}runtime: ../x`, "runtime"],
    [`${least}extraHosts: ["a b"]`, "extraHosts[0]"],
    [`${least}constructor: 1`, "constructor is not a key"],
    [`${least}__proto__: 1`, "__proto__"],
  ])("%j is refused", (text, message) => {
    const reading = readPolicy(text);
    expect(reading.ok).toBe(false);
    expect(reading.findings.map((finding) => finding.message).join("\n")).toContain(message);
  });

  test("that unfolds without end is refused", () => {
    const levels = Array.from({ length: 30 }, (_, n) => `l${n + 1}: &l${n + 1} [*l${n}, *l${n}, *l${n}]`);
    expect(readPolicy(`l0: &l0 [x]\n${levels.join("\n")}\n`).ok).toBe(false);
  });

  test("of any text at all gives findings or a policy, and never throws", () => {
    const pieces = fc.constantFrom(
      "owner",
      "images",
      "names",
      ": ",
      "\n",
      "- ",
      "[",
      "]",
      "{",
      "}",
      "'",
      "a",
      "&a ",
      "*a",
      "!!x ",
      "\t",
      "512m",
    );
    const property = fc.property(
      fc.array(pieces).map((each) => each.join("")),
      (text) => {
        const reading = readPolicy(text);
        expect(reading.ok || reading.findings.length > 0).toBe(true);
      },
    );
    fc.assert(property, { numRuns: 500 });
  });
});

describe("patterns", () => {
  test("always match the whole of a text", () => {
    const names = (pattern: string) => policyOf(least.replace('"n"', () => `'${pattern}'`)).names;
    expect(["ab", "xab", "abx", "ab\n", "a\nab"].map((text) => names("ab").test(text))).toEqual([
      true,
      ...Array(4).fill(false),
    ]);
    expect(["a", "b", "ax", "xb"].map((text) => names("a|b").test(text))).toEqual([true, true, false, false]);
    expect(["a", "a\n"].map((text) => names("^a$").test(text))).toEqual([true, false]);
    expect(["a\nb", "ab"].map((text) => names("a.*b").test(text))).toEqual([false, true]);
  });

  test("may name the owner, of which no character has a meaning of its own", () => {
    const { names } = policyOf(least.replace("owner: o", "owner: a.b-c").replace('"n"', "'{owner}-x'"));
    expect(["a.b-c-x", "aXb-c-x"].map((text) => names.test(text))).toEqual([true, false]);
  });

  test("that repeat groups with a beginning of their own are allowed", () => {
    for (const pattern of [
      "(?:/[a-z]+)*",
      "([a-z0-9]+[._-])*x",
      "(?:ab)+",
      "a{1,3}",
      "(?:a|b)*",
      "\\(+\\)+",
      "[(+)]+",
    ]) {
      expect(readPolicy(least.replace('"n"', () => `'${pattern}'`)).ok).toBe(true);
    }
  });
});

describe("directories", () => {
  const root = (path: string) =>
    readPolicy(`${least}binds: { root: ${JSON.stringify(path)}, allowed: [{ source: x, target: /x }] }`).ok;

  test.each([
    "/",
    "/etc",
    "/etc/x",
    "/var",
    "/var/run",
    "/var/run/x",
    "/var/lib/docker",
    "/var/lib/docker/volumes",
    "/proc/1",
    "/run",
    "/dev/x",
    "/home",
    "/home/me",
    "/root",
    "/usr/local",
    "/srv",
    "/opt",
    "/lib64",
    "x",
    "/a/../b",
    "/a/",
    "",
  ])("%j is no root for what sandboxes may mount", (path) => {
    expect(root(path)).toBe(false);
  });

  test.each(["/srv/agents", "/opt/deer-flow/data", "/home/me/agents", "/var/lib/agents", "/data/x"])(
    "%j is one",
    (path) => {
      expect(root(path)).toBe(true);
    },
  );
});

describe("the policy in force, as text", () => {
  test.each(["default", "deer-flow", "openhands", "docker-py"])("the preset %s says the same as its text", (name) => {
    const policy = preset(name);
    expect(data(policyOf(policyText(policy)))).toEqual(data(policy));
  });

  test("a policy that uses every key says the same as its text", () => {
    const policy = policyOf(
      `${roomyText}runtime: runsc\nusers: 'a|b'\nseccomp: { defaultAction: SCMP_ACT_ERRNO, syscalls: [{ names: [read], action: SCMP_ACT_ALLOW }] }\n`.replace(
        "root: /srv/data",
        "root: /srv/data\n  volume: agents-data",
      ),
    );
    expect(policyText(policy)).toMatchInlineSnapshot(`
      "owner: tests
      images:
        - team/sandbox:1
      names: box-[a-z0-9]+
      unnamed: true
      network: sandboxes
      ports:
        container:
          - 8080
          - 8082
        hostAddress: 172.17.0.1
        hostFrom: 8080
        hostTo: 8099
      binds:
        root: /srv/data
        allowed:
          - source: shared/.*
            target: /.*
            readOnly: true
          - source: "[a-z0-9]+"
            target: /[a-z0-9/]+
            readOnly: false
        volume: agents-data
      volumes:
        - name: frozen-.*
          target: /[a-z]+
          readOnly: true
        - name: cache-[0-9]
          target: /[a-z]+
          readOnly: false
      extraHosts:
        - host.docker.internal:host-gateway
      limits:
        memory: 256m
        cpus: 1.5
        pids: 64
        shm: 32m
        tmpfs: 16m
        logSize: 5m
        logFiles: 3
        stopSeconds: 20
      capabilities:
        - CHOWN
        - SETUID
        - SETGID
      writableRoot: true
      seccomp:
        defaultAction: SCMP_ACT_ERRNO
        syscalls:
          - action: SCMP_ACT_ALLOW
            names:
              - read
      runtime: runsc
      labels:
        - app\\.[a-z]+
      users: a|b
      sandboxes:
        alive: 5
        createsPerMinute: 10
      connections: 64
      operations:
        exec: true
        attach: true
        pull: true
        pause: true
        archive: true
        events: true
      "
    `);
    expect(data(policyOf(policyText(policy)))).toEqual(data(policy));
    expect(data(policyOf(policyText(roomy)))).toEqual(data(roomy));
  });
});

describe("the policies to copy", () => {
  const folder = join(import.meta.dirname, "../../templates/guard");
  const names = readdirSync(folder).map((name) => name.replace(/\.yaml$/, ""));

  test("are these", () => {
    expect(names.sort()).toEqual(["deer-flow", "default", "docker-py", "openhands"]);
  });

  test.each(names)(
    "%s grants nothing that it does not need: no capability, every operation but one off, and no warning",
    (name) => {
      const text = readFileSync(join(folder, `${name}.yaml`), "utf8");
      const reading = readPolicy(text, { owner: "o", images: ["a"] });
      expect(reading).toMatchObject({ ok: true, findings: [] });
      const { capabilities, operations } = preset(name);
      expect(capabilities).toEqual([]);
      expect(Object.entries(operations).flatMap(([operation, on]) => (on ? [operation] : []))).toEqual(
        name === "openhands" ? ["pause"] : [],
      );
    },
  );

  test.each(names)("every key of %s has its reason directly above it", (name) => {
    const text = readFileSync(join(folder, `${name}.yaml`), "utf8");
    // The profile is one value, in Docker's own format, which is explained as a whole.
    const lines = text.replace(/^seccomp:\n(?: .*\n)+/m, "seccomp: profile\n").split("\n");
    const isRemark = (line = "") => line.trim().startsWith("#");
    const unexplained = lines.filter((line, index) => {
      // A key of a section; what stands in an entry of a list belongs to the entry.
      if (!/^(?: {2})?[a-z]\w*:/i.test(line)) return false;
      return !isRemark(lines[index - 1]) && !(line.endsWith(":") && isRemark(lines[index + 1]));
    });
    expect(lines.filter((line) => /^ {2}[a-z]\w*:/i.test(line)).length).toBeGreaterThan(10);
    expect(unexplained).toEqual([]);
  });
});

describe("sizes", () => {
  test.each([
    ["512m", 512 * 1024 ** 2],
    ["1.5g", 1.5 * 1024 ** 3],
    ["64MiB", 64 * 1024 ** 2],
    ["64 mb", 64 * 1024 ** 2],
    ["1024", 1024],
    ["1t", 1024 ** 4],
  ])("%s is %i bytes", (text, bytes) => {
    expect(parseBinaryBytes(text)).toBe(bytes);
  });

  test.each(["", "m", "-1", "1x", "1e3", "0x10", "1 0", "1mm", " 1", "9".repeat(16), "1,5g"])(
    "%j is no size",
    (text) => {
      expect([parseBinaryBytes(text), parseDecimalBytes(text)]).toEqual([undefined, undefined]);
    },
  );

  test("are written so that they are read the same", () => {
    const property = fc.property(fc.integer({ min: 0, max: 2 ** 50 }), (bytes) => {
      expect(parseBinaryBytes(binaryBytesText(bytes))).toBe(bytes);
      expect(parseDecimalBytes(decimalBytesText(bytes))).toBe(bytes);
    });
    fc.assert(property, { examples: [[512 * 1024 ** 2], [10_000_000], [0], [1]] });
  });
});
