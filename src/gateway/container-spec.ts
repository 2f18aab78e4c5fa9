import { commandFor, type RunRequest } from "./run.ts";

/** What every sandbox container of this gateway has in common. */
export interface ContainerSettings {
  readonly project: string;
  readonly image: string;
  readonly memoryBytes: number;
  readonly cpus: number;
  readonly pids: number;
  readonly network: string;
}

/** The labels by which sandboxes are found again. */
export const labelNames = {
  project: "sandbox-deploy.project",
  role: "sandbox-deploy.role",
  run: "sandbox-deploy.run",
  deadline: "sandbox-deploy.deadline",
} as const;

/** The name of the container of a run. */
export function containerName(project: string, runId: string): string {
  return `${project}-sandbox-${runId}`;
}

/**
 * The body of `POST /containers/create` for a run. `timeout` is the container's first process, so the container ends by
 * itself even when nobody is left to stop it; `deadline` (Unix seconds) tells a sweep when it is overdue.
 */
export function containerSpec(settings: ContainerSettings, run: RunRequest, deadline: number): unknown {
  return {
    Image: settings.image,
    Cmd: ["timeout", "-s", "KILL", String(run.timeoutSeconds), ...commandFor(run.language, run.code)],
    User: "65534:65534",
    WorkingDir: "/tmp",
    Env: ["HOME=/tmp", "LANG=C.UTF-8"],
    Labels: {
      [labelNames.project]: settings.project,
      [labelNames.role]: "sandbox",
      [labelNames.run]: run.id,
      [labelNames.deadline]: String(deadline),
    },
    HostConfig: {
      Memory: settings.memoryBytes,
      // Equal to Memory: no swap on top of it.
      MemorySwap: settings.memoryBytes,
      NanoCpus: Math.round(settings.cpus * 1e9),
      PidsLimit: settings.pids,
      NetworkMode: settings.network,
      ReadonlyRootfs: true,
      // What is written to a tmpfs counts as memory of the container.
      Tmpfs: { "/tmp": "rw,nosuid,nodev,mode=1777,size=64m" },
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges"],
      LogConfig: { Type: "json-file", Config: { "max-size": "1m", "max-file": "2" } },
    },
  };
}
