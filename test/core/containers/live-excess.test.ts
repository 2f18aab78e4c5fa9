import { describe, expect, test } from "vitest";
import * as z from "zod";
import type { Container } from "../../../src/core/containers/container.ts";
import {
  excesses,
  excessFindings,
  type Held,
  type Planned,
  reachingHost,
} from "../../../src/core/containers/live-excess.ts";
import { sandboxAllowance } from "../../../src/core/containers/sandbox-allowance.ts";
import { plannedBy } from "../../../src/core/plan/planned.ts";
import { droppedPrivileges, droppedText } from "../../../src/core/privileges/dropped-privileges.ts";
import type { Privilege } from "../../../src/core/privileges/privilege.ts";
import { allEnforced, type EnforcedLimits } from "../../../src/core/stack/limits.ts";
import { containerSpec } from "../../../src/gateway/container-spec.ts";
import { modelOf } from "../../support/granted.ts";
import { containersOf, type InspectedParts, inspected } from "../../support/inspected.ts";

const socket: Privilege = {
  ...{ service: "app", kind: "runtime-socket", detail: "/var/run/docker.sock (rw)", consent: "host-root" },
};
const port: Privilege = { service: "app", kind: "published-port", detail: "127.0.0.1:2026 -> 8080/tcp" };

const hardened = {
  image: "demo:1",
  user: "1000:1000",
  ...{ read_only: true, cap_drop: ["ALL"], cap_add: ["NET_BIND_SERVICE"], security_opt: ["no-new-privileges:true"] },
  ...{ mem_limit: "1048576", memswap_limit: "1048576", cpus: 0.5, pids_limit: 10 },
};
const asPlanned = {
  ...{ ReadonlyRootfs: true, CapDrop: ["ALL"], CapAdd: ["NET_BIND_SERVICE"], SecurityOpt: ["no-new-privileges"] },
  ...{ Memory: 1048576, MemorySwap: 1048576, NanoCpus: 5e8, PidsLimit: 10 },
};
const ofApp = { "com.docker.compose.project": "demo", "com.docker.compose.service": "app" };

function one(parts: InspectedParts, config: Record<string, unknown> = {}): Container {
  const raw = inspected({ labels: ofApp, ...parts });
  const [made] = containersOf({ ...raw, Config: { Image: "demo:1", Labels: ofApp, User: "1000:1000", ...config } });
  if (!made) throw new Error("no container was made");
  return made;
}

interface Parts extends Partial<Planned> {
  readonly service?: Record<string, unknown>;
  readonly images?: ReadonlyMap<string, string>;
}

function plannedOf({ service = {}, images = new Map(), ...rest }: Parts = {}): Planned {
  const planned = plannedBy(modelOf({ services: { app: { ...hardened, ...service } } }), {
    ...{ privileges: [], services: ["app"], images, imageSettings: new Map(), sandbox: undefined },
    verdicts: new Map(),
    ...{ enforced: allEnforced, secrets: rest.secrets ?? [] },
  });
  return { ...planned, ...rest };
}

function found(container: Container, parts: Parts = {}, privileges: readonly Privilege[] = []): string[] {
  return excesses([{ container, privileges }], plannedOf(parts)).map(({ what }) => what);
}

describe("a container of the stack", () => {
  test("that is and has what is planned, or less, goes not beyond the plan", () => {
    expect(found(one({ hostConfig: asPlanned }), { privileges: [socket, port] }, [socket, port])).toEqual([]);
    const less = { ...asPlanned, CapAdd: null, Memory: 4096, MemorySwap: 4096, NanoCpus: 1e8, PidsLimit: 1 };
    expect(found(one({ hostConfig: less }), { privileges: [socket, port] })).toEqual([]);
  });

  test.each<[what: string, host: Record<string, unknown>, config: Record<string, unknown>]>([
    ["runs as root instead of 1000:1000", {}, { User: "" }],
    ["runs as root instead of 1000:1000", {}, { User: "0:0" }],
    ["has the memory limit 2 MiB instead of 1 MiB", { Memory: 2097152 }, {}],
    ["has the memory and swap limit none instead of 1 MiB", { MemorySwap: -1 }, {}],
    ["has the CPU limit none instead of 0.5", { NanoCpus: 0 }, {}],
    ["has the process limit none instead of 10", { PidsLimit: null }, {}],
    ["has a writable root file system", { ReadonlyRootfs: false }, {}],
    ["lacks the security option no-new-privileges", { SecurityOpt: null }, {}],
    ["has capabilities beyond the plan: NET_RAW", { CapAdd: ["NET_RAW", "NET_BIND_SERVICE"] }, {}],
    ["has capabilities beyond the plan: AUDIT_WRITE, CHOWN, DAC_OVERRIDE, FOWNER and 9 more", { CapDrop: null }, {}],
  ])("%s", (what, host, config) => {
    expect(found(one({ hostConfig: { ...asPlanned, ...host } }, config))).toEqual([what]);
  });

  test("of another image than planned is named with both", () => {
    const images = new Map([["demo:1", "sha256:planned"]]);
    expect(found(one({ hostConfig: asPlanned }), { images })).toEqual(["runs the image 1 instead of planned"]);
  });

  test("misses no limit that the kernel cannot enforce", () => {
    const enforced: EnforcedLimits = { ...allEnforced, memoryAndSwap: false };
    const container = one({ hostConfig: { ...asPlanned, MemorySwap: -1 } });
    expect(found(container, { enforced })).toEqual([]);
    expect(found(one({ hostConfig: { ...asPlanned, MemorySwap: 2097152 } }), { enforced })).toHaveLength(1);
  });

  test("of no service, or of one too many, is told", () => {
    const stray = one({ hostConfig: asPlanned }, { Labels: { "com.docker.compose.project": "demo" } });
    expect(found(stray)).toEqual(["belongs to no service of the deployment"]);
    expect(found(one({ hostConfig: asPlanned }), { services: [] })).toEqual([
      "belongs to no service of the deployment",
    ]);
    const two = ["a", "b"].map((Name) => ({
      container: one({ Name: `/${Name}`, hostConfig: asPlanned }),
      privileges: [],
    }));
    expect(excesses(two, plannedOf()).map(({ container, what }) => `${container.name} ${what}`)).toEqual([
      "b is one of 2 containers of app where 1 should be",
    ]);
  });

  test.each<[what: string, privilege: Privilege]>([
    ["another service", { ...socket, service: "proxy" }],
    ["another detail", { ...socket, detail: "/var/run/docker.sock (ro)" }],
    ["another kind", { ...socket, kind: "host-bind" }],
  ])("that holds a planned privilege as %s holds more", (_, privilege) => {
    expect(found(one({ hostConfig: asPlanned }), { privileges: [socket] }, [privilege])).toHaveLength(1);
  });
});

