import { describe, expect, test } from "vitest";
import { decide } from "../../src/guard/decision/decide.ts";
import type { Policy } from "../../src/guard/policy/policy.ts";
import { serializeJson } from "../../src/guard/request/json.ts";
import {
  decided,
  foreign,
  forwarded,
  hexId,
  knownFacts,
  mine,
  openPolicy,
  refusal,
  request,
  upgrade,
} from "./support/decisions.ts";

const id = hexId("a");
const exec = hexId("b");
const foreignExec = hexId("e");
const closed: Policy = {
  ...openPolicy,
  operations: { exec: false, attach: false, pull: false, pause: false, archive: false, events: false },
};

function sent(...args: Parameters<typeof forwarded>): string {
  const { method, target } = forwarded(...args);
  return `${method} ${target}`;
}

/** The filters that the engine would read. */
function sentFilters(line: string): unknown {
  return JSON.parse(new URL(forwarded(line).target, "http://docker").searchParams.get("filters") ?? "null");
}

describe("what the engine is asked instead", () => {
  test.each([
    ["HEAD /_ping", "HEAD /v1.41/_ping"],
    ["GET /version", "GET /v1.41/version"],
    ["GET /v1.30/version", "GET /v1.30/version"],
    ["GET /containers/box-mine/json", `GET /v1.41/containers/${id}/json`],
    ["GET /v1.24/containers/aaa/json?size=True", `GET /v1.24/containers/${id}/json?size=1`],
    ["POST /containers/box-mine/start", `POST /v1.41/containers/${id}/start`],
    ["POST /containers/box-mine/stop?t=3&signal=SIGINT", `POST /v1.41/containers/${id}/stop?t=3&signal=SIGINT`],
    ["POST /containers/box-mine/stop?t=600", `POST /v1.41/containers/${id}/stop?t=10`],
    ["POST /containers/box-mine/restart?t=-1", `POST /v1.41/containers/${id}/restart?t=10`],
    ["POST /containers/box-mine/kill?signal=9", `POST /v1.41/containers/${id}/kill?signal=9`],
    ["POST /containers/box-mine/wait?condition=removed", `POST /v1.41/containers/${id}/wait?condition=removed`],
    ["DELETE /containers/box-mine?v=False&link=False&force=True", `DELETE /v1.41/containers/${id}?force=1&v=0`],
    [
      "GET /containers/box-mine/logs?tail=all&stdout=1&since=1.5",
      `GET /v1.41/containers/${id}/logs?stdout=1&since=1.5&tail=all`,
    ],
    ["GET /containers/box-mine/archive?path=/a%20b", `GET /v1.41/containers/${id}/archive?path=%2Fa%20b`],
    ["GET /images/python/json", `GET /v1.41/images/sha256:${hexId("2")}/json`],
    ["GET /images/docker.io/library/python:latest/json", `GET /v1.41/images/sha256:${hexId("2")}/json`],
    ["GET /images/111111111111/json", `GET /v1.41/images/sha256:${hexId("1")}/json`],
    [
      "POST /images/create?fromImage=python",
      "POST /v1.41/images/create?fromImage=docker.io%2Flibrary%2Fpython&tag=latest",
    ],
    [
      "POST /images/create?fromImage=team/sandbox&tag=1",
      "POST /v1.41/images/create?fromImage=docker.io%2Fteam%2Fsandbox&tag=1",
    ],
    [`POST /exec/${exec}/resize?h=1&w=2`, `POST /v1.41/exec/${exec}/resize?h=1&w=2`],
    [`GET /exec/${exec}/json`, `GET /v1.41/exec/${exec}/json`],
  ])("for %s is %s", (line, target) => {
    expect(sent(line)).toBe(target);
  });

  test("is a stream where the answer goes on, and a raw connection only where the client asks for one", () => {
    const streams = [
      forwarded("POST /containers/box-mine/attach?stream=1", "", upgrade),
      forwarded("POST /containers/box-mine/attach?stream=1"),
      forwarded(`POST /exec/${exec}/start`, '{"Detach":false}', upgrade),
      forwarded(`POST /exec/${exec}/start`, '{"Detach":false}'),
      forwarded(`POST /exec/${exec}/start`, '{"Detach":true}', upgrade),
      forwarded("GET /containers/box-mine/logs?stdout=1"),
      forwarded("GET /containers/box-mine/json"),
    ].map(({ stream }) => stream);
    expect(streams).toEqual(["duplex", "download", "duplex", "download", "none", "download", "none"]);
  });

  test("is an archive byte for byte, for it is a file's content", () => {
    const tar = new Uint8Array(1024);
    const { body } = forwarded("PUT /containers/box-mine/archive?path=/tmp", tar, [
      ["Content-Type", "application/x-tar"],
      ["Content-Length", "1024"],
    ]);
    expect(body).toEqual({ tar });
  });

  test("has of the start of an exec only what the engine knows", () => {
    const { body } = forwarded(
      `POST /exec/${exec}/start`,
      '{"Tty":true,"hijack":true,"stdin":true,"ConsoleSize":[24,80]}',
      upgrade,
    );
    expect(body !== undefined && "tar" in body ? "" : serializeJson(body ?? null)).toBe(
      '{"Detach":false,"Tty":true,"ConsoleSize":[24,80]}',
    );
  });
});

