import { describe, expect, test } from "vitest";
import { containerName, containerSpec } from "../../src/gateway/container-spec.ts";
import { createRules, decideCreate } from "../../src/guard/model/container-create.ts";
import { serializeJson } from "../../src/guard/request/json.ts";
import {
  bodyOf,
  create,
  factsOf,
  imageId,
  jsonOf,
  policyOf,
  preset,
  recordedBody,
  rewritesOf,
  roomy,
  roomyText,
  ruleOf,
  sentBody,
  unknownFacts,
  withHost,
} from "./support/create-world.ts";

const plain = { Image: "team/sandbox:1" };

describe("what real clients send", () => {
  test.each([
    ["cli-20.10-plain", undefined, "roomy"],
    ["cli-20.10-options", "box-1", "roomy"],
    ["cli-28-plain", undefined, "roomy"],
    ["cli-28-options", "box-1", "roomy"],
    ["docker-py-7.1-plain", undefined, "roomy"],
    ["docker-py-7.1-options", "box-2", "roomy"],
    ["docker-py-7.1-more", undefined, "roomy"],
    ["deer-flow-cli-20.10", "deer-flow-sandbox-0123456789abcdef", "deer-flow"],
    ["deer-flow-cli-28", "deer-flow-sandbox-0123456789abcdef", "deer-flow"],
    ["deer-flow-hardened-cli-20.10", "deer-flow-sandbox-0123456789abcdef", "deer-flow"],
    ["deer-flow-hardened-cli-28", "deer-flow-sandbox-0123456789abcdef", "deer-flow"],
    ["openhands", "oh-agent-server-2Xb7JmPq9sTuVw3Yz5AcEf", "openhands"],
  ])("%s goes through as what was understood of it", (recorded, name, policyName) => {
    const body = recordedBody(recorded);
    const policy = policyName === "roomy" ? roomy : withoutSecret(preset(policyName));
    // The Lark integration is off in the preset; its mounts are the last three.
    const wanted = recorded.startsWith("deer-flow-cli") ? withoutLark(body) : body;
    const decision = decideCreate(name, bodyOf(wanted), policy, factsOf({ policy }));
    expect(sentBody(decision)).toMatchSnapshot("sent");
    expect(decision.kind === "send" && decision.notes).toMatchSnapshot("notes");
  });

  test("the gateway of this project gets what it asks for with the default policy", () => {
    const policy = preset("default");
    const settings = {
      project: "agents",
      image: "sandbox-deploy/sandbox:0.1.0",
      memoryBytes: 512 * 1024 ** 2,
      cpus: 1,
      pids: 128,
      network: "none",
    };
    const run = { id: "0123456789abcdef", language: "bash", code: "echo hi", timeoutSeconds: 5 } as const;
    const name = containerName(settings.project, run.id);
    const decision = decideCreate(name, bodyOf(containerSpec(settings, run, 1)), policy, factsOf({ policy }));
    expect(sentBody(decision)).toMatchSnapshot();
    // What it says nothing of. All that it does say is left as it is.
    expect(rewritesOf(decision).map((line) => line.split(":")[0])).toEqual([
      "HostConfig.CgroupnsMode",
      "HostConfig.IpcMode",
      "HostConfig.ShmSize",
    ]);
  });

  test("the secret of DeerFlow's Lark integration is refused until the operator writes it into the policy", () => {
    const policy = preset("deer-flow");
    const decision = decideCreate(
      "deer-flow-sandbox-0123456789abcdef",
      bodyOf(recordedBody("deer-flow-cli-28")),
      policy,
      factsOf({ policy }),
    );
    expect(decision).toMatchObject({ kind: "deny", rule: "bind.not-allowed", status: 403 });
  });
});

/** The profile is a page; that it is sent is tested elsewhere. */
function withoutSecret(policy: typeof roomy): typeof roomy {
  return { ...policy, seccomp: policy.seccomp === undefined ? undefined : '{"defaultAction":"SCMP_ACT_ERRNO"}' };
}

function withoutLark(text: string): unknown {
  const body = JSON.parse(text);
  body.HostConfig.Mounts = body.HostConfig.Mounts.filter(
    ({ Target }: { Target: string }) => !Target.startsWith("/mnt/integrations"),
  );
  return body;
}