test("only the container that reaches the host is stopped, and each excess names its container and what to do", () => {
  const [good, bad] = ["a", "b"].map((Name) => one({ Name: `/${Name}`, hostConfig: asPlanned }));
  if (!good || !bad) throw new Error("no containers were made");
  const held: Held[] = [
    { container: good, privileges: [port] },
    { container: bad, privileges: [port, socket] },
  ];
  const beyond = excesses(held, plannedOf({ privileges: [port], replicas: new Map() }));
  expect(reachingHost(beyond)).toEqual([bad]);
  expect(
    excessFindings(beyond, [bad]).map(({ code, message, fix }) => `${code} ${message} ${fix?.slice(0, 8)}`),
  ).toEqual(["D072 b holds more than planned: runtime-socket /var/run/docker.sock (rw); it was stopped find out"]);
});

describe("a sandbox", () => {
  const box = (host: Record<string, unknown>) => one({ hostConfig: host }, { Labels: {} });
  const model = (environment: Record<string, string>) => modelOf({ services: { gateway: { environment } } });
  const small = { Memory: 1048576, MemorySwap: 1048576, NanoCpus: 5e8, PidsLimit: 10 };
  const policy = "limits: { memory: 1m, cpus: 0.5, pids: 10 }\n";

  test("counts only where it reaches the host if nobody knows the platform's settings", () => {
    const own = { ...port, service: "sandbox" };
    expect(sandboxAllowance(undefined, model({}), "gateway")).toBeUndefined();
    expect(found(box({}), {}, [own])).toEqual([]);
    expect(found(box({}), {}, [{ ...socket, service: "sandbox" }])).toHaveLength(1);
  });

  test.each<[what: string, host: Record<string, unknown>, privileges: readonly Privilege[], expected: number]>([
    ["as the policy says", small, [], 0],
    ["without limits", {}, [], 4],
    ["with a port", small, [{ ...port, service: "sandbox" }], 1],
    ["with a path of the host", small, [{ service: "sandbox", kind: "host-bind", detail: "/srv (ro)" }], 1],
  ])("%s is held against the guard's policy", (_, host, privileges, expected) => {
    const sandbox = sandboxAllowance(policy, undefined, "gateway");
    expect(found(box(host), { sandbox }, privileges)).toHaveLength(expected);
  });

  test("goes beyond the policy where the guard's own program says so, which is told unless something else is", () => {
    const sandbox = sandboxAllowance(policy, undefined, "gateway");
    const verdicts = new Map([["b".repeat(64), "has more than the guard's policy allows: User"]]);
    const [good, judged] = [box(small), { ...box(small), id: "b".repeat(64) }];
    expect(found(good, { sandbox, verdicts })).toEqual([]);
    expect(found(judged, { sandbox, verdicts })).toEqual(["has more than the guard's policy allows: User"]);
    expect(found({ ...judged, limits: {} }, { sandbox, verdicts })).toHaveLength(4);
  });

  describe("of the reference gateway without a guard", () => {
    const variables = {
      ...{ SANDBOX_MEMORY: "1m", SANDBOX_CPUS: "0.5", SANDBOX_PIDS: "10" },
      ...{ SANDBOX_IMAGE: "box:1", SANDBOX_NETWORK: "none" },
    };
    const limits = { memoryBytes: 1048576, cpus: 0.5, pids: 10 };
    const settings = { project: "demo", image: "box:1", network: "none", ...limits };
    const run = { id: "0123456789abcdef", language: "bash", code: "true", timeoutSeconds: 1 } as const;
    const made = z
      .object({ Image: z.string(), User: z.string(), HostConfig: z.record(z.string(), z.unknown()) })
      .parse(containerSpec(settings, run, 0));
    const sandbox = sandboxAllowance(undefined, model(variables), "gateway");
    const sandboxOf = (host: Record<string, unknown> = {}, config: Record<string, unknown> = {}) => ({
      ...one(
        { hostConfig: { ...made.HostConfig, ...host } },
        { Labels: {}, Image: made.Image, User: made.User, ...config },
      ),
      networks: ["none"],
    });

    test("is what that gateway makes, and no more", () => {
      expect(found(sandboxOf(), { sandbox })).toEqual([]);
    });

    test.each<[what: string, host: Record<string, unknown>, config: Record<string, unknown>]>([
      ["runs as root instead of 65534:65534", {}, { User: "" }],
      ["runs as 1000 instead of 65534:65534", {}, { User: "1000" }],
      ["runs the image other:1 instead of box:1", {}, { Image: "other:1" }],
      ["has a writable root file system", { ReadonlyRootfs: false }, {}],
      ["has capabilities beyond the plan: SYS_TIME", { CapAdd: ["SYS_TIME"] }, {}],
      ["lacks the security option no-new-privileges", { SecurityOpt: null }, {}],
      ["has the process limit 11 instead of 10", { PidsLimit: 11 }, {}],
    ])("%s", (what, host, config) => {
      expect(found(sandboxOf(host, config), { sandbox })).toEqual([what]);
    });

    test("is on no other network, mounts no volume, and holds no other privilege", () => {
      const box = sandboxOf();
      const volume = { type: "volume", source: "/v", target: "/data", writable: true, name: "demo_store" };
      expect(found({ ...box, networks: ["demo_control"], mounts: [volume] }, { sandbox })).toEqual([
        "is on the network demo_control",
        "mounts the volume demo_store at /data",
      ]);
      const device: Privilege = { service: "sandbox", kind: "device", detail: "/dev/kvm (rw)" };
      expect(found(box, { sandbox }, [device])).toEqual(["holds more than planned: device /dev/kvm (rw)"]);
    });
  });

  test("may have the ports and binds that the guard's policy names", () => {
    const sandbox = sandboxAllowance(`${policy}ports: {}\nbinds: {}\n`, undefined, "gateway");
    expect(found(box(small), { sandbox }, [{ ...port, service: "sandbox" }])).toEqual([]);
  });
});

