import { isForeignLabel } from "./labels.ts";
import type { Policy } from "./policy.ts";
import { type PolicyFinding, type PolicyPlaces, pathText } from "./policy-finding.ts";
import { compilePattern } from "./policy-pattern.ts";
import type { PolicyFile } from "./policy-schema.ts";

type Path = readonly PropertyKey[];

/** A policy from what its file says: patterns compiled, units in numbers. Undefined where a pattern is none. */
export function compilePolicy(
  file: PolicyFile,
  places: PolicyPlaces,
): { readonly policy: Policy | undefined; readonly findings: PolicyFinding[] } {
  const errors: PolicyFinding[] = [];
  const compile = (path: Path, source: string): RegExp => {
    try {
      return compilePattern(source, file.owner);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      errors.push(places.finding(path, `${pathText(path)} is no pattern: ${error.message}`));
      return /$^/;
    }
  };
  const policy: Policy = {
    owner: file.owner,
    images: file.images,
    names: compile(["names"], file.names),
    unnamed: file.unnamed,
    network: file.network,
    ports: file.ports,
    binds: compileBinds(file.binds, compile),
    volumes: file.volumes.map(({ name, target, readOnly }, index) => ({
      name: compile(["volumes", index, "name"], name),
      target: compile(["volumes", index, "target"], target),
      readOnly,
    })),
    extraHosts: file.extraHosts,
    limits: compileLimits(file.limits),
    capabilities: file.capabilities,
    writableRoot: file.writableRoot,
    seccomp: file.seccomp === "default" ? undefined : JSON.stringify(file.seccomp),
    runtime: file.runtime,
    labels: file.labels.map((label, index) => compile(["labels", index], label)),
    users: file.users === undefined ? undefined : compile(["users"], file.users),
    sandboxes: file.sandboxes,
    connections: file.connections,
    operations: file.operations,
  };
  return errors.length > 0 ? { policy: undefined, findings: errors } : { policy, findings: warningsOf(policy, places) };
}

function compileBinds(binds: PolicyFile["binds"], compile: (path: Path, source: string) => RegExp): Policy["binds"] {
  if (binds === undefined) return undefined;
  return {
    root: binds.root,
    allowed: binds.allowed.map(({ source, target, readOnly }, index) => ({
      source: compile(["binds", "allowed", index, "source"], source),
      target: compile(["binds", "allowed", index, "target"], target),
      readOnly,
    })),
    volume: binds.volume,
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

/** Labels of other programs that show whether a pattern is wider than meant. */
const samples = ["traefik.enable", "com.docker.compose.project", "ofelia.enabled", "caddy"];

function warningsOf(policy: Policy, places: PolicyPlaces): PolicyFinding[] {
  const warnings: PolicyFinding[] = [];
  const warn = (path: Path, message: string): void => {
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
  for (const [index, label] of policy.labels.entries()) {
    const sample = samples.find((name) => label.test(name) && isForeignLabel(name));
    if (sample !== undefined)
      warn(["labels", index], `matches ${sample}, which stays refused: other programs act on it`);
  }
  return warnings;
}