describe("a container, exec or image of somebody else", () => {
  test.each([
    "GET /containers/X/json",
    "GET /containers/X/logs?stdout=1",
    "GET /containers/X/top",
    "GET /containers/X/stats",
    "POST /containers/X/start",
    "POST /containers/X/stop",
    "POST /containers/X/restart",
    "POST /containers/X/wait",
    "POST /containers/X/resize?h=1&w=1",
    "POST /containers/X/pause",
    "POST /containers/X/unpause",
    "POST /containers/X/attach",
    "DELETE /containers/X?force=1",
    "GET /containers/X/archive?path=/",
    "HEAD /containers/X/archive?path=/",
    "PUT /containers/X/archive?path=/",
    'POST /containers/X/exec {"Cmd":["id"]}',
  ])("is as absent as one that nobody has: %s", (line) => {
    const [method, target, body] = line.split(" ");
    for (const name of ["database", foreign.id, "ffff", "nobody", "no/body", "-x", "sha256:x"]) {
      if (name.includes("/") && !line.includes("/json")) continue;
      const deny = refusal(`${method} ${target?.replace("X", name)}`, body);
      expect([deny.status, deny.message]).toEqual([404, `No such container: ${name}`]);
    }
  });

  test("is killed as little as one that nobody has, in the engine's own words", () => {
    const messages = ["database", "nobody"].map((name) => refusal(`POST /containers/${name}/kill`).message);
    expect(messages).toEqual([
      "Cannot kill container: database: No such container: database",
      "Cannot kill container: nobody: No such container: nobody",
    ]);
    const newer = { ...knownFacts, engine: { apiVersion: "1.45" } };
    const { message } = refusal("POST /containers/nobody/kill", undefined, undefined, undefined, newer);
    expect(message).toBe("cannot kill container: nobody: No such container: nobody");
  });

  test.each(["POST /exec/X/start {}", "POST /exec/X/resize?h=1&w=1", "GET /exec/X/json"])("has no exec: %s", (line) => {
    const [method, target, body] = line.split(" ");
    for (const each of [foreignExec, hexId("0"), "nope"]) {
      const deny = refusal(`${method} ${target?.replace("X", each)}`, body);
      expect([deny.status, deny.message]).toEqual([404, `No such exec instance: ${each}`]);
    }
  });

  test.each([
    ["postgres:16", "postgres:16"],
    ["postgres", "postgres:latest"],
    ["333333333333", "333333333333:latest"],
    [`sha256:${hexId("3")}`, `sha256:${hexId("3")}`],
    ["Postgres", "Postgres"],
  ])("has no image %s", (reference, shown) => {
    const deny = refusal(`GET /images/${reference}/json`);
    expect([deny.status, deny.message]).toEqual([404, `No such image: ${shown}`]);
  });

  test.each([
    ["GET /networks/bridge", "network bridge not found"],
    ["GET /volumes/data", "get data: no such volume"],
    ["GET /plugins/a/b/json", 'plugin "a/b" not found'],
  ])("is told of in Docker's words, so that `docker inspect` goes on: %s", (line, message) => {
    expect(refusal(line)).toMatchObject({ status: 404, message });
  });
});

