import { relativePath } from "../stack/stack.ts";
import { copiedWord } from "../text/copied-word.ts";
import type { Problem, Verdict } from "./check.ts";

/** A file or folder that is to be open to its owner only. */
export interface PrivatePath {
  readonly path: string;
  readonly kind: "folder" | "file";
  readonly what: string;
  readonly mode: number;
  readonly uid: number;
}

/** Who looks at which paths. */
export interface FileFacts {
  readonly root: string;
  readonly uid: number | undefined;
  /** Undefined where nobody knows; whether this user may make files in the project's folder. */
  readonly writable: boolean | undefined;
  readonly paths: readonly PrivatePath[];
  /** Folders in which nobody else may make or replace files: the project's, and the tool's. */
  readonly folders: readonly { readonly path: string; readonly what: string; readonly mode: number }[];
}

/** Whether what is secret is open to its owner only, and belongs to who deploys, D217; whether there may be written at all, D049. */
export function judgeFiles({ root, uid, writable, paths, folders }: FileFacts): Verdict {
  const text =
    paths.length === 0
      ? "nothing is there yet"
      : `${paths.length} private ${paths.length === 1 ? "path is" : "paths are"} closed to others`;
  const problems = [
    ...readOnly(root, writable),
    ...folders.flatMap(folderProblems),
    ...paths.flatMap((each) => pathProblems(each, root, uid)),
  ];
  return { text, problems };
}

/** With the sticky bit others may only add files, which is no small thing either. */
function folderProblems({ path, what, mode }: FileFacts["folders"][number]): Problem[] {
  if ((mode & 0o002) === 0) return [];
  const sticky = (mode & 0o1000) !== 0;
  return [
    {
      code: "D217",
      severity: sticky ? "warning" : "error",
      message: `everybody on this machine may ${sticky ? "put files into" : "replace the files of"} ${what}, and so decide what is deployed`,
      evidence: [`${path} has mode ${(mode & 0o7777).toString(8).padStart(4, "0")}`],
      fix: `chmod o-w ${copiedWord(path)}`,
      mend: { name: "file-modes", path, mode: "o-w" },
    },
  ];
}

function readOnly(root: string, writable: boolean | undefined): Problem[] {
  if (writable !== false) return [];
  return [
    {
      code: "D049",
      severity: "error",
      message: `this user may not write in the project's folder ${root}`,
      evidence: [`test -w ${root} says no`],
      fix: `sudo chown -R "$(id -un)" ${copiedWord(root)}\nor run this as its owner`,
    },
  ];
}

function pathProblems(
  { path, kind, what, mode, uid }: PrivatePath,
  root: string,
  ownUid: number | undefined,
): Problem[] {
  const shown = relativePath(root, path);
  const wanted = kind === "folder" ? "0700" : "0600";
  const octal = (mode & 0o777).toString(8).padStart(4, "0");
  const foreign = ownUid !== undefined && uid !== ownUid && ownUid !== 0;
  const open = (mode & 0o077) !== 0;
  const owned: Problem = {
    code: "D217",
    severity: "warning",
    message: `${what} belongs to user ${uid}, not to the one who deploys: it cannot be written or believed`,
    evidence: [`${shown}: owner ${uid}, this user is ${ownUid}`],
    fix: `sudo chown -R ${ownUid} ${copiedWord(shown)}`,
  };
  const closed: Problem = {
    code: "D217",
    severity: (mode & 0o002) !== 0 ? "error" : "warning",
    message: `others on this machine may ${(mode & 0o022) !== 0 ? "change" : "read"} ${what}`,
    evidence: [`${shown} has mode ${octal}, ${wanted} is right`],
    fix: `chmod ${wanted} ${copiedWord(shown)}`,
    ...(foreign ? {} : { mend: { name: "file-modes", path, mode: wanted } as const }),
  };
  return [...(foreign ? [owned] : []), ...(open ? [closed] : [])];
}