describe("the top level", () => {
  const refused = [...createRules].flatMap(([name, rule]) => (rule.kind === "refused" ? [name] : []));

  test("has a rule for every field that the API has had from 1.24 on", () => {
    const documented =
      "ArgsEscaped AttachStderr AttachStdin AttachStdout Cmd Domainname Entrypoint Env ExposedPorts Healthcheck " +
      "HostConfig Hostname Image Labels MacAddress NetworkDisabled NetworkingConfig OnBuild OpenStdin Shell StdinOnce " +
      "StopSignal StopTimeout Tty User Volumes WorkingDir";
    expect(documented.split(" ").filter((name) => !createRules.has(name))).toEqual([]);
  });

  test.each(refused)("%s is refused with a value, and passed over without one", (name) => {
    for (const value of ["x", 1, true, ["x"], { x: 1 }]) {
      expect(create({ ...plain, [name]: value }).kind).toBe("deny");
    }
    for (const nothing of [null, "", 0, false, [], {}]) {
      const sent = sentBody(create({ ...plain, [name]: nothing }));
      expect(sent).not.toHaveProperty(name);
    }
  });

  test.each([
    ["Memory", "config.memory"],
    ["MacAddress", "config.mac-address"],
    ["Runtime", "config.runtime"],
  ])("%s names the rule %s", (name, rule) => {
    expect(ruleOf(create({ ...plain, [name]: "x" }))).toBe(rule);
  });

  test.each([
    "hostConfig",
    "HOSTCONFIG",
    "image",
    "Privileged",
    "Binds",
    "NetworkMode",
    "CapAdd",
    "Mounts",
    "x",
    "",
    "__proto__",
    "constructor",
  ])("%j is refused there, whatever its value", (name) => {
    for (const value of [null, false, {}, true]) {
      const body = new Map([...bodyOf(plain), [name, jsonOf(value)]]);
      const decision = decideCreate("box-1", body, roomy, factsOf());
      expect(decision).toMatchObject({ kind: "deny", rule: "config.unknown-field", status: 400 });
    }
  });

  test("a HostConfig is always sent, so that no engine takes the top level for one", () => {
    for (const body of [plain, { ...plain, HostConfig: null }, { ...plain, HostConfig: {} }]) {
      expect(sentBody(create(body)).HostConfig).toMatchObject({ CapDrop: ["ALL"] });
    }
  });

  test.each([
    ["HostConfig", []],
    ["HostConfig", "x"],
    ["Labels", []],
    ["Env", { A: "b" }],
    ["Env", [1]],
    ["Env", [null]],
    ["Cmd", 1],
    ["Cmd", [["sh"]]],
    ["Tty", "true"],
    ["Tty", 1],
    ["StopTimeout", "5"],
    ["Image", ["team/sandbox:1"]],
    ["Volumes", ["/x"]],
    ["NetworkingConfig", "x"],
    ["Healthcheck", "x"],
    ["ExposedPorts", [80]],
  ])("%s has its type: %j is refused", (name, value) => {
    expect(create({ ...plain, [name]: value })).toMatchObject({ kind: "deny", rule: "body.type", status: 400 });
  });

  test.each([
    ["Env", ["A=b\0c"]],
    ["Cmd", ["a\0"]],
    ["User", "1\0"],
    ["WorkingDir", "/a\0"],
  ])("%s has no NUL in it", (name, value) => {
    expect(ruleOf(create({ ...plain, [name]: value }))).toBe("body.nul");
  });
});

describe("names", () => {
  test.each([
    ["box-1", "send"],
    ["box-1\n", "name.not-allowed"],
    ["/box-1", "name.not-allowed"],
    ["xbox-1", "name.not-allowed"],
    ["box-", "name.not-allowed"],
    ["", "name.not-allowed"],
    ["box-" + "a".repeat(200), "name.not-allowed"],
  ])("%j: %s", (name, outcome) => {
    expect(ruleOf(create(plain, {}, name))).toBe(outcome);
  });

  test("a container without a name needs a policy that allows it", () => {
    const strict = policyOf(roomyText.replace("unnamed: true", ""));
    expect(ruleOf(decideCreate(undefined, bodyOf(plain), roomy, factsOf()))).toBe("send");
    expect(ruleOf(decideCreate(undefined, bodyOf(plain), strict, factsOf()))).toBe("name.missing");
  });

  test("a name that could be the id of another container is refused whatever the policy says", () => {
    const policy = policyOf(roomyText.replace("box-[a-z0-9]+", "[a-z0-9-]+"));
    expect(ruleOf(create(plain, { policy }, "0123456789ab"))).toBe("name.like-an-id");
    expect(ruleOf(create(plain, { policy }, "0123456789a"))).toBe("send");
  });

  test("a hostname is a name on the network too", () => {
    expect(sentBody(create({ ...plain, Hostname: "box-2" })).Hostname).toBe("box-2");
    expect(ruleOf(create({ ...plain, Hostname: "gateway" }))).toBe("config.hostname");
  });
});

