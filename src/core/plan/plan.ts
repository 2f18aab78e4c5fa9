import type { CredentialExposure } from "../credentials/exposure.ts";
import type { Because, Mode } from "../detect/mode.ts";
import type { HandChange } from "../drift/hand-changes.ts";
import type { Finding } from "../findings/finding.ts";
import type { ConsentName, Privilege, PrivilegeChange } from "../privileges/privilege.ts";
import type { Exposure } from "../public/exposure.ts";
import type { Step } from "./plan-steps.ts";

/** The name by which an operator accepts that another folder's deployment is replaced or removed. */
export const foreignProject = "foreign-project";

/** The name by which an operator accepts a generated secret whose value everybody knows. */
export const weakSecret = "weak-secret";

/** The name by which an operator accepts that the lock of a deploy that may still run is removed. */
export const heldLock = "held-lock";

/** The name by which an operator says that a database has got its new password already. */
export const databasePassword = "database-password";

/** The name by which an operator says that this machine has disk space enough all the same. */
export const lowDisk = "low-disk";

/** The name by which an operator says that this machine has memory enough all the same. */
export const lowMemory = "low-memory";

/** What `--accept` takes: what reaches the host, what belongs to somebody else, and what is wrong only as far as can be seen. */
export type AcceptName =
  | ConsentName
  | typeof foreignProject
  | typeof weakSecret
  | typeof heldLock
  | typeof databasePassword
  | typeof lowDisk
  | typeof lowMemory;

/** Something only a person may decide, and how it was decided if it was. */
export interface PlanQuestion {
  readonly kind:
    | "host-privilege"
    | "data-loss"
    | "foreign-containers"
    | "former-project"
    | "exposure"
    | typeof foreignProject
    | typeof heldLock;
  /**
   * The name to accept it by: `--accept NAME`, for a host-level privilege also an entry in deploy.config.yaml; the others
   * are accepted by `--yes`.
   */
  readonly name: AcceptName | "exposure" | "volumes" | "containers" | "former-project";
  readonly text: string;
  /** What is in the directories that it is about; this may change at any time. */
  readonly contents?: readonly string[];
  /** Who accepted it; left out while it is open. */
  readonly acceptedBy?: string;
}

/** What a command will do, as data: it is shown, asked about, and applied without deciding again. */
export interface Plan {
  readonly mode: Mode | undefined;
  readonly because: Because | undefined;
  readonly project: string;
  /** The configuration's folder: paths below it are shown from there. */
  readonly root?: string;
  readonly composeFiles: readonly string[];
  /** The deployment that runs since a rollback: then it is not what these files were before the change. */
  readonly rolledBackTo?: string;
  readonly services: readonly string[];
  readonly privileges: readonly PrivilegeChange[];
  /** What services get of the operator's logins, in words. */
  readonly credentials?: readonly CredentialExposure[];
  /** Who reaches the stack, and what does not hold then; left out where nobody but this machine does. */
  readonly exposure?: Exposure;
  /** What somebody did by hand since the last deployment. */
  readonly drift?: readonly HandChange[];
  readonly steps: readonly Step[];
  readonly findings: readonly Finding[];
  readonly questions: readonly PlanQuestion[];
}

/** Everything the merged model grants; verification compares the running containers against it. */
export function plannedPrivileges(plan: Plan): Privilege[] {
  return plan.privileges.filter(({ change }) => change !== "lost");
}