describe("a secret that everybody reads who may list containers", () => {
  const secrets = [
    { name: "DB_PASSWORD", value: "s3cret-value" },
    { name: "SHORT", value: "redis" },
  ];

  test.each<[place: string, config: Record<string, unknown>]>([
    ["its command", { Cmd: ["serve", "--password=s3cret-value"] }],
    ["its command", { Entrypoint: ["sh", "-c", "x s3cret-value"] }],
    ["the label note", { Labels: { ...ofApp, note: "s3cret-value" } }],
    ["its health check", { Healthcheck: { Test: ["CMD-SHELL", "curl -u a:s3cret-value x"] } }],
  ])("in %s is named by its place and its name, never by its value", (place, config) => {
    const container = one({ hostConfig: asPlanned }, config);
    const beyond = excesses([{ container, privileges: [] }], plannedOf({ secrets }));
    expect(beyond.map(({ what }) => what)).toEqual([`shows the secret DB_PASSWORD in ${place}`]);
    expect(JSON.stringify(excessFindings(beyond, []))).not.toContain("s3cret-value");
    expect(excessFindings(beyond, []).map(({ code }) => code)).toEqual(["D076"]);
  });

  test("that the Compose files put there themselves is planned, and a short word is none", () => {
    const container = one({ hostConfig: asPlanned }, { Cmd: ["redis", "s3cret-value"] });
    expect(found(container, { secrets, service: { command: ["redis", "s3cret-value"] } })).toEqual([]);
  });
});

describe("what a plan took away", () => {
  const lost = [{ ...socket, change: "lost" } as const, { ...port, change: "kept" } as const];
  const texts = (held: readonly Held[]) => droppedPrivileges(lost, held).map(droppedText);

  test("is proven on the containers of its service", () => {
    expect(texts([{ container: one({ Name: "/demo-app-1" }), privileges: [port] }])).toEqual([
      "app no longer holds runtime-socket /var/run/docker.sock (rw): verified on demo-app-1",
    ]);
  });

  test("is gone where its service has no container, and not told where one still holds it", () => {
    expect(texts([])).toEqual([
      "app no longer holds runtime-socket /var/run/docker.sock (rw): it has no container any more",
    ]);
    expect(texts([{ container: one({}), privileges: [socket] }])).toEqual([]);
  });
});