describe("images", () => {
  test.each(["team/sandbox:1", "docker.io/team/sandbox:1", "index.docker.io/team/sandbox:1"])(
    "%s is sent as it was written",
    (image) => {
      expect(sentBody(create({ Image: image })).Image).toBe(image);
    },
  );

  test.each([
    "team/sandbox",
    "team/sandbox:2",
    "team/sandbox:1@sha256:" + "1".repeat(64),
    "sandbox:1",
    "evil/sandbox:1",
    "registry.example/team/sandbox:1",
    imageId,
    jsonOf,
    "1".repeat(64),
    "111111111111",
    "TEAM/sandbox:1",
    " team/sandbox:1",
    "",
  ])("%j is refused", (image) => {
    expect(create({ Image: image })).toMatchObject({ kind: "deny", rule: "image.not-allowed", status: 403 });
  });

  test("a body without one is refused", () => {
    expect(ruleOf(create({}))).toBe("image.not-allowed");
  });

  test("one that is missing gets Docker's own words, by which clients know to pull it", () => {
    expect(create(plain, { image: undefined })).toMatchObject({
      kind: "deny",
      rule: "image.missing",
      status: 404,
      message: "No such image: team/sandbox:1",
    });
    const policy = policyOf(roomyText.replace("team/sandbox:1", "python"));
    expect(create({ Image: "python" }, { policy, image: undefined })).toMatchObject({
      message: "No such image: python:latest",
    });
  });

  test("a tag that means another image than at the start is refused, and so is one that meant nothing then", () => {
    expect(ruleOf(create(plain, { image: `sha256:${"2".repeat(64)}` }))).toBe("image.retagged");
    expect(ruleOf(create(plain, { pinned: undefined }))).toBe("image.unpinned");
  });
});

describe("how many", () => {
  test.each([
    [4, 9, "send", undefined],
    [5, 0, "limit.sandboxes", 429],
    [50, 0, "limit.sandboxes", 429],
    [0, 10, "limit.creates", 429],
  ])("with %i alive and %i created in the last minute: %s", (alive, createdLastMinute, outcome, status) => {
    const decision = create(plain, { alive, createdLastMinute });
    expect(ruleOf(decision)).toBe(outcome);
    expect(decision.kind === "deny" ? decision.status : undefined).toBe(status);
  });
});

describe("what has to be known first", () => {
  const binds = { ...plain, HostConfig: { Binds: ["/srv/data/a:/a", "/srv/data/b:/b"] } };

  test("is asked all at once", () => {
    const decision = decideCreate("box-1", bodyOf(binds), roomy, unknownFacts());
    expect(decision.kind === "ask" && decision.questions.map((question) => JSON.stringify(question)).sort()).toEqual(
      [
        '{"kind":"path","path":"/srv/data"}',
        '{"kind":"path","path":"/srv/data"}',
        '{"kind":"path","path":"/srv/data/a"}',
        '{"kind":"path","path":"/srv/data/b"}',
        '{"kind":"image","reference":"team/sandbox:1"}',
        '{"kind":"sandboxes"}',
      ].sort(),
    );
  });

  test("is not asked for a body that is refused anyway, and never of a path or image that the policy does not name", () => {
    for (const body of [
      withHost({ Privileged: true, Binds: ["/srv/data/a:/a"] }),
      withHost({ Binds: ["/etc:/a"] }),
      withHost({ Binds: ["/srv/data/../../etc:/a"] }),
      { Image: "evil" },
    ]) {
      const decision = decideCreate("box-1", bodyOf(body), roomy, unknownFacts());
      const asked = decision.kind === "ask" ? JSON.stringify(decision.questions) : "";
      expect(asked).not.toContain("etc");
      expect(asked).not.toContain("evil");
    }
    expect(ruleOf(decideCreate("box-1", bodyOf(withHost({ Privileged: true })), roomy, unknownFacts()))).toBe(
      "host-config.privileged",
    );
  });
});

