import { type EngineReport, parseEngineReport } from "../../src/core/doctor/engine-report.ts";

/** What `docker info` of engine 28 prints, as far as anything reads it, on a machine on which all is well. */
export const healthyInfo = {
  ServerVersion: "29.5.1",
  OperatingSystem: "Debian GNU/Linux 13 (trixie)",
  OSType: "linux",
  Driver: "overlay2",
  DriverStatus: [
    ["Backing Filesystem", "extfs"],
    ["Supports d_type", "true"],
  ],
  DockerRootDir: "/var/lib/docker",
  MemTotal: 8 * 2 ** 30,
  NCPU: 4,
  MemoryLimit: true,
  SwapLimit: true,
  CpuCfsQuota: true,
  PidsLimit: true,
  CgroupVersion: "2",
  CgroupDriver: "systemd",
  SystemTime: "2026-01-02T03:04:05.678901234Z",
  SecurityOptions: ["name=apparmor", "name=seccomp,profile=builtin", "name=cgroupns"],
  Warnings: null,
  HttpProxy: "",
  HttpsProxy: "",
  NoProxy: "",
  RegistryConfig: { Mirrors: null, IndexConfigs: {} },
  Plugins: { Volume: ["local"], Authorization: null },
  ClientInfo: {
    Plugins: [
      { Name: "buildx", Version: "v0.29.1", Path: "/usr/libexec/docker/cli-plugins/docker-buildx" },
      { Name: "compose", Version: "v2.40.3", Path: "/usr/libexec/docker/cli-plugins/docker-compose" },
    ],
  },
};

/** What `docker version` prints there. */
export const healthyVersion = {
  Client: { Version: "29.5.1" },
  Server: {
    Components: [
      { Name: "Engine", Version: "29.5.1", Details: { GitCommit: "f8215cc" } },
      { Name: "containerd", Version: "v2.2.0", Details: { GitCommit: "1c4457e" } },
      { Name: "runc", Version: "1.3.3", Details: { GitCommit: "v1.3.3-0-gd842d771" } },
      { Name: "docker-init", Version: "0.19.0", Details: { GitCommit: "de40ad0" } },
    ],
  },
};

/** A report in which some of that is different. */
export function reportOf(info: Record<string, unknown> = {}, components?: readonly unknown[]): EngineReport {
  const version = components === undefined ? healthyVersion : { Server: { Components: components } };
  const report = parseEngineReport(JSON.stringify({ ...healthyInfo, ...info }), JSON.stringify(version));
  if (report === undefined) throw new Error("that is no report");
  return report;
}
