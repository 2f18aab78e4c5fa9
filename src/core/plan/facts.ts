import type { Container } from "../containers/container.ts";
import type { ForeignDeployment } from "../containers/origin.ts";
import type { SandboxImages } from "../containers/sandbox-images.ts";
import type { LastDeployment } from "../deployment/last-deployment.ts";
import type { Finding } from "../findings/finding.ts";
import type { Privilege, PrivilegeContext } from "../privileges/privilege.ts";
import type { LastExposure } from "../public/exposure-items.ts";
import type { EnforcedLimits } from "../stack/limits.ts";
import type { ComposeModel } from "../stack/model.ts";
import type { ProgramSettings } from "../stack/program-settings.ts";

/** A port of the stack that somebody else holds. */
export interface BusyPort {
  readonly service: string;
  readonly address: string;
  readonly port: number;
  readonly owner: string;
}

/** A file that is copied into the operator's folder when it is missing there. */
export interface SeedFile {
  readonly from: string;
  readonly to: string;
  readonly mode: number;
  readonly why: string;
}

/** What still runs of the project that this folder deployed last, where that is another one than now. */
export interface FormerDeployment {
  readonly project: string;
  /** Names of its containers. */
  readonly names: readonly string[];
}

/** Everything that was read about the world before deciding; nothing in here was changed to learn it. */
export interface Facts {
  readonly model: ComposeModel;
  /** Compose's hash of each service's configuration. */
  readonly hashes: ReadonlyMap<string, string>;
  /** Containers of the project, and sandboxes that its gateway started. */
  readonly containers: readonly Container[];
  readonly sandboxes: readonly Container[];
  /** In what a sandbox goes beyond the policy that the guard is to have, by its id, as the guard's program says. */
  readonly verdicts: ReadonlyMap<string, string>;
  /** Which images sandboxes run, as the guard and the last receipt say. */
  readonly sandboxImages: SandboxImages;
  /** Those of them that another folder deployed. */
  readonly foreign: readonly ForeignDeployment[];
  readonly former: FormerDeployment | undefined;
  /**
   * Networks that the engine knows to be the project's. Read only where a container is attached to one that the model
   * does not have; else empty.
   */
  readonly networks: readonly string[];
  /** What the privilege rules must know about this host. */
  readonly context: PrivilegeContext;
  /** Privileges of the last deployment from here: what only a model can show is not gained anew by every `up`. */
  readonly applied: readonly Pick<Privilege, "service" | "kind" | "detail">[];
  /** How exposed the stack was at the last deployment from here. */
  readonly exposed?: LastExposure | undefined;
  /** The service that reads the platform's configuration, where that file is not the one of the last deployment. */
  readonly rereads: string | undefined;
  /** Image id by reference; a missing image has no entry. */
  readonly images: ReadonlyMap<string, string>;
  /** What each of these images brings, by its id. */
  readonly imageSettings: ReadonlyMap<string, ProgramSettings>;
  /** The last deployment from here, as it was left. */
  readonly deployed: LastDeployment | undefined;
  /** Which limits the kernel enforces; asked only where a container lacks one. */
  readonly enforced: EnforcedLimits;
  readonly busyPorts: readonly BusyPort[];
  readonly seeds: readonly SeedFile[];
  /** Names of generated secrets that have no value yet. */
  readonly missingSecrets: readonly string[];
  /** File secrets whose file does not hold the value that the environment file has. */
  readonly staleSecretFiles: readonly string[];
  /** Whether the file that the guard mounts does not hold the stack's policy. */
  readonly staleGuardPolicy: boolean;
  /** Whether the files that the proxy mounts for TLS do not hold what they should. */
  readonly staleTlsFiles: boolean;
  /** Whether an image that the guard lets run is another one than when the guard started. */
  readonly outdatedPins: boolean;
  /** What is wrong with the machine or the files; an error here means that nothing may be changed. */
  readonly findings: readonly Finding[];
}