describe("labels", () => {
  test("the guard's own is forced, and those of the policy stay", () => {
    expect(sentBody(create({ ...plain, Labels: { "app.run": "x" } })).Labels).toEqual({
      "app.run": "x",
      "sandbox-deploy.guard": "tests",
    });
    expect(sentBody(create(plain)).Labels).toEqual({ "sandbox-deploy.guard": "tests" });
  });

  test.each([
    ["app.Run", "label.not-allowed"],
    ["xapp.run", "label.not-allowed"],
    ["app.run\n", "label.not-allowed"],
    ["sandbox-deploy.project", "label.not-allowed"],
  ])("%j: %s", (name, rule) => {
    expect(ruleOf(create({ ...plain, Labels: { [name]: "x" } }))).toBe(rule);
  });

  test.each([
    "sandbox-deploy.guard",
    "sandbox-deploy.guard-policy".replace("-policy", ".x"),
    "com.docker.compose.project",
    "com.docker.swarm.service.name",
    "desktop.docker.io/ports".replace("desktop.docker.io/", "io.docker."),
    "traefik.enable",
    "traefik.http.routers.x.rule",
    "TRAEFIK.enable",
    "ofelia.enabled",
    "ofelia.job-exec.x.command",
    "chadburn.job-exec.x.command",
    "deck-chores.x.command",
    "com.centurylinklabs.watchtower.lifecycle.pre-update",
    "docker-volume-backup.archive-pre",
    "docker-volume-backup.stop-during-backup",
    "caddy",
    "caddy_0.reverse_proxy",
    "com.github.nginx-proxy.nginx",
    "autoheal",
    "io.kubernetes.pod.name",
    "swarm.cronjob.enable",
  ])("%s is refused even where a policy's pattern is wide", (name) => {
    const policy = policyOf(roomyText.replace("'app\\.[a-z]+'", "'.*'"));
    expect(ruleOf(create({ ...plain, Labels: { "anything-else": "x" } }, { policy }))).toBe("send");
    expect(ruleOf(create({ ...plain, Labels: { [name]: "tests" } }, { policy }))).toBe("label.foreign");
  });
});

