import { createServer, type Server } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { judgeCluster, neededRights, rightText } from "../../src/core/doctor/cluster-check.ts";
import { outside, parseKubeconfig } from "../../src/core/doctor/kubeconfig.ts";
import { type ClusterWorld, readCluster } from "../../src/shell/doctor/cluster.ts";
import { createFiles } from "../../src/shell/files/files.ts";
import { httpRequest } from "../../src/shell/network/http-request.ts";
import { plainTasks } from "../../src/terminal/plain-tasks.ts";
import { createReporter } from "../../src/terminal/reporter.ts";
import { stoppedClock } from "../cli/support/stopped-clock.ts";

const token = "sentinel-token-of-a-cluster";

/** A kubeconfig of one context. */
function kubeconfig(server: string, user: Record<string, unknown> = { token }, cluster: Record<string, unknown> = {}) {
  return JSON.stringify({
    ...{ apiVersion: "v1", kind: "Config", "current-context": "it" },
    contexts: [{ name: "it", context: { cluster: "c", user: "u" } }],
    clusters: [{ name: "c", cluster: { server, ...cluster } }],
    users: [{ name: "u", user }],
  });
}

interface Api {
  readonly server: Server;
  readonly url: string;
  /** What may be done, as `verb resource namespace`. */
  readonly allowed: Set<string>;
  silent: boolean;
}

