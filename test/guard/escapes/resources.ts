import { contained, create, type Escape, type Expectation, refused, type Table, type Unguarded } from "./escape.ts";

type Field = readonly [
  tries: string,
  why: string,
  host: Readonly<Record<string, unknown>>,
  expect: Expectation,
  unguarded?: Unguarded,
];

const sameAsNothing: Unguarded = { none: "it is what the engine does by itself" };
const noKernelSupport: Unguarded = { none: "this machine's kernel or disk cannot, so the engine refuses or drops it" };

const fields: readonly Field[] = [
  ["no memory limit", "one sandbox takes the machine's memory", { Memory: 0 }, contained(), sameAsNothing],
  ["a memory limit above the machine's memory", "the same as none", { Memory: 4_000_000_000_000 }, contained()],
  [
    "a negative memory limit",
    "below zero is no limit to some readers",
    { Memory: -1 },
    contained(),
    { none: "engine 20.10 refuses it" },
  ],
  [
    "unlimited swap",
    "fills the host's swap",
    { Memory: 67_108_864, MemorySwap: -1 },
    contained({ "HostConfig.Memory": 67_108_864, "HostConfig.MemorySwap": 67_108_864 }),
  ],
  [
    "swap far above memory",
    "fills the host's swap",
    { Memory: 67_108_864, MemorySwap: 900_000_000_000 },
    contained({ "HostConfig.Memory": 67_108_864, "HostConfig.MemorySwap": 67_108_864 }),
  ],
  ["a swappiness of its own", "pushes the memory of others out", { MemorySwappiness: 100 }, refused("host-config.")],
  [
    "a reservation of memory",
    "memory that others do not get",
    { MemoryReservation: 60_000_000_000 },
    refused("host-config."),
  ],
  [
    "no out-of-memory killer",
    "a sandbox at its limit hangs instead of ending",
    { OomKillDisable: true },
    refused("host-config."),
  ],
  ["to be killed last", "the kernel kills services of the host first", { OomScoreAdj: -1000 }, refused("host-config.")],
  [
    "kernel memory of its own",
    "a limit of the kernel's own memory",
    { KernelMemory: 8_000_000_000 },
    refused("host-config."),
  ],
  ["every processor", "one sandbox takes all processors", { NanoCpus: 2_000_000_000 }, contained()],
  [
    "a negative number of processors",
    "below zero is no limit to some readers",
    { NanoCpus: -1 },
    contained(),
    { none: "engine 20.10 refuses it" },
  ],
  [
    "processors by period and quota",
    "another spelling of a limit, beside ours",
    { CpuPeriod: 100_000, CpuQuota: 200_000 },
    contained(),
  ],
  ["a processor quota without an end", "another spelling of no limit", { CpuQuota: -1 }, contained()],
  [
    "the largest share of processors",
    "others get next to nothing",
    { CpuShares: 262_144 },
    contained({ "HostConfig.CpuShares": 1024 }),
  ],
  [
    "processors by number",
    "crowds onto the processor of another service",
    { CpusetCpus: "0" },
    refused("host-config."),
  ],
  ["memory nodes by number", "crowds onto the memory of another service", { CpusetMems: "0" }, refused("host-config.")],
  [
    "real-time processors",
    "nothing else runs while it does",
    { CpuRealtimePeriod: 1_000_000, CpuRealtimeRuntime: 950_000 },
    refused("host-config."),
  ],
  ["no limit of processes", "a fork bomb stops the machine", { PidsLimit: 0 }, contained(), sameAsNothing],
  ["an unlimited number of processes", "a fork bomb stops the machine", { PidsLimit: -1 }, contained(), sameAsNothing],
  ["a million processes", "a fork bomb stops the machine", { PidsLimit: 1_000_000 }, contained()],
  [
    "unlimited processes of its user",
    "the limit of the user is the host's",
    { Ulimits: [{ Name: "nproc", Soft: -1, Hard: -1 }] },
    refused("host-config."),
  ],
  [
    "locked memory without a limit",
    "memory that cannot be swapped",
    { Ulimits: [{ Name: "memlock", Soft: -1, Hard: -1 }] },
    refused("host-config."),
  ],
  [
    "core dumps without a limit",
    "the host's core_pattern runs as root",
    { Ulimits: [{ Name: "core", Soft: -1, Hard: -1 }] },
    refused("host-config."),
  ],
  ["a weight on the disks", "others wait", { BlkioWeight: 1000 }, refused("host-config."), noKernelSupport],
  [
    "a weight on one disk",
    "a device of the host by its path",
    { BlkioWeightDevice: [{ Path: "/dev/vda", Weight: 1000 }] },
    refused("host-config."),
  ],
  [
    "a rate on one disk",
    "a device of the host by its path",
    { BlkioDeviceReadBps: [{ Path: "/dev/null", Rate: 1_000_000 }] },
    refused("host-config."),
  ],
  ["a huge /dev/shm", "memory that no limit of files counts", { ShmSize: 900_000_000_000 }, contained()],
  [
    "a negative /dev/shm",
    "below zero is no limit to some readers",
    { ShmSize: -1 },
    contained(),
    { none: "engine 20.10 refuses it" },
  ],
  [
    "a tmpfs without a limit",
    "half of the machine's memory",
    { Tmpfs: { "/tmp": "" } },
    contained({ "HostConfig.Tmpfs": { "/tmp": "rw,noexec,nosuid,nodev,size=16777216" } }),
  ],
  [
    "a huge tmpfs",
    "more than the machine's memory",
    { Tmpfs: { "/tmp": "size=900g" } },
    contained({ "HostConfig.Tmpfs": { "/tmp": "rw,noexec,nosuid,nodev,size=16777216" } }),
  ],
  [
    "a tmpfs with programs, set-user-id and devices",
    "undoes nosuid and nodev",
    { Tmpfs: { "/tmp": "exec,suid,dev" } },
    refused("tmpfs."),
  ],
  [
    "a tmpfs over /etc",
    "an /etc of its own: users and groups that it likes",
    { Tmpfs: { "/etc": "" } },
    contained({ "HostConfig.Tmpfs": { "/etc": "rw,noexec,nosuid,nodev,size=16777216" } }),
  ],
  ["a tmpfs over /dev", "a /dev in which nothing is as the engine made it", { Tmpfs: { "/dev": "dev" } }, refused("")],
  [
    "a tmpfs with an option that reaches further",
    "mount options are the kernel's, not the model's",
    { Tmpfs: { "/tmp": "size=1m,mpol=bind:0" } },
    refused(""),
  ],
  [
    "a larger root file system",
    "fills the host's disk",
    { StorageOpt: { size: "900G" } },
    refused("host-config."),
    noKernelSupport,
  ],
  [
    "to start again for ever",
    "runs on after whoever started it is gone",
    { RestartPolicy: { Name: "always" } },
    refused("host-config."),
  ],
  [
    "to start again on failure",
    "runs on after whoever started it is gone",
    { RestartPolicy: { Name: "on-failure", MaximumRetryCount: 0 } },
    refused("host-config."),
  ],
  [
    "to start again unless it is stopped",
    "starts again with the machine",
    { RestartPolicy: { Name: "unless-stopped" } },
    refused("host-config."),
  ],
  [
    "logs without an end",
    "fills the host's disk",
    { LogConfig: { Type: "json-file", Config: { "max-size": "-1" } } },
    refused("host-config."),
  ],
  [
    "large logs",
    "fills the host's disk",
    { LogConfig: { Type: "json-file", Config: { "max-size": "900g", "max-file": "100" } } },
    contained(),
  ],
  [
    "logs to another machine by syslog",
    "a way out for data, and requests from the host's own network",
    { LogConfig: { Type: "syslog", Config: { "syslog-address": "tcp://10.0.0.1:514" } } },
    refused("host-config."),
  ],
  [
    "logs to another machine by gelf",
    "a way out for data, and requests from the host's own network",
    { LogConfig: { Type: "gelf", Config: { "gelf-address": "udp://10.0.0.1:12201" } } },
    refused("host-config."),
  ],
  [
    "logs to another machine by fluentd",
    "a way out for data, and requests from the host's own network",
    { LogConfig: { Type: "fluentd", Config: { "fluentd-address": "10.0.0.1:24224" } } },
    refused("host-config."),
  ],
  [
    "logs to Splunk with a certificate of the host",
    "reads a file of the host",
    {
      LogConfig: {
        Type: "splunk",
        Config: {
          "splunk-url": "https://10.0.0.1",
          "splunk-token": "x",
          "splunk-capath": "/etc/shadow",
          "splunk-verify-connection": "false",
        },
      },
    },
    refused("host-config."),
  ],
  [
    "logs that the audit does not get",
    "nothing is kept of what it printed",
    { LogConfig: { Type: "none" } },
    contained({ "HostConfig.LogConfig": { Type: "none", Config: {} } }),
  ],
  [
    "a log option that names variables",
    "labels and variables of others in the log",
    { LogConfig: { Type: "json-file", Config: { env: "SECRET", labels: "owner" } } },
    refused("host-config."),
  ],
];

/** Fields that take from the machine what other programs need: a limit of the policy replaces them, or they are refused. */
export const resourceEscapes: Table = (world) =>
  fields.map(
    ([tries, why, host, expect, unguarded = "effect"]): Escape => ({
      class: "resources",
      tries: `to ask ${tries.startsWith("to ") ? tries : `for ${tries}`}`,
      why,
      request: create(world, { host }),
      expect,
      unguarded,
    }),
  );