describe("lists", () => {
  const own = { label: { "sandbox-deploy.guard=test": true } };

  test.each([
    ["GET /containers/json", own],
    ['GET /containers/json?filters={"name":["box-"]}', { name: { "box-": true }, ...own }],
    ['GET /containers/json?filters={"label":{"a":true}}', { label: { a: true, "sandbox-deploy.guard=test": true } }],
    [
      'GET /containers/json?filters={"label":["sandbox-deploy.guard=other"]}',
      { label: { "sandbox-deploy.guard=other": true, "sandbox-deploy.guard=test": true } },
    ],
    ["GET /events", { ...own, type: { container: true } }],
    ["GET /images/json", { reference: { "team/sandbox:1": true, "python:latest": true } }],
    ['GET /images/json?filters={"reference":["python"]}', { reference: { "python:latest": true } }],
    [
      'GET /images/json?filters={"reference":["postgres:16","team/sandbox:1"]}',
      { reference: { "team/sandbox:1": true } },
    ],
  ])("show only what is ours: %s", (line, filters) => {
    const [path, query = ""] = line.split("filters=");
    expect(sentFilters(query === "" ? line : `${path}filters=${encodeURIComponent(query)}`)).toEqual(filters);
  });

  test("are empty where nothing that is asked for is ours, without asking the engine", () => {
    const filters = encodeURIComponent('{"reference":["postgres:16"]}');
    expect(decided(`GET /images/json?filters=${filters}`)).toMatchObject({ kind: "answer", body: [] });
  });

  test.each([
    "GET /containers/json?since=database",
    `GET /containers/json?filters=${encodeURIComponent('{"before":["database"]}')}`,
    `GET /events?filters=${encodeURIComponent('{"type":["image"]}')}`,
    `GET /images/json?filters=${encodeURIComponent('{"since":["postgres"]}')}`,
  ])("cannot be used to find out about others: %s", (line) => {
    expect(refusal(line).rule).toMatch(/^query\./);
  });
});

describe("an operation that is switched off", () => {
  test.each([
    ["POST /containers/database/exec", "route.exec-off"],
    [`POST /exec/${foreignExec}/start`, "route.exec-off"],
    ["POST /containers/box-mine/attach", "route.attach-off"],
    ["POST /images/create?fromImage=python", "route.pull-off"],
    ["POST /containers/box-mine/pause", "route.pause-off"],
    ["GET /containers/box-mine/archive?path=/", "route.archive-off"],
    ["GET /events", "route.events-off"],
  ])("%s is refused by %s, whatever it names", (line, rule) => {
    const deny = refusal(line, "", [], closed);
    expect([deny.status, deny.rule]).toEqual([403, rule]);
    expect(deny.message).toContain(`(rule ${rule})`);
  });
});

describe("a pull", () => {
  test.each([
    ["fromImage=postgres", "image.not-allowed"],
    ["fromImage=python&tag=3", "image.not-allowed"],
    ["fromImage=evil.example/python", "image.not-allowed"],
    ["fromImage=python:latest&tag=evil", "pull.reference"],
    ["fromImage=python&tag=a:b", "pull.reference"],
    ["fromImage=team/sandbox:1@sha256:00", "pull.reference"],
    ["fromImage=python&repo=evil", "query.refused"],
    ["fromImage=python&fromSrc=-", "query.refused"],
    ["fromSrc=http://169.254.169.254/", "query.refused"],
    ["fromImage=python&changes=CMD+x", "query.refused"],
    ["fromImage=python&fromimage=evil", "query.unknown"],
    ["tag=1", "pull.source"],
  ])("of %s is refused by %s", (query, rule) => {
    expect(refusal(`POST /images/create?${query}`).rule).toBe(rule);
  });
});

