import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type JsonObject, serializeJson } from "../../src/guard/request/json.ts";
import { someRuns } from "../support/some-of.ts";
import { decided, openPolicy } from "./support/decisions.ts";
import { hostConfigOf, readAsGo } from "./support/go-json.ts";
import { beyondPolicy, isUnset } from "./support/go-limits.ts";
import { type LooseField, type LooseValue, textOf } from "./support/loose-json.ts";

/** The values that a field is tried with: some that are harmless, and some that are not. */
type Trials = Readonly<Record<string, readonly string[]>>;

const host: Trials = {
  Privileged: ["false", "null", "true", '"true"', "1"],
  Binds: ["[]", "null", '["/:/host"]', '["/etc:/etc:ro"]'],
  Mounts: ["[]", '[{"Type":"bind","Source":"/","Target":"/host"}]', '[{"type":"volume","target":"/x"}]'],
  CapAdd: ["null", "[]", '["SYS_ADMIN"]', '["ALL"]'],
  CapDrop: ["[]", '["NET_RAW"]'],
  NetworkMode: ['""', '"default"', '"none"', '"bridge"', '"host"', '"container:database"'],
  PidMode: ['""', '"host"', '"container:database"'],
  IpcMode: ['""', '"private"', '"host"', '"shareable"'],
  UTSMode: ['""', '"host"'],
  UsernsMode: ['""', '"host"'],
  CgroupnsMode: ['""', '"private"', '"host"'],
  Devices: ["[]", '[{"PathOnHost":"/dev/sda","PathInContainer":"/dev/sda","CgroupPermissions":"rwm"}]'],
  DeviceRequests: ["null", '[{"Count":-1,"Capabilities":[["gpu"]]}]'],
  DeviceCgroupRules: ["null", '["a *:* rwm"]'],
  SecurityOpt: ["null", '["seccomp=unconfined"]', '["apparmor=unconfined"]', '["systempaths=unconfined"]'],
  MaskedPaths: ["null", "[]", '["/x"]'],
  ReadonlyPaths: ["null", "[]"],
  Memory: ["0", "1048576", "9007199254740991", "-1", "1e10"],
  MemorySwap: ["0", "-1", "9007199254740991"],
  NanoCpus: ["0", "500000000", "64000000000"],
  PidsLimit: ["0", "null", "-1", "10", "100000"],
  ShmSize: ["0", "1048576", "9007199254740991"],
  RestartPolicy: ['{"Name":"no","MaximumRetryCount":0}', '{"Name":"always"}', '{"name":"always"}', "{}"],
  LogConfig: ['{"Type":"","Config":{}}', '{"Type":"syslog"}', '{"Type":"json-file","Config":{"max-size":"1t"}}'],
  VolumesFrom: ["null", '["database"]'],
  Links: ["null", '["database"]'],
  ExtraHosts: ["null", '["a:1.2.3.4"]'],
  PortBindings: ["{}", '{"80/tcp":[{"HostIp":"0.0.0.0","HostPort":"80"}]}'],
  PublishAllPorts: ["false", "true"],
  Runtime: ['""', '"runc"', '"evil"'],
  CgroupParent: ['""', '"/"'],
  Sysctls: ["{}", '{"kernel.core_pattern":"|/x"}'],
  Ulimits: ["null", "[]", '[{"Name":"nofile","Soft":1,"Hard":2}]'],
  AutoRemove: ["true", "false"],
  Tmpfs: ["{}", '{"/tmp":"size=1048576"}'],
  Init: ["null", "true"],
  Annotations: ["{}", '{"a":"b"}'],
  Unheard: ["0", "1", '"x"'],
};

const top: Trials = {
  Image: ['"team/sandbox:1"', '"python"', '"postgres:16"', "null"],
  Cmd: ['["sh","-c","id"]', '"id"'],
  Env: ['["A=1"]', "null"],
  User: ['""', '"1000"', '"root"'],
  Hostname: ['""', '"box"'],
  Labels: ["{}", '{"sandbox-deploy.guard":"other"}', '{"Sandbox-Deploy.Guard":"other"}', '{"traefik.enable":"true"}'],
  Volumes: ["{}", "null", '{"/data":{}}'],
  Healthcheck: ["null", '{"Test":["CMD","true"]}'],
  NetworkingConfig: ['{"EndpointsConfig":{}}', '{"EndpointsConfig":{"database":{"Aliases":["gateway"]}}}'],
  HostConfig: ["{}", "null", "[]"],
  Privileged: ["false", "true"],
  Binds: ["null", '["/:/host"]'],
  NetworkMode: ['""', '"host"'],
  MacAddress: ['""', '"02:42:ac:11:00:02"'],
  Unheard: ["0", "1"],
};

/** Harmless values come first in each list, and are tried most. */
function fieldOf(trials: Trials): fc.Arbitrary<LooseField> {
  return fc
    .constantFrom(...Object.entries(trials))
    .chain(([key, values]) =>
      fc.integer({ min: -6, max: values.length - 1 }).map((at) => ({ key, value: values[Math.max(at, 0)] ?? "0" })),
    );
}

