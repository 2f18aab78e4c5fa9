import {
  comparePrivileges,
  type Privilege,
  type PrivilegeChange,
  type PrivilegeChangeKind,
  privilegeKey,
  sortedPrivileges,
} from "./privilege.ts";

const order: readonly PrivilegeChangeKind[] = ["gained", "lost", "kept"];

/** What a stack gains, loses and keeps between two computations of its privileges, gains first. */
export function diffPrivileges(before: readonly Privilege[], after: readonly Privilege[]): readonly PrivilegeChange[] {
  const held = new Set(before.map(privilegeKey));
  const wanted = new Set(after.map(privilegeKey));
  const lost = before.filter((privilege) => !wanted.has(privilegeKey(privilege)));
  const changes: PrivilegeChange[] = [
    ...sortedPrivileges(after).map((privilege) =>
      changed(privilege, held.has(privilegeKey(privilege)) ? "kept" : "gained"),
    ),
    ...sortedPrivileges(lost).map((privilege) => changed(privilege, "lost")),
  ];
  return changes.sort((a, b) => order.indexOf(a.change) - order.indexOf(b.change) || comparePrivileges(a, b));
}

function changed(privilege: Privilege, change: PrivilegeChangeKind): PrivilegeChange {
  return { ...privilege, change };
}