/** An API server that knows a version, one token, and what may be done with it. */
async function startApi(): Promise<Api> {
  const allowed = new Set<string>();
  const server = createServer(async (request, response) => {
    if (api.silent) return;
    if (request.url === "/version") return void response.end('{"major":"1"}');
    if (request.headers.authorization !== `Bearer ${token}`) return void response.writeHead(401).end("{}");
    let body = "";
    for await (const chunk of request) body += chunk;
    const { verb, resource, namespace = "" } = JSON.parse(body).spec.resourceAttributes;
    response
      .writeHead(201)
      .end(JSON.stringify({ status: { allowed: allowed.has(`${verb} ${resource} ${namespace}`) } }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port was given");
  const api: Api = { server, url: `http://127.0.0.1:${address.port}`, allowed, silent: false };
  return api;
}

let api: Api;
beforeEach(async () => {
  api = await startApi();
});
afterEach(async () => {
  api.server.closeAllConnections();
  await new Promise((resolve) => api.server.close(resolve));
});

/** The world of a machine on which only this kubeconfig lies. Time passes when nothing else is left to do. */
function worldWith(text: string | undefined, parts: Partial<ClusterWorld> = {}): ClusterWorld {
  const silent = {
    stdout: () => undefined,
    stderr: () => undefined,
    json: false,
    color: false,
    columns: () => undefined,
  };
  return {
    signal: new AbortController().signal,
    files: { ...createFiles(), read: async (path) => (path === "/kube/config" ? text : undefined) },
    home: "/home/ann",
    env: {},
    reporter: createReporter(silent, plainTasks(false, stoppedClock), undefined),
    sleep: (milliseconds, signal) => sleep(milliseconds, undefined, { ...(signal ? { signal } : {}) }),
    http: httpRequest,
    run: async () => ({ exitCode: 127, stdout: "", stderr: "", missing: true }),
    ...parts,
  };
}

const place = { path: "/kube/config", namespace: "sandboxes", otherServer: "https://host.docker.internal:6443" };
const needed = ["create pods sandboxes", "get pods sandboxes", "delete pods sandboxes", "create services sandboxes"];

async function problemsWith(text: string, parts: Partial<ClusterWorld> = {}, where = place): Promise<string[]> {
  const facts = await readCluster(worldWith(text, parts), 20, where);
  if (facts === undefined) throw new Error("there is a kubeconfig");
  expect(JSON.stringify(facts)).not.toContain(token);
  return judgeCluster(facts).problems.map(({ severity, code }) => `${severity} ${code}`);
}

describe("a cluster", () => {
  test("in which the provisioner may do what it needs, and no more, is healthy", async () => {
    for (const right of needed) api.allowed.add(right);
    expect(await problemsWith(kubeconfig(api.url))).toEqual([]);
  });

  test("in which it may not is an error that names what is missing", async () => {
    for (const right of needed.slice(1)) api.allowed.add(right);
    const facts = await readCluster(worldWith(kubeconfig(api.url)), 20, place);
    expect(facts && judgeCluster(facts).problems).toMatchObject([
      { code: "D220", severity: "error", evidence: ["may not create pods in the namespace sandboxes"] },
    ]);
  });

  test("in which it may do anything is a warning that names it", async () => {
    for (const right of [...needed, "* * ", "get secrets "]) api.allowed.add(right);
    const facts = await readCluster(worldWith(kubeconfig(api.url)), 20, place);
    expect(facts && judgeCluster(facts).problems).toMatchObject([
      {
        ...{ code: "D221", severity: "warning" },
        evidence: ["may do anything with everything in every namespace", "may get secrets in every namespace"],
      },
    ]);
  });

  test("that does not know the credentials answers, and its rights are unknown", async () => {
    const facts = await readCluster(worldWith(kubeconfig(api.url, { token: "another" })), 20, place);
    expect(facts?.rightsUnknown).toContain("401");
    expect(facts && judgeCluster(facts).problems).toEqual([]);
  });

  test("that refuses connections is D218", async () => {
    expect(await problemsWith(kubeconfig("http://127.0.0.1:1"))).toEqual(["error D218"]);
  });

  test("that hangs is D218 at its deadline", async () => {
    api.silent = true;
    // The time of the deadline is passed at once: only the order of events decides.
    const facts = await readCluster(worldWith(kubeconfig(api.url), { sleep: async () => undefined }), 9, place);
    expect(facts?.unreachable).toBe("no answer within 9 seconds");
  });

  test("on this machine needs another address in the container", async () => {
    for (const right of needed) api.allowed.add(right);
    expect(await problemsWith(kubeconfig(api.url), {}, { ...place, otherServer: "" })).toEqual([]);
    const facts = await readCluster(worldWith(kubeconfig(api.url)), 20, { ...place, otherServer: undefined });
    const [problem] = facts ? judgeCluster(facts).problems : [];
    expect(problem?.code).toBe("D219");
    expect(problem?.fix).toContain(`K8S_API_SERVER=${api.url.replace("127.0.0.1", "host.docker.internal")} `);
  });
});

describe("a kubeconfig", () => {
  test("that is not there is somebody else's to tell", async () => {
    expect(await readCluster(worldWith(undefined), 20, place)).toBeUndefined();
  });

  test.each([
    ["is no YAML", "{", "it is no kubeconfig"],
    ["is empty", "{}", "it names no current-context"],
    ["names a context that it lacks", '{"current-context": "x"}', "its current-context x is not among its contexts"],
    ["has no server", kubeconfig(""), "its cluster c has no server"],
    ["has a server that is no address", kubeconfig("not a url"), "the server of its cluster c is no address"],
  ])("that %s is D219", async (_case, text, problem) => {
    expect(parseKubeconfig(text)).toEqual({ problem });
    expect(await problemsWith(text)).toEqual(["error D219"]);
  });

  test("that needs other files and programs tells which", () => {
    const user = { exec: { command: "aws" }, "client-key": "key.pem" };
    const access = parseKubeconfig(kubeconfig("https://c", user, { "certificate-authority": "ca.pem" }));
    expect("problem" in access ? [] : outside(access)).toEqual([
      ...["the file ca.pem", "the file key.pem", "the program aws"],
    ]);
  });

  test("whose credentials come from a program is asked through kubectl", async () => {
    const asked: string[] = [];
    const run: ClusterWorld["run"] = async ({ program, args }) => {
      asked.push([program, ...args].join(" "));
      const yes = needed.some((right) => `${args.slice(4, 6).join(" ")} ${args.at(-1)}` === right);
      return { exitCode: yes ? 0 : 1, stdout: yes ? "yes\n" : "no\n", stderr: "", missing: false };
    };
    const text = kubeconfig(api.url, { exec: { command: "aws" } });
    expect(await problemsWith(text, { run })).toEqual(["warning D219"]);
    expect(asked).toContain("kubectl --kubeconfig /kube/config auth can-i create pods --namespace sandboxes");
    expect(asked).toContain("kubectl --kubeconfig /kube/config auth can-i * * --all-namespaces");
  });

  test("that does not look at certificates is a warning", async () => {
    for (const right of needed) api.allowed.add(right);
    expect(await problemsWith(kubeconfig(api.url, { token }, { "insecure-skip-tls-verify": true }))).toEqual([
      "warning D219",
    ]);
  });
});

test("rights are said in words", () => {
  expect(neededRights("x").map(rightText)[0]).toBe("create pods in the namespace x");
});
