import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import type { Verdict } from "../../src/core/doctor/check.ts";
import { judgeFirewall, openLivePorts, openPorts } from "../../src/core/doctor/firewall-check.ts";
import { judgeProxies, proxyFor, shellProxies, shownProxy } from "../../src/core/doctor/proxy-check.ts";
import { judgeNames, judgeRegistries, registriesOf, registryUrls } from "../../src/core/doctor/registry-check.ts";
import { portState } from "../../src/shell/observe/port-state.ts";
import { container } from "../core/plan/plan-facts.ts";
import { modelOf } from "../support/granted.ts";

const found = ({ problems }: Verdict) => problems.map(({ severity, code }) => `${severity} ${code}`);

describe("registries", () => {
  test("are those of images that are pulled, and Docker Hub where anything is built", () => {
    const services = { a: { image: "ghcr.io/a/b" }, b: { build: { context: "/x" } }, off: { image: "quay.io/c" } };
    expect(registriesOf(modelOf({ services }), ["off"])).toEqual(["docker.io", "ghcr.io"]);
    expect(registriesOf(modelOf({ services: { a: services.a } }), [])).toEqual(["ghcr.io"]);
  });

  test("are asked where the engine finds them", () => {
    expect(registryUrls(["docker.io", "127.0.0.1:5000"], ["https://mirror.example/"])).toEqual([
      "https://mirror.example/v2/",
      "https://registry-1.docker.io/v2/",
      "http://127.0.0.1:5000/v2/",
    ]);
    expect(registryUrls(["ghcr.io"], ["https://mirror.example/"])).toEqual(["https://ghcr.io/v2/"]);
  });

  const answer = { url: "https://ghcr.io/v2/", proxy: undefined, status: 401, problem: undefined };
  test.each([
    ["wants a login", answer, []],
    ["is broken", { ...answer, status: 502 }, ["warning D214"]],
    ["does not answer", { ...answer, status: undefined, problem: "ECONNREFUSED" }, ["warning D214"]],
    ["is behind a proxy that refuses", { ...answer, proxy: "http://p", status: 407 }, ["warning D214"]],
  ])("one that %s", (_case, given, expected) => expect(found(judgeRegistries([given]))).toEqual(expected));

  test("whose names are not found are told with who was asked", () => {
    const good = { name: "ghcr.io", addresses: ["10.0.0.1"] };
    expect(found(judgeNames([good], []))).toEqual([]);
    const { problems } = judgeNames([good, { name: "quay.io", addresses: [], problem: "exit 2" }], ["10.0.0.2"]);
    expect(problems).toMatchObject([
      { code: "D213", evidence: ["getent ahosts quay.io: exit 2", "/etc/resolv.conf asks 10.0.0.2"] },
    ]);
  });
});

describe("proxies", () => {
  const none = { http: "", https: "", no: "" };
  const set = { http: "http://proxy:3128", https: "http://proxy:3128", no: "localhost,127.0.0.1" };

  test.each([
    ["none", { shell: none, engine: none, containers: none }, []],
    ["in shell and engine", { shell: set, engine: set, containers: none }, []],
    ["in the shell, of an engine that does not answer", { shell: set, engine: undefined, containers: none }, []],
    ["only in the shell", { shell: set, engine: none, containers: none }, ["warning D215"]],
    ["with this machine behind it", { shell: { ...set, no: "" }, engine: set, containers: none }, ["warning D215"]],
    ["in every container", { shell: none, engine: none, containers: { ...set, no: "db" } }, ["warning D215"]],
    ["for encrypted requests only", { shell: { ...set, http: "", no: "" }, engine: set, containers: none }, []],
  ])("%s", (_case, facts, expected) => expect(found(judgeProxies(facts))).toEqual(expected));

  test("are shown without their passwords", () => {
    const shell = { ...set, http: "http://ann:geheim@proxy:3128", https: "ann:geheim@proxy:3128", no: "" };
    const { problems } = judgeProxies({ shell, engine: none, containers: none });
    expect(problems).toHaveLength(2);
    expect(JSON.stringify(problems)).not.toContain("geheim");
    expect(shownProxy("http://ann:geheim@proxy:3128")).toBe("http://proxy:3128");
  });

  test("are read in both spellings", () => {
    expect(shellProxies({ http_proxy: "a", HTTP_PROXY: "b", HTTPS_PROXY: "c", no_proxy: "d" })).toEqual({
      ...{ http: "a", https: "c", no: "d" },
    });
  });

  test.each([
    ["ghcr.io", "", "http://proxy:3128"],
    ["ghcr.io:443", "ghcr.io", undefined],
    ["a.example.org", ".example.org", undefined],
    ["a.example.org", "example.org, other", undefined],
    ["notexample.org", "example.org", "http://proxy:3128"],
    ["ghcr.io", "*", undefined],
    ["127.0.0.1:5000", "", undefined],
  ])("%s with the exceptions %j goes through %s", (host, no, expected) =>
    expect(proxyFor({ ...set, no }, "https", host)).toBe(expected),
  );
});

describe("the firewall", () => {
  const open = [{ service: "proxy", address: "0.0.0.0", port: "2026" }];
  const returns = ["-A DOCKER-USER -j RETURN"];

  test.each([
    ["nothing open", { open: [], active: ["ufw"], dockerUser: returns }, []],
    ["no firewall", { open, active: [], dockerUser: returns }, []],
    ["ufw, which Docker goes past", { open, active: ["ufw"], dockerUser: returns }, ["warning D216"]],
    ["firewalld, seen by no root", { open, active: ["firewalld"], dockerUser: undefined }, ["warning D216"]],
    [
      "rules where Docker looks",
      { open, active: ["ufw"], dockerUser: ["-A DOCKER-USER -i eth0 -j DROP", ...returns] },
      [],
    ],
    [
      "ufw's own rules where Docker looks",
      { open, active: ["ufw"], dockerUser: ["-A DOCKER-USER -j ufw-user-forward"] },
      [],
    ],
  ])("%s", (_case, facts, expected) => expect(found(judgeFirewall(facts))).toEqual(expected));

  test("concerns ports that others can reach, of the files and of what runs", () => {
    const ports = [
      { target: 80, published: "2026", host_ip: "127.0.0.1" },
      { target: 81, published: "2027" },
      { target: 82, published: "2028", host_ip: "10.0.0.1" },
      { target: 83 },
    ];
    const model = modelOf({ services: { a: { image: "x", ports }, off: { image: "x", ports } } });
    expect(openPorts(model, ["off"]).map(({ address, port }) => `${address}:${port}`)).toEqual([
      "0.0.0.0:2027",
      "10.0.0.1:2028",
    ]);
    const bindings = {
      "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "1" }],
      "81/tcp": [{ HostIp: "0.0.0.0", HostPort: "2" }],
    };
    const live = container("app", { network: { Networks: {}, Ports: bindings } });
    expect(openLivePorts([live])).toEqual([{ service: "app", address: "0.0.0.0", port: "2" }]);
  });
});

test("the program that has a port is named on one line, whatever it calls itself", async () => {
  const program = `process.title = "a\\nb\\u001b[2J"; require("node:net").createServer().listen(0, "127.0.0.1", function () {
    console.log(this.address().port);
  })`;
  const child = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const [port] = await once(child.stdout, "data");
    const { owner } = await portState("127.0.0.1", Number(port)).then((state) => ({ owner: "", ...state }));
    expect(owner).toBe(`a\\x0ab\\x1b[2J (process ${child.pid})`);
  } finally {
    child.kill();
  }
});
