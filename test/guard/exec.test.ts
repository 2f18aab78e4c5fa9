import { describe, expect, test } from "vitest";
import type { BodyDecision } from "../../src/guard/decision/body-decision.ts";
import { decideExec, execRules } from "../../src/guard/model/exec-create.ts";
import type { Policy } from "../../src/guard/policy/policy.ts";
import { serializeJson } from "../../src/guard/request/json.ts";
import { bodyOf, policyOf, roomy, roomyText, ruleOf } from "./support/create-world.ts";

const cli20 =
  '{"User":"1:1","Privileged":false,"Tty":true,"AttachStdin":true,"AttachStderr":true,"AttachStdout":true,"Detach":false,"DetachKeys":"","Env":["A=b"],"WorkingDir":"/tmp","Cmd":["sh"]}\n';
const cli28 =
  '{"User":"1:1","Privileged":false,"Tty":true,"ConsoleSize":[0,0],"AttachStdin":true,"AttachStderr":true,"AttachStdout":true,"Detach":false,"DetachKeys":"","Env":["A=b"],"WorkingDir":"/tmp","Cmd":["sh"]}\n';
const dockerPy =
  '{"Container": "c1", "User": "", "Privileged": false, "Tty": false, "AttachStdin": false, "AttachStdout": true, "AttachStderr": true, "Cmd": ["id"], "Env": ["A=b"], "WorkingDir": "/"}';

function decide(body: unknown, policy: Policy = roomy): BodyDecision {
  return decideExec(bodyOf(body), policy);
}

function sent(body: unknown): unknown {
  const decision = decide(body);
  return decision.kind === "send" ? JSON.parse(serializeJson(decision.body)) : decision;
}

const shell = {
  AttachStdin: true,
  AttachStdout: true,
  AttachStderr: true,
  Tty: true,
  Cmd: ["sh"],
  Env: ["A=b"],
  User: "1:1",
  WorkingDir: "/tmp",
};

test.each([
  ["the docker command 20.10", cli20, shell],
  ["the docker command 28", cli28, shell],
  ["docker-py", dockerPy, { AttachStdout: true, AttachStderr: true, Cmd: ["id"], Env: ["A=b"], WorkingDir: "/" }],
])("what %s sends goes through as what was understood of it", (_client, body, expected) => {
  expect(sent(body)).toEqual(expected);
});

test("variables are noted by name", () => {
  const decision = decide({ Cmd: ["x"], Env: ["TOKEN=secret-value"] });
  expect(decision).toMatchObject({ kind: "send", notes: { environmentNames: ["TOKEN"] } });
  expect(decision.kind === "send" && JSON.stringify(decision.notes)).not.toContain("secret-value");
});

describe("refused", () => {
  test.each([
    [{ Cmd: ["x"], Privileged: true }, "exec.privileged"],
    [{ Cmd: ["x"], Privileged: "true" }, "exec.privileged"],
    [{ Cmd: ["x"], privileged: true }, "exec.unknown-field"],
    [{ Cmd: ["x"], privileged: false }, "exec.unknown-field"],
    [{ Cmd: ["x"], HostConfig: {} }, "exec.unknown-field"],
    [{ cmd: ["x"] }, "exec.unknown-field"],
    [{}, "exec.no-command"],
    [{ Cmd: [] }, "exec.no-command"],
    [{ Cmd: null }, "exec.no-command"],
    [{ Cmd: ["x\0"] }, "body.nul"],
    [{ Cmd: [1] }, "body.type"],
    [{ Cmd: ["x"], Tty: 1 }, "body.type"],
    [{ Cmd: ["x"], WorkingDir: "/proc/self/fd/8" }, "config.working-dir"],
    [{ Cmd: ["x"], WorkingDir: "x" }, "config.working-dir"],
    [{ Cmd: ["x"], Env: ["NVIDIA_VISIBLE_DEVICES=all"] }, "env.devices"],
    [{ Cmd: ["x"], Env: ["=x"] }, "env.name"],
    [{ Cmd: ["x"], User: "a b" }, "config.user"],
    [{ Cmd: ["x"], DetachKeys: "ctrl-p;x" }, "exec.detach-keys"],
    [{ Cmd: ["x"], ConsoleSize: [1, 2, 3] }, "console-size"],
  ])("%j: %s", (body, rule) => {
    expect(ruleOf(decide(body))).toBe(rule);
  });

  test("every field but one is read, and that one is refused with any value", () => {
    expect([...execRules].flatMap(([name, { kind }]) => (kind === "read" ? [] : [name]))).toEqual(["Privileged"]);
    const documented =
      "AttachStderr AttachStdin AttachStdout Cmd ConsoleSize DetachKeys Env Privileged Tty User WorkingDir";
    expect(documented.split(" ").filter((name) => !execRules.has(name))).toEqual([]);
  });
});

test("a user is one of the policy's; without one it is the container's, which was judged before", () => {
  const policy = policyOf(`${roomyText}users: '65534'\n`);
  const outcomes = ["", "65534", "0", "root"].map((User) => ruleOf(decide({ Cmd: ["x"], User }, policy)));
  expect(outcomes).toEqual(["send", "send", "config.user", "config.user"]);
});
