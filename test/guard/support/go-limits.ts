import type { Policy } from "../../../src/guard/policy/policy.ts";
import { type GoObject, type GoValue, hostConfigOf } from "./go-json.ts";

/** Fields of HostConfig that no sandbox of the open policy has, whatever they hold. */
const never = [
  ...["privileged", "binds", "devices", "devicecgrouprules", "devicerequests", "volumesfrom", "links", "sysctls"],
  ...[
    "cgroupparent",
    "cgroup",
    "ulimits",
    "groupadd",
    "maskedpaths",
    "readonlypaths",
    "portbindings",
    "publishallports",
  ],
  ...["dns", "dnsoptions", "dnssearch", "extrahosts", "annotations", "storageopt", "volumedriver", "oomkilldisable"],
  ...[
    "capabilities",
    "pidmode",
    "utsmode",
    "usernsmode",
    "isolation",
    "runtime",
    "capadd",
    "containeridfile",
    "mounts",
  ],
  ...["kernelmemory", "cpurealtimeperiod", "cpurealtimeruntime", "cpusetcpus", "blkiodevicereadbps", "oomscoreadj"],
];

/** What Go takes for a field that nobody set. */
export function isUnset(value: GoValue | undefined): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (value instanceof Map) return value.size === 0;
  return value === undefined || value === null || value === false || value === 0 || value === "";
}

/** What a body lets the engine do beyond the policy, read as the engine reads it; empty: nothing. */
export function beyondPolicy(body: GoObject, policy: Policy): string[] {
  const host = hostConfigOf(body);
  const problems = never.filter((name) => !isUnset(host.get(name)) || !isUnset(body.get(name)));
  const expect = (name: string, holds: boolean): void => {
    if (!holds) problems.push(name);
  };
  const atMost = (name: string, limit: number): void => {
    const value = host.get(name);
    expect(name, typeof value === "number" && value > 0 && value <= limit);
  };
  expect("hostconfig", body.get("hostconfig") instanceof Map);
  expect(
    "image",
    policy.images.some((image) => body.get("image") === image),
  );
  expect("networkmode", host.get("networkmode") === policy.network);
  expect("ipcmode", host.get("ipcmode") === "private" || host.get("ipcmode") === "none");
  expect("cgroupnsmode", host.get("cgroupnsmode") === "private");
  expect("capdrop", JSON.stringify(host.get("capdrop")) === '["ALL"]');
  expect("securityopt", JSON.stringify(host.get("securityopt")) === '["no-new-privileges"]');
  const labels = body.get("labels");
  expect("labels", labels instanceof Map && labels.size === 1 && labels.get("sandbox-deploy.guard") === policy.owner);
  const restart = host.get("restartpolicy");
  expect("restartpolicy", restart instanceof Map && restart.get("name") === "no");
  const log = host.get("logconfig");
  expect("logconfig", log instanceof Map && ["json-file", "local", "none"].some((type) => log.get("type") === type));
  atMost("memory", policy.limits.memoryBytes);
  expect("memoryswap", host.get("memoryswap") === host.get("memory"));
  atMost("nanocpus", policy.limits.nanoCpus);
  atMost("pidslimit", policy.limits.pids);
  atMost("shmsize", policy.limits.shmBytes);
  const networks = body.get("networkingconfig");
  expect(
    "networkingconfig",
    isUnset(networks) || (networks instanceof Map && isUnset(networks.get("endpointsconfig"))),
  );
  return problems;
}
