import { isForeignLabel } from "../model/labels.ts";
import type { Policy } from "./policy.ts";
import { type PolicyFinding, type PolicyPlaces, pathText } from "./policy-finding.ts";
import { compilePattern } from "./policy-pattern.ts";
import type { PolicyFile } from "./policy-schema.ts";

/** A policy from what its file says: patterns compiled, units in numbers. */
export function compilePolicy(file: PolicyFile): Policy {
  const compile = (source: string): RegExp => compilePattern(source, file.owner);
  return {
    owner: file.owner,
    images: file.images,
    names: compile(file.names),
    unnamed: file.unnamed,
    network: file.network,
    ports: file.ports,
    binds: file.binds && {
      root: file.binds.root,
      allowed: file.binds.allowed.map(({ source, target, readOnly }) => ({
        source: compile(source),
        target: compile(target),
        readOnly,
      })),
      volume: file.binds.volume,
    },
    volumes: file.volumes.map(({ name, target, readOnly }) => ({
      name: compile(name),
      target: compile(target),
      readOnly,
    })),
    extraHosts: file.extraHosts,
    limits: compileLimits(file.limits),
    capabilities: file.capabilities,
    writableRoot: file.writableRoot,
    seccomp: file.seccomp === "default" ? undefined : JSON.stringify(file.seccomp),
    runtime: file.runtime,
    labels: file.labels.map(compile),
    users: file.users === undefined ? undefined : compile(file.users),
    sandboxes: file.sandboxes,
    connections: file.connections,
    operations: file.operations,
  };
}

function compileLimits(limits: PolicyFile["limits"]): Policy["limits"] {
  return {
    memoryBytes: limits.memory,
    nanoCpus: Math.round(limits.cpus * 1e9),
    pids: limits.pids,
    shmBytes: limits.shm,
    tmpfsBytes: limits.tmpfs,
    logBytes: limits.logSize,
    logFiles: limits.logFiles,
    stopSeconds: limits.stopSeconds,
  };
}

/** Directories of the host that sandboxes may mount, by whatever pattern below the root; writable, if any of them is. */
export interface HostFolders {
  readonly root: string;
  readonly writable: boolean;
}

/** What a policy gives sandboxes of the host; undefined: nothing, or only parts of a volume. */
export function hostFolders({ binds }: Policy): HostFolders | undefined {
  if (binds === undefined || binds.volume !== undefined) return undefined;
  return { root: binds.root, writable: binds.allowed.some(({ readOnly }) => !readOnly) };
}

/** Labels of other programs that show whether a pattern is wider than meant. */
const samples = ["traefik.enable", "com.docker.compose.project", "ofelia.enabled", "caddy"];

/** What a policy allows and its operator may not have meant. */
export function policyWarnings(policy: Policy, places: PolicyPlaces): PolicyFinding[] {
  const warnings: PolicyFinding[] = [];
  const warn = (path: readonly PropertyKey[], message: string): void => {
    warnings.push(places.finding(path, `${pathText(path)} ${message}`, "warning"));
  };
  if (policy.network === "bridge") {
    warn(
      ["network"],
      "is the engine's shared network: sandboxes reach each other there, and every container beside them",
    );
  }
  if (policy.ports !== undefined && policy.network === "none") {
    warn(["ports"], "have no effect: without a network nothing can be published");
  }
  if (policy.ports !== undefined && /^(?:0\.0\.0\.0|::)$/.test(policy.ports.hostAddress)) {
    warn(["ports", "hostAddress"], "is every address of the host: whoever reaches the host reaches every sandbox");
  }
  for (const [index, { name }] of policy.volumes.entries()) {
    // The second is the volume of a stack's guard: whoever mounts it can write in what the guard has noted.
    const sample = ["others_data", `${policy.owner}_guard-audit`].find((each) => name.test(each));
    if (sample !== undefined)
      warn(["volumes", index, "name"], `matches ${sample}: sandboxes can mount volumes that are not theirs`);
  }
  for (const [index, label] of policy.labels.entries()) {
    const sample = samples.find((name) => label.test(name) && isForeignLabel(name));
    if (sample !== undefined)
      warn(["labels", index], `matches ${sample}, which stays refused: other programs act on it`);
  }
  return warnings;
}
