/** What escapes try that newer engines (28.5) refuse or pass over by themselves: sent straight to them, nothing comes of it. */
export const closedByNewerEngines: ReadonlySet<string> = new Set([
  // A HostConfig is read where it belongs and nowhere else.
  "to write a privileged object before a harmless one",
  "to write HostConfig null and a flat Privileged",
  ...["Privileged", "NetworkMode", "PidMode", "CapAdd"].map((field) => `to write a flat ${field}`),
  ...["Binds", "Devices", "Mounts"].map((field) => `to write flat ${field}`),
  ...["Memory", "CpuShares", "VolumeDriver"].map((field) => `to write a flat ${field} beside a HostConfig`),
  "to ask for the default bridge",
  "to mount a directory of a volume that goes up",
  "to mount a directory of a volume by an absolute path",
  "to mount a tmpfs with options of its own",
  "to write the path with the version before the floor",
  "to write the path with the oldest version",
  "to write an empty header name",
  "to send 5,000 headers",
  "to have an address of its own",
  "to have a hardware address at its endpoint",
]);
