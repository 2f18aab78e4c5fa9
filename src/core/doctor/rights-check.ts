import { copiedWord } from "../text/copied-word.ts";
import type { Problem, Verdict } from "./check.ts";

/** Who asks, and what guards the engine's socket. */
export interface RightsFacts {
  readonly user: string;
  readonly uid: number | undefined;
  /** Names of the groups that this session has. */
  readonly groups: readonly string[];
  /** The text of /etc/group. */
  readonly groupFile: string;
  readonly socketPath: string | undefined;
  readonly socket: { readonly kind: string; readonly mode: number; readonly gid: number } | undefined;
  /** Undefined where the engine does not say, for it was not reached. */
  readonly rootless: boolean | undefined;
}

/** What this user may do with the engine, and who else may. */
export function judgeRights(facts: RightsFacts): Verdict {
  return { text: textOf(facts), problems: worldWritable(facts) };
}

function textOf({ user, uid, groups, socket, groupFile, rootless }: RightsFacts): string {
  const kind = rootless === undefined ? "" : rootless ? "; the engine is rootless" : "; the engine runs as root";
  if (uid === 0) return `user ${user}${kind}`;
  const group = groupNamed(groupFile, socket?.gid);
  const through = group !== undefined && groups.includes(group.name) ? `, through group ${group.name}` : "";
  return `user ${user}${through}${rootless === false && through !== "" ? " (equals root)" : ""}${kind}`;
}

/** What is seen of a user who may not use the socket, for D042. */
export function rightsEvidence({ user, groups, groupFile, socket, socketPath }: RightsFacts): {
  readonly evidence: readonly string[];
  readonly fix: string;
} {
  const group = groupNamed(groupFile, socket?.gid);
  const name = group?.name ?? "docker";
  const mode = socket === undefined ? "" : ` (mode ${shownMode(socket.mode)}, group ${group?.name ?? socket.gid})`;
  const evidence = [
    ...(socketPath === undefined ? [] : [`socket ${socketPath}${mode}`]),
    `user ${user} has the groups ${groups.join(" ") || "(none)"}`,
  ];
  if (group?.members.includes(user) === true && !groups.includes(group.name))
    return {
      evidence: [...evidence, `/etc/group has ${user} in ${name}, this session does not`],
      fix: `newgrp ${name}\nor log out and in again`,
    };
  return {
    evidence,
    fix: `sudo usermod -aG ${name} ${user}\nthat group equals root; log in again afterwards, or run this as root`,
  };
}

function worldWritable({ socket, socketPath, rootless }: RightsFacts): Problem[] {
  if (socket?.kind !== "socket" || socketPath === undefined || (socket.mode & 0o002) === 0) return [];
  const who = rootless ? "has all that its user has" : "is root on this machine";
  return [
    {
      code: "D207",
      severity: "warning",
      message: `everybody on this machine may use the Docker socket, and so ${who}`,
      evidence: [`${socketPath} has mode ${shownMode(socket.mode)}`],
      fix: `sudo chmod 0660 ${copiedWord(socketPath)}`,
    },
  ];
}

function groupNamed(groupFile: string, gid: number | undefined) {
  const rows = groupFile.split("\n").map((line) => line.split(":"));
  const row = rows.find(([, , number]) => gid !== undefined && number === String(gid));
  return row === undefined ? undefined : { name: row[0] ?? "", members: (row[3] ?? "").split(",") };
}

function shownMode(mode: number): string {
  return (mode & 0o777).toString(8).padStart(4, "0");
}
