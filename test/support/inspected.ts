import { type Container, parseContainers } from "../../src/core/containers/container.ts";

/** What differs from a container that asked for nothing. */
export interface InspectedParts {
  readonly Id?: string;
  readonly Name?: string;
  readonly labels?: Record<string, string>;
  readonly env?: readonly string[];
  readonly hostConfig?: Record<string, unknown>;
  readonly mounts?: readonly unknown[];
  readonly state?: Record<string, unknown>;
  readonly network?: Record<string, unknown>;
}

/** A container as engine 20.10 on cgroup version 1 prints one that asked for nothing. */
export function inspected(parts: InspectedParts = {}): Record<string, unknown> {
  return {
    Id: parts.Id ?? "a".repeat(64),
    Name: parts.Name ?? "/demo-app-1",
    Created: "2026-01-01T00:00:00.5Z",
    Image: "sha256:1",
    RestartCount: 0,
    State: {
      Status: "running",
      Running: true,
      ExitCode: 0,
      Error: "",
      OOMKilled: false,
      StartedAt: "",
      FinishedAt: "",
      ...parts.state,
    },
    Config: {
      Image: "demo:1",
      Env: parts.env ?? null,
      Labels: parts.labels ?? { "com.docker.compose.service": "app" },
    },
    HostConfig: {
      ...{
        Binds: null,
        Privileged: false,
        CapAdd: null,
        CapDrop: null,
        Devices: null,
        DeviceCgroupRules: null,
        DeviceRequests: null,
      },
      ...{
        NetworkMode: "demo_default",
        PidMode: "",
        IpcMode: "private",
        UTSMode: "",
        UsernsMode: "",
        CgroupnsMode: "host",
      },
      ...{ SecurityOpt: null, GroupAdd: null, VolumesFrom: null, ExtraHosts: [], Runtime: "runc", PortBindings: {} },
      ...{ MaskedPaths: ["/proc/kcore"], ReadonlyPaths: ["/proc/sys"] },
      ...parts.hostConfig,
    },
    Mounts: parts.mounts ?? [],
    NetworkSettings: { Ports: {}, Networks: { demo_default: {} }, ...parts.network },
  };
}

/** Parses containers, or fails the test with the findings. */
export function containersOf(...json: unknown[]): readonly Container[] {
  const parsed = parseContainers(json);
  if (!parsed.ok) throw new Error(parsed.findings.map(({ message }) => message).join("\n"));
  return parsed.value;
}
