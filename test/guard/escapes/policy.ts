import { type Policy, readPolicy } from "../../../src/guard/policy/policy.ts";
import type { World } from "./world.ts";

/** `wide`: every operation is switched on, and only what the policy says about containers holds; `narrow`: all are off. */
export type Width = "wide" | "narrow";

/** The policy of the escapes as it would stand in a file: with a network, ports and binds, so that each has to be judged. */
export function policyText(world: World, width: Width = "wide"): string {
  const on = width === "wide";
  const operations = ["exec", "attach", "pull", "pause", "archive", "events"].map((name) => `  ${name}: ${on}`);
  return `
owner: escape-${world.run}
images: ["${world.image.reference}"]
names: 'sandbox-${world.run}-[a-z0-9]+'
network: ${world.network.name}
ports: { container: [8080], hostAddress: 127.0.0.1, hostFrom: 30000, hostTo: 30099 }
binds:
  root: ${world.root}
  allowed:
    - source: 'threads/[a-z0-9]+(?:/[a-z0-9]+)?'
      target: '/mnt/[a-z0-9]+'
limits:
  memory: 256m
  cpus: 0.5
  pids: 64
  shm: 16m
  tmpfs: 16m
  logSize: 1m
  logFiles: 2
  stopSeconds: 10
labels: ['sandbox\\.note']
users: '(?:1000:1000)?'
sandboxes: { alive: 1000, createsPerMinute: 10000 }
operations:
${operations.join("\n")}
`;
}

/** The same, read. */
export function policyOf(world: World, width: Width = "wide"): Policy {
  const reading = readPolicy(policyText(world, width));
  if (!reading.ok) throw new Error(JSON.stringify(reading.findings));
  return reading.policy;
}

const mebibyte = 1024 * 1024;

/** What reaches the engine for a container that asks for nothing: the whole body. */
export function containedBody(world: World): Record<string, unknown> {
  return {
    Image: world.image.reference,
    Cmd: ["sleep", "300"],
    Labels: { "sandbox-deploy.guard": `escape-${world.run}` },
    HostConfig: {
      CapDrop: ["ALL"],
      CgroupnsMode: "private",
      IpcMode: "private",
      LogConfig: { Type: "json-file", Config: { "max-size": "1000000", "max-file": "2" } },
      Memory: 256 * mebibyte,
      MemorySwap: 256 * mebibyte,
      NanoCpus: 500_000_000,
      NetworkMode: world.network.name,
      PidsLimit: 64,
      ReadonlyRootfs: true,
      RestartPolicy: { Name: "no" },
      SecurityOpt: ["no-new-privileges"],
      ShmSize: 16 * mebibyte,
    },
  };
}

/** The same with some fields exchanged: `HostConfig.Memory` and its value; undefined: the field is not there. */
export function differingBody(world: World, differs: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { HostConfig: host, ...config } = containedBody(world);
  const hostConfig = { ...Object(host) };
  const parts = { config, host: hostConfig };
  for (const [path, value] of Object.entries(differs)) {
    const [, inHost, name = path] = /^(HostConfig\.)?(.+)$/.exec(path) ?? [];
    const part = inHost === undefined ? parts.config : parts.host;
    if (value === undefined) Reflect.deleteProperty(part, name);
    else Reflect.set(part, name, value);
  }
  return { ...parts.config, HostConfig: parts.host };
}
