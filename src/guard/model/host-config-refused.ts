const cgroup = "it changes which limits of the host hold for the container";
const devices = "it gives the container devices of the host";
const bandwidth = "it sets speed limits on devices of the host, named by their paths";
const windows = "it is for Windows, and means nothing to a sandbox";
const names = "it changes what names mean to the container; addresses come from its network";

/**
 * The fields of HostConfig, in any version of the API from 1.24 on, that a sandbox has no use for, each with what it
 * would do. They may be there without a value.
 */
export const refusedHostFields: Readonly<Record<string, string>> = {
  Annotations: "they are orders to the runtime, which runs as root on the host",
  BlkioDeviceReadBps: bandwidth,
  BlkioDeviceReadIOps: bandwidth,
  BlkioDeviceWriteBps: bandwidth,
  BlkioDeviceWriteIOps: bandwidth,
  BlkioWeight: cgroup,
  BlkioWeightDevice: bandwidth,
  Capabilities: "it names capabilities past CapAdd and CapDrop",
  Cgroup: "it joins the control group of another container",
  CgroupParent: "it puts the container below another control group of the host, out of its limits",
  ContainerIDFile: "it names a file of the host",
  CpuCount: windows,
  CpuPercent: windows,
  CpuRealtimePeriod: "it takes processor time from everything else on the host",
  CpuRealtimeRuntime: "it takes processor time from everything else on the host",
  CpusetCpus: "it picks processors of the host; the limit is NanoCpus",
  CpusetMems: "it picks memory nodes of the host",
  DeviceCgroupRules: devices,
  DeviceRequests: devices,
  Devices: devices,
  DiskQuota: windows,
  Dns: names,
  DnsOptions: names,
  DnsSearch: names,
  GroupAdd: "it gives the container groups of the host, and with them what these may read",
  IOMaximumBandwidth: windows,
  IOMaximumIOps: windows,
  Isolation: windows,
  KernelMemory: cgroup,
  KernelMemoryTCP: cgroup,
  Links: "it joins another container, with its name and its environment",
  LxcConf: "it is for an engine that no longer exists",
  MaskedPaths: "it uncovers files of the kernel that Docker hides",
  MemoryReservation: cgroup,
  // The spelling of one version of the documentation; to the engine it is NanoCpus.
  NanoCPUs: "write NanoCpus",
  OomKillDisable: "a container that cannot be ended takes the memory of the host",
  OomScoreAdj: "it makes the host end other processes first",
  PidMode: "it shows the container processes outside of it",
  Privileged: "it gives the container the whole host",
  PublishAllPorts: "it opens every port that the image names; ask for those that are needed",
  ReadonlyPaths: "it opens settings of the kernel for writing",
  StorageOpt: "it changes how the engine stores the container",
  Sysctls: "they are settings of the kernel",
  UTSMode: "it shares the host's name with the container, which can then change it",
  Ulimits: "they raise limits that the engine sets",
  UsernsMode: "it takes away the mapping of users that keeps root of a container from being root of the host",
  VolumeDriver: "a driver can mount anything of the host, or of the network",
  VolumesFrom: "it mounts what other containers have mounted",
};
