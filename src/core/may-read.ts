/** Whose a file is. */
export interface NumberedUser {
  readonly uid: number;
  readonly gid: number;
}

/** Whether a container's user may read a file of the host. An image's own user and users by name cannot be judged. */
export function mayRead(
  { mode, uid, gid }: NumberedUser & { readonly mode: number },
  user: string | undefined,
): boolean {
  const [owner, group] = /^(\d+)(?::(\d+))?$/.exec(user ?? "")?.slice(1) ?? [];
  if (owner === undefined || Number(owner) === 0) return true;
  if (Number(owner) === uid) return (mode & 0o400) !== 0;
  return (mode & (Number(group ?? 0) === gid ? 0o040 : 0o004)) !== 0;
}