describe("what runs", () => {
  test("an empty entrypoint is not the same as none: it replaces the image's", () => {
    expect(sentBody(create({ ...plain, Entrypoint: [], Cmd: null }))).toMatchObject({ Entrypoint: [] });
    expect(sentBody(create({ ...plain, Entrypoint: null }))).not.toHaveProperty("Entrypoint");
    expect(sentBody(create({ ...plain, Entrypoint: [""], Cmd: [""] }))).toMatchObject({ Entrypoint: [""], Cmd: [""] });
    expect(sentBody(create({ ...plain, Entrypoint: "sh", Cmd: "" }))).toMatchObject({ Entrypoint: ["sh"], Cmd: [""] });
  });

  test("variables are noted by name, and their values never", () => {
    const decision = create({ ...plain, Env: ["TOKEN=secret-value", "PATH", "A=b=c"] });
    expect(sentBody(decision).Env).toEqual(["TOKEN=secret-value", "PATH", "A=b=c"]);
    expect(decision.kind === "send" && decision.notes.environmentNames).toEqual(["TOKEN", "PATH", "A"]);
    expect(decision.kind === "send" && JSON.stringify(decision.notes)).not.toContain("secret-value");
  });

  test("no refusal tells the value of a variable", () => {
    for (const body of [
      { ...plain, Env: ["NVIDIA_VISIBLE_DEVICES=secret-value"] },
      { ...plain, Env: ["=secret-value"] },
      { ...plain, Env: ["A=secret-value\0"] },
      { ...plain, Env: ["A=secret-value"], HostConfig: { Privileged: true } },
    ]) {
      const decision = create(body);
      expect(decision.kind).toBe("deny");
      expect(JSON.stringify(decision)).not.toContain("secret-value");
    }
  });

  test.each([
    ["NVIDIA_VISIBLE_DEVICES=all", "env.devices"],
    ["NVIDIA_VISIBLE_DEVICES=0", "env.devices"],
    ["NVIDIA_IMEX_CHANNELS=all", "env.devices"],
    ["AMD_VISIBLE_DEVICES=all", "env.devices"],
    ["NVIDIA_VISIBLE_DEVICES=none", "send"],
    ["NVIDIA_VISIBLE_DEVICES=", "send"],
    ["NVIDIA_API_KEY=x", "send"],
    ["CUDA_VISIBLE_DEVICES=0", "send"],
    ["=x", "env.name"],
  ])("the variable %s: %s", (variable, outcome) => {
    expect(ruleOf(create({ ...plain, Env: [variable] }))).toBe(outcome);
  });

  test.each([
    ["/", "send"],
    ["", "send"],
    ["/srv/app/", "send"],
    ["/proc/self/fd/7", "config.working-dir"],
    ["/proc", "config.working-dir"],
    ["/sys/x", "config.working-dir"],
    ["/dev/fd/8", "config.working-dir"],
    ["/a/../proc/self/fd/7", "config.working-dir"],
    ["//proc/self/fd/7", "config.working-dir"],
    ["/./proc", "config.working-dir"],
    ["work", "config.working-dir"],
  ])("in the directory %j: %s", (directory, outcome) => {
    expect(ruleOf(create({ ...plain, WorkingDir: directory }))).toBe(outcome);
  });

  test("users are those of the policy, and the image's own is one of them only if the pattern matches nothing too", () => {
    const named = policyOf(`${roomyText}users: '65534(?::65534)?'\n`);
    const optional = policyOf(`${roomyText}users: '|1000'\n`);
    const outcome = (policy: typeof roomy, user: string) => ruleOf(create({ ...plain, User: user }, { policy }));
    expect(["65534", "65534:65534", "", "0", "root", "65534:0", "655341"].map((user) => outcome(named, user))).toEqual([
      "send",
      "send",
      ...Array.from({ length: 5 }, () => "config.user"),
    ]);
    expect(["", "1000", "0"].map((user) => outcome(optional, user))).toEqual(["send", "send", "config.user"]);
    expect(["", "0", "root", "www-data:users"].map((user) => outcome(roomy, user))).toEqual(Array(4).fill("send"));
    expect(["a b", "-1", "a\n"].map((user) => outcome(roomy, user))).toEqual(Array(3).fill("config.user"));
  });

  test("a health check runs at most once a second", () => {
    const decision = create({
      ...plain,
      Healthcheck: { Test: ["CMD", "true"], Interval: 1_000_000, Timeout: null, Retries: 3, StartInterval: 1 },
    });
    expect(sentBody(decision).Healthcheck).toEqual({
      Test: ["CMD", "true"],
      Interval: 1e9,
      StartInterval: 1e9,
      Retries: 3,
    });
    expect(rewritesOf(decision)).toContain("Healthcheck.Interval: 1000000 -> 1000000000");
  });

  test.each([
    [{ Test: ["SH", "x"] }],
    [{ Interval: -1 }],
    [{ Timeout: 3601 * 1e9 }],
    [{ Retries: -1 }],
    [{ test: ["CMD", "x"] }],
  ])("the health check %j is refused", (check) => {
    expect(ruleOf(create({ ...plain, Healthcheck: check }))).toBe("config.healthcheck");
  });

  test("a stop waits no longer than the policy says", () => {
    const sent = (timeout: unknown) => sentBody(create({ ...plain, StopTimeout: timeout })).StopTimeout;
    expect([null, 0, 5, 20, 21, -1].map(sent)).toEqual([undefined, 0, 5, 20, 20, 20]);
    const policy = policyOf(roomyText.replace("stopSeconds: 20", "stopSeconds: 3"));
    expect(sentBody(create(plain, { policy })).StopTimeout).toBe(3);
  });

  test.each([
    ["SIGTERM", "send"],
    ["15", "send"],
    ["SIGRTMIN+3", "send"],
    ["", "send"],
    ["TERM; x", "config.stop-signal"],
    ["999", "config.stop-signal"],
  ])("the signal %j: %s", (signal, outcome) => {
    expect(ruleOf(create({ ...plain, StopSignal: signal }))).toBe(outcome);
  });

  test("ports are only named here", () => {
    expect(sentBody(create({ ...plain, ExposedPorts: { "22/tcp": {}, "53/udp": null } })).ExposedPorts).toEqual({
      "22/tcp": {},
      "53/udp": {},
    });
    for (const ports of [{ "1-65535/tcp": {} }, { x: {} }, { "80/tcp": { x: 1 } }]) {
      expect(ruleOf(create({ ...plain, ExposedPorts: ports }))).toBe("config.exposed-ports");
    }
  });
});

