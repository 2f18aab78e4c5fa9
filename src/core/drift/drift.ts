import type { Container } from "../containers/container.ts";
import type { EnforcedLimits } from "../stack/limits.ts";
import type { ComposeModel, ComposeService } from "../stack/model.ts";
import type { ProgramSettings } from "../stack/program-settings.ts";
import { visibleLine } from "../text/visible-text.ts";
import { confinementRows, namespaceRows } from "./drift-confinement.ts";
import { commandRows, environmentRows, healthRows, labelRows } from "./drift-program.ts";
import { limitRows, mountRows, networkRows, portRows } from "./drift-reach.ts";

/** One thing in which a container is not what its service is to be, without any value that may be a secret. */
export interface Difference {
  /** Such as `command`, `environment key HOME` or `memory limit`. */
  readonly what: string;
  readonly change: "added" | "removed" | "changed";
  /** What the container has and what it is to have, where that may be shown. */
  readonly from?: string;
  readonly to?: string;
}

/** What a comparison is made of. */
export interface Compared {
  readonly name: string;
  readonly service: ComposeService;
  readonly container: Container;
  readonly model: ComposeModel;
  /** What the container's own image brings; undefined where nobody knows. */
  readonly image: ProgramSettings | undefined;
  /** Every container of the project: the partners of shared namespaces and volumes. */
  readonly all: readonly Container[];
  readonly enforced: EnforcedLimits;
}

/**
 * In what a container differs from the service that it is to be, as far as an inspected container shows. What Compose takes
 * from the image is no difference; where the image is not known, only what the service asks for is compared.
 */
export function differences(compared: Compared): Difference[] {
  return [
    ...commandRows(compared),
    ...environmentRows(compared),
    ...healthRows(compared),
    ...mountRows(compared),
    ...portRows(compared),
    ...networkRows(compared),
    ...namespaceRows(compared),
    ...limitRows(compared),
    ...confinementRows(compared),
    ...labelRows(compared),
  ];
}

/** A difference as people read it, on one line. */
export function differenceText({ what, change, from, to }: Difference): string {
  const shown = change === "changed" && from !== undefined && to !== undefined ? ` (${from} -> ${to})` : "";
  return visibleLine(`${what} ${change}${shown}`);
}

/** Several differences; beyond six only their number is told. */
export function differencesText(found: readonly Difference[]): string {
  const texts = [...new Set(found.map(differenceText))];
  const more = texts.length > shownDifferences ? [`${texts.length - shownDifferences} more`] : [];
  return [...texts.slice(0, shownDifferences), ...more].join(", ");
}

const shownDifferences = 6;

/** An image's id as people write it: the first twelve digits. */
export function shortId(id: string): string {
  return id.replace(/^sha256:/, "").slice(0, 12);
}

/**
 * Services of which Compose's own hash says nothing: it hashes the service that their namespaces or volumes come from by name
 * when it is asked, and by its container's id when it makes the container; and it adds to others what no file says.
 */
export function isHashless(service: ComposeService): boolean {
  return (
    sharedServices(service).length > 0 ||
    service.volumesFrom.length > 0 ||
    service.useApiSocket ||
    service.models.length > 0
  );
}

/** The services whose namespaces or volumes a service shares. */
export function sharedServices({ networkMode, pid, ipc, volumesFrom }: ComposeService): string[] {
  const joined = [networkMode, pid, ipc].flatMap((mode) => /^service:(.+)$/.exec(mode ?? "")?.[1] ?? []);
  const volumes = volumesFrom.flatMap((entry) =>
    entry.startsWith("container:") ? [] : [entry.split(":")[0] ?? entry],
  );
  return [...new Set([...joined, ...volumes])];
}
