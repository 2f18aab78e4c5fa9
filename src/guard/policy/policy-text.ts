import { stringify } from "yaml";
import type { Policy } from "./policy.ts";
import { patternSource } from "./policy-pattern.ts";
import { binaryBytesText, decimalBytesText } from "./units.ts";

/** The policy in force as a policy file, every default written out; `readPolicy` reads the same from it. */
export function policyText(policy: Policy): string {
  const { ports, binds, limits, seccomp, runtime, users } = policy;
  const written = {
    owner: policy.owner,
    images: policy.images,
    names: patternSource(policy.names),
    unnamed: policy.unnamed,
    network: policy.network,
    ...(ports && { ports }),
    ...(binds && { binds: writtenBinds(binds) }),
    volumes: policy.volumes.map(({ name, target, readOnly }) => ({
      name: patternSource(name),
      target: patternSource(target),
      readOnly,
    })),
    extraHosts: policy.extraHosts,
    limits: {
      memory: binaryBytesText(limits.memoryBytes),
      cpus: limits.nanoCpus / 1e9,
      pids: limits.pids,
      shm: binaryBytesText(limits.shmBytes),
      tmpfs: binaryBytesText(limits.tmpfsBytes),
      logSize: decimalBytesText(limits.logBytes),
      logFiles: limits.logFiles,
      stopSeconds: limits.stopSeconds,
    },
    capabilities: policy.capabilities,
    writableRoot: policy.writableRoot,
    seccomp: seccomp === undefined ? "default" : JSON.parse(seccomp),
    ...(runtime !== undefined && { runtime }),
    labels: policy.labels.map(patternSource),
    ...(users !== undefined && { users: patternSource(users) }),
    sandboxes: policy.sandboxes,
    connections: policy.connections,
    operations: policy.operations,
  };
  return stringify(written, { lineWidth: 0, aliasDuplicateObjects: false });
}

function writtenBinds({ root, allowed, volume }: NonNullable<Policy["binds"]>): object {
  return {
    root,
    allowed: allowed.map(({ source, target, readOnly }) => ({
      source: patternSource(source),
      target: patternSource(target),
      readOnly,
    })),
    ...(volume !== undefined && { volume }),
  };
}