describe("the network", () => {
  const endpoint = (fields: unknown, name = "sandboxes") => ({
    ...plain,
    NetworkingConfig: { EndpointsConfig: { [name]: fields } },
  });

  test("nothing of NetworkingConfig is sent", () => {
    for (const name of ["sandboxes", "default", "bridge", "none", ""]) {
      expect(sentBody(create(endpoint({ Aliases: [], IPAMConfig: null }, name)))).not.toHaveProperty(
        "NetworkingConfig",
      );
    }
    expect(sentBody(create({ ...plain, NetworkingConfig: { sandboxes: null } }))).not.toHaveProperty(
      "NetworkingConfig",
    );
  });

  test.each([
    ["Aliases", ["gateway"], "networking-config.aliases"],
    ["DNSNames", ["gateway"], "networking-config.dns-names"],
    ["Links", ["store:store"], "networking-config.links"],
    ["IPAMConfig", { IPv4Address: "172.17.0.9" }, "networking-config.ipam-config"],
    ["IPAddress", "172.17.0.9", "networking-config.ip-address"],
    ["Gateway", "172.17.0.1", "networking-config.gateway"],
    ["MacAddress", "02:42:ac:11:00:02", "networking-config.mac-address"],
    ["DriverOpts", { "com.docker.network.endpoint.sysctls": "x" }, "networking-config.driver-opts"],
    ["GwPriority", 1, "networking-config.gw-priority"],
    ["NetworkID", "x", "networking-config.network-id"],
    ["EndpointID", "x", "networking-config.endpoint-id"],
    ["IPPrefixLen", 8, "networking-config.ip-prefix-len"],
    ["IPv6Gateway", "::1", "networking-config.ipv6-gateway"],
    ["GlobalIPv6Address", "::1", "networking-config.global-ipv6-address"],
    ["GlobalIPv6PrefixLen", 8, "networking-config.global-ipv6-prefix-len"],
    ["aliases", null, "networking-config.unknown-field"],
  ])("an endpoint has no %s", (name, value, rule) => {
    expect(ruleOf(create(endpoint({ [name]: value })))).toBe(rule);
  });

  test.each(["host", "other", "Sandboxes", "container:x"])("no endpoint is on %s", (name) => {
    expect(ruleOf(create(endpoint({}, name)))).toBe("networking-config.network");
  });

  test("other keys are refused", () => {
    for (const config of [{ endpointsConfig: {} }, { sandboxes: { Aliases: ["x"] } }, { host: null }]) {
      expect(ruleOf(create({ ...plain, NetworkingConfig: config }))).toBe("networking-config.unknown-field");
    }
  });
});

describe("volumes without a name", () => {
  test("a path that something is mounted on anyway is passed over, as docker-py repeats it", () => {
    const body = {
      ...plain,
      Volumes: { "/a": {}, "/b/": null },
      HostConfig: { Binds: ["/srv/data/a:/a"], Tmpfs: { "/b": "" } },
    };
    expect(sentBody(create(body))).not.toHaveProperty("Volumes");
  });

  test.each([{ "/c": {} }, { "/a": { x: 1 } }])("%j is refused", (volumes) => {
    const body = { ...plain, Volumes: volumes, HostConfig: { Binds: ["/srv/data/a:/a"] } };
    expect(ruleOf(create(body))).toBe("mount.anonymous");
  });
});

test("what is sent is a new object: it says the same whatever order and spacing the client chose", () => {
  const body = { ...plain, Tty: true, Env: ["A=b"], HostConfig: { Memory: 1e7, Binds: ["/srv/data/a:/a"] } };
  const turned = `{ "HostConfig": { "Binds": ["/srv/data/a:/a"], "Memory": 10000000 }, "Env": ["\\u0041=b"], "Tty": true,\n "Image": "team/sandbox:1" }`;
  const texts = [JSON.stringify(body), turned].map((text) => {
    const decision = create(text);
    return decision.kind === "send" ? serializeJson(decision.body) : decision.kind;
  });
  expect(texts[0]).toBe(texts[1]);
});