describe("a body where the engine expects none", () => {
  test.each(["", "{}", " {} ", "null", '{"t":5}'])("is not sent on: %j", (body) => {
    expect(forwarded("POST /containers/box-mine/stop?t=5", body).body).toBeUndefined();
  });

  test.each([
    ['{"t":6}', "body.unexpected"],
    ['{"t":5,"T":5}', "json.duplicate-key"],
    ['{"HostConfig":{"Privileged":true}}', "body.unexpected"],
    ["[]", "body.unexpected"],
    ["t=5", "json.syntax"],
  ])("is refused if it means something: %s", (body, rule) => {
    expect(refusal("POST /containers/box-mine/stop?t=5", body).rule).toBe(rule);
  });

  test("is refused with a method that has none", () => {
    expect(refusal("GET /version", "{}", [["Content-Length", "2"]]).rule).toBe("body.unexpected");
  });
});

describe("dockerode, which writes its options into query and body", () => {
  const query = "Image=python&Cmd=sh&Cmd=-c&Env=&HostConfig=%7B%22Init%22%3Atrue%7D&name=box-1&Tty=true";
  const body = '{"Image":"python","Cmd":["sh","-c"],"Env":[],"HostConfig":{"Init":true},"name":"box-1","Tty":true}';

  test("creates the container that its body describes", () => {
    const { target, body: sent } = forwarded(`POST /containers/create?${query}`, body);
    expect(target).toBe("/v1.41/containers/create?name=box-1");
    expect(sent !== undefined && "tar" in sent ? undefined : sent?.get("Cmd")).toEqual(["sh", "-c"]);
  });

  test.each([
    ["a parameter that the body does not have", `${query}&Privileged=true`, body, "query.unknown"],
    ["a name that stands twice", `${query}&name=box-2`, body, "query.repeated"],
    ["a name in the body that is not the query's", query, body.replace("box-1", "box-2"), "config.unknown-field"],
    ["a parameter in other case than the body's", query.replace("Image", "image"), body, "query.unknown"],
  ])("is refused with %s", (_what, parameters, text, rule) => {
    expect(refusal(`POST /containers/create?${parameters}`, text).rule).toBe(rule);
  });
});

test.each(["t=1&t=1", "t=1&%74=2", "t=1&signal=TERM&t"])("a parameter that stands twice is refused: %s", (query) => {
  expect(refusal(`POST /containers/box-mine/stop?${query}`)).toMatchObject({ rule: "query.repeated", status: 400 });
});

test("a container is always created in the engine's own API version, for an older one would drop fields", () => {
  expect(sent("POST /v1.24/containers/create?name=box-1", '{"Image":"python"}')).toBe(
    "POST /v1.41/containers/create?name=box-1",
  );
});

describe("a body that is not what it has to be", () => {
  const create = "POST /containers/create";
  const extract = "PUT /containers/box-mine/archive?path=/";
  const length = (bytes: number): [string, string] => ["Content-Length", String(bytes)];

  test.each<[what: string, line: string, body: string | Uint8Array, type: string, rule: string]>([
    ["JSON under another name", create, '{"Image":"python"}', "text/plain", "framing.content-type"],
    ["a list", create, "[]", "application/json", "body.object"],
    ["nothing", create, "", "application/json", "body.missing"],
    ["more than a client writes", create, " ".repeat(1_048_577), "application/json", "body.size"],
    ["a compressed archive", extract, Uint8Array.from([0x1f, 0x8b, 8]), "application/x-tar", "body.archive"],
    ["an archive under another name", extract, new Uint8Array(1024), "application/json", "framing.content-type"],
  ])("is refused: %s", (_what, line, body, type, rule) => {
    expect(refusal(line, body, [["Content-Type", type], length(body.length)]).rule).toBe(rule);
  });

  test("is refused without a name for what it is", () => {
    const bytes = new TextEncoder().encode('{"Image":"python"}');
    const untyped = { method: "POST", target: "/containers/create", headers: [length(bytes.length)], body: bytes };
    expect(decide(untyped, openPolicy, knownFacts)).toMatchObject({ rule: "framing.content-type", status: 400 });
  });
});

test.each(['{"detach":true}', '{"Privileged":true}', '{"hijack":"x"}', '{"Detach":1}', '{"ConsoleSize":[1]}'])(
  "the start of an exec takes no %s",
  (body) => {
    expect(refusal(`POST /exec/${exec}/start`, body, upgrade).rule).toMatch(/^exec\.field-/);
  },
);