const hostConfig: fc.Arbitrary<LooseField> = fc
  .array(fieldOf(host), { maxLength: 4 })
  .map((fields) => ({ key: "HostConfig", value: { fields } }));

const bodies: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom('"team/sandbox:1"', '"python"'),
    fc.array(fc.oneof({ weight: 2, arbitrary: fieldOf(top) }, { weight: 1, arbitrary: hostConfig }), { maxLength: 4 }),
    fc.constantFrom("", "", "", "", " ", "{}", ',"Privileged":true', "\0"),
  )
  .chain(([image, fields, after]) => {
    const value: LooseValue = { fields: [{ key: "Image", value: image }, ...fields] };
    return textOf(value).map((text) => text + after);
  });

/** What is sent for a body, or undefined where it is refused. */
function createdFrom(body: string | Uint8Array): JsonObject | undefined {
  const decision = decided("POST /containers/create?name=box-1", body);
  if (decision.kind === "ask") throw new Error("everything is known here");
  if (decision.kind !== "forward") return undefined;
  const sent = decision.request.body;
  if (sent === undefined || "tar" in sent) throw new Error("a container is created from a body");
  return sent;
}

/** All keys of an object, and of those inside it. */
function objectsOf(object: JsonObject): JsonObject[] {
  return [object, ...[...object.values()].flatMap((value) => (value instanceof Map ? objectsOf(value) : []))];
}

describe("whatever is sent to create a container", () => {
  test("means to the engine, which reads leniently, what the policy allows and nothing more", () => {
    let sent = 0;
    fc.assert(
      fc.property(bodies, (text) => {
        const body = createdFrom(text);
        if (body === undefined) return;
        sent += 1;
        expect(beyondPolicy(readAsGo(serializeJson(body)), openPolicy)).toEqual([]);
      }),
      { numRuns: someRuns(4000) },
    );
    expect(sent).toBeGreaterThan(someRuns(400));
  });

  test("has each field once and in its own spelling, so that every reader reads the same", () => {
    fc.assert(
      fc.property(bodies, (text) => {
        const body = createdFrom(text);
        if (body === undefined) return;
        const written = serializeJson(body);
        expect(JSON.stringify(JSON.parse(written))).toBe(written);
        for (const object of objectsOf(body)) {
          const folded = [...object.keys()].map((key) => key.toLowerCase());
          expect(new Set(folded).size).toBe(folded.length);
        }
        const known = new Set([...Object.keys(top), ...Object.keys(host), "StopTimeout"]);
        const hostFields = body.get("HostConfig");
        const names = [...body.keys(), ...(hostFields instanceof Map ? [...hostFields.keys()] : [])];
        expect(names.filter((name) => !known.has(name))).toEqual([]);
      }),
      { numRuns: someRuns(2000) },
    );
  });

  test("never gives up what the client meant by a field that it leaves standing", () => {
    const kept = ["Cmd", "Env", "Hostname", "User", "Healthcheck"];
    fc.assert(
      fc.property(bodies, (text) => {
        const body = createdFrom(text);
        if (body === undefined) return;
        const [asked, sent] = [readAsGo(text), readAsGo(serializeJson(body))];
        for (const key of kept) {
          const value = asked.get(key.toLowerCase());
          const meant = key === "Cmd" && typeof value === "string" ? [value] : value;
          if (!isUnset(meant)) expect(sent.get(key.toLowerCase())).toEqual(meant);
        }
      }),
      { numRuns: someRuns(2000) },
    );
  });

  test("is never made of anything but the model, whatever bytes a body has", () => {
    const bytes = bodies.map((text) => new TextEncoder().encode(text));
    const pieces = fc.array(fc.oneof(fc.uint8Array({ maxLength: 4 }), bytes), { maxLength: 3 });
    fc.assert(
      fc.property(pieces, (parts) => {
        const body = createdFrom(Buffer.concat(parts));
        if (body !== undefined) expect(beyondPolicy(readAsGo(serializeJson(body)), openPolicy)).toEqual([]);
      }),
      { numRuns: someRuns(1000) },
    );
  });
});

test("the lenient model finds what the guard must not let through, or the properties above would show nothing", () => {
  const evil = [
    '{"hostconfig":{"pRivileged":true}}',
    '{"Ho\\u017ftConfig":{"Privileged":true}}',
    '{"HostConfig":{"Privileged":true},"HostConfig":{}}',
    '{"Privileged":true}',
    '{"HostConfig":{"Privileged":true}}trailing',
  ];
  expect(evil.map((text) => hostConfigOf(readAsGo(text)).get("privileged"))).toEqual(evil.map(() => true));
  expect(evil.map((text) => beyondPolicy(readAsGo(text), openPolicy).includes("privileged"))).toEqual(
    evil.map(() => true),
  );
  const merged = new Map(Object.entries({ x: 3, y: 2 }));
  expect(readAsGo('{"a":[{"X":1,"Y":2}],"A":[{"x":3}]}').get("a")).toEqual([merged]);
});
