import type { Held } from "../containers/live-excess.ts";
import { visibleLine } from "../text/visible-text.ts";
import { type Privilege, type PrivilegeChange, privilegeKey } from "./privilege.ts";

/** A privilege that a deployment took away, and the containers that were seen without it. */
export interface DroppedPrivilege extends Pick<Privilege, "service" | "kind" | "detail"> {
  /** Names; empty where nothing of the service is left. */
  readonly provenOn: readonly string[];
}

/** What the plan took away and no container of its service holds any more, from what the containers themselves show. */
export function droppedPrivileges(changes: readonly PrivilegeChange[], held: readonly Held[]): DroppedPrivilege[] {
  return changes
    .filter(({ change }) => change === "lost")
    .flatMap((lost) => {
      const mine = held.filter(({ container }) => (container.service ?? "sandbox") === lost.service);
      const isHeld = mine.some(({ privileges }) =>
        privileges.some((each) => privilegeKey(each) === privilegeKey(lost)),
      );
      if (isHeld) return [];
      const { service, kind, detail } = lost;
      return [{ service, kind, detail, provenOn: mine.map(({ container }) => container.name) }];
    });
}

/** A proof as people read it. */
export function droppedText({ service, kind, detail, provenOn }: DroppedPrivilege): string {
  const proof = provenOn.length === 0 ? "it has no container any more" : `verified on ${provenOn.join(", ")}`;
  return visibleLine(`${service} no longer holds ${kind} ${detail}: ${proof}`);
}