test.each([
  ["POST /containers/box-mine/start", ""],
  ["POST /containers/box-mine/restart", ""],
  ["POST /containers/box-mine/attach?stream=1", ""],
  ["POST /containers/box-mine/exec", '{"Cmd":["id"]}'],
  [`POST /exec/${exec}/start`, "{}"],
  ["GET /containers/box-mine/archive?path=/", ""],
])("a container that is beyond the policy by now is not touched by %s, but can be stopped", (line, body) => {
  const labelled = {
    ...mine,
    inspected: new Map([...mine.inspected, ["HostConfig", new Map([["Privileged", true]])]]),
  };
  const facts = { ...knownFacts, container: () => ({ known: true, value: labelled }) as const };
  const decision = decide(request(line, body), openPolicy, facts);
  expect(decision).toMatchObject({ kind: "deny", status: 403, notes: { container: "box-mine" } });
  expect(decide(request("POST /containers/box-mine/stop"), openPolicy, facts).kind).toBe("forward");
});

describe("a request that only one front door lets in", () => {
  test.each([
    ["POST /containers/create", '{"Image":"python"}'],
    ["POST /containers/box-mine/start", ""],
    ["GET /version", ""],
    ["GET /containers/json", ""],
  ])("%s is refused as an upgrade", (line, body) => {
    expect(refusal(line, body, upgrade).rule).toBe("framing.upgrade");
  });
});

test.each([
  [
    "1.23",
    "client version 1.23 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version",
  ],
  ["1.42", "client version 1.42 is too new. Maximum supported API version is 1.41"],
])("the API version %s is refused in Docker's words", (version, message) => {
  expect(refusal(`GET /v${version}/version`)).toMatchObject({ status: 400, message });
});

test("an answer about the engine tells only that it is Linux and no swarm", () => {
  const decision = decided("GET /info");
  expect(decision.kind === "answer" && serializeJson(decision.body)).toContain('"ControlAvailable":false');
});

test("a fact that is missing is asked for, one after the other, and nothing is decided before", () => {
  const asked: unknown[] = [];
  let facts = {
    ...knownFacts,
    exec: (each: string) => ({ known: false, question: { kind: "exec", id: each } }) as const,
    container: (reference: string) => ({ known: false, question: { kind: "container", reference } }) as const,
  } satisfies typeof knownFacts as typeof knownFacts;
  const line = request(`GET /exec/${exec}/json`);
  for (const next of ["exec", "container"] as const) {
    const decision = decide(line, openPolicy, facts);
    asked.push(decision.kind === "ask" ? decision.questions : decision);
    facts = { ...facts, [next]: knownFacts[next] };
  }
  expect(asked).toEqual([[{ kind: "exec", id: exec }], [{ kind: "container", reference: id }]]);
  expect(decide(line, openPolicy, facts).kind).toBe("forward");
});

test("a container that carries the label without the value, or with another, is somebody else's", () => {
  for (const labels of [
    {},
    { "sandbox-deploy.guard": "" },
    { "sandbox-deploy.guard": "TEST" },
    { "Sandbox-deploy.guard": "test" },
  ]) {
    const facts = { ...knownFacts, container: () => ({ known: true, value: { ...mine, labels } }) as const };
    expect(decide(request("GET /containers/box-mine/json"), openPolicy, facts)).toMatchObject({
      kind: "deny",
      status: 404,
    });
  }
});

test("an id from the engine that is none is never put into a path", () => {
  const facts = { ...knownFacts, container: () => ({ known: true, value: { ...mine, id: "../images" } }) as const };
  expect(decide(request("GET /containers/box-mine/json"), openPolicy, facts)).toMatchObject({
    kind: "deny",
    status: 502,
  });
});

test("a refusal names its route, the field and the rule, and shows no more of the request than it has to", () => {
  const deny = refusal("POST /containers/box-mine/stop?t=5", `{"${"x".repeat(200)}":1}`);
  expect(deny.notes).toMatchObject({ route: "container.stop" });
  expect(deny.message.length).toBeLessThan(200);
});
