import type { Finding } from "../findings/finding.ts";
import { isIgnored } from "../stack/docker-ignore.ts";
import type { ComposeModel } from "../stack/model.ts";
import { relativePath } from "../stack/stack.ts";
import { copiedWord } from "../text/copied-word.ts";

/** Who may do what with the environment file. */
export interface EnvAccess {
  readonly mode: number;
  readonly uid: number;
  /** The user that this tool runs as; undefined where the system does not say. */
  readonly ownUid: number | undefined;
  /** The owner of the folder that the configuration is in. */
  readonly folderUid: number | undefined;
}

/** What git knows of the environment file. */
export interface EnvInGit {
  readonly tracked: boolean;
  /** The short name of the last commit that touched it. */
  readonly commit: string | undefined;
}

/** Who else can read or change the environment file, D106: an error where anybody on this machine decides what is deployed. */
export function accessFindings(file: string, { mode, uid, ownUid, folderUid }: EnvAccess): Finding[] {
  const owners = ownUid === 0 ? [0, folderUid] : [0, ownUid];
  const shown = (mode & 0o777).toString(8).padStart(4, "0");
  const finding = (severity: Finding["severity"], message: string, fix: string): Finding => {
    return { code: "D106", severity, message, fix, at: { file } };
  };
  const fix = `chmod 0600 ${copiedWord(file)}`;
  return [
    ...((mode & 0o002) !== 0
      ? [finding("error", `everybody on this machine may change ${file} (mode ${shown}), and so what is deployed`, fix)]
      : (mode & 0o020) !== 0
        ? [finding("warning", `others may change ${file} (mode ${shown}), which holds secrets`, fix)]
        : (mode & 0o044) !== 0
          ? [finding("warning", `others may read ${file} (mode ${shown}), which holds secrets`, fix)]
          : []),
    ...(ownUid === undefined || owners.includes(uid)
      ? []
      : [
          finding(
            "warning",
            `${file} belongs to user ${uid}, who can read and change it`,
            `chown it to the one who deploys, user ${ownUid}`,
          ),
        ]),
  ];
}

/** The environment file is, or was, in a repository, D107: its secrets are known wherever that was pushed. */
export function gitFindings(file: string, { tracked, commit }: EnvInGit): Finding[] {
  const finding = (message: string, fix: string): Finding => {
    return { code: "D107", severity: "warning", message, fix, at: { file } };
  };
  if (tracked) {
    const fix = `git rm --cached ${copiedWord(file)}, add it to .gitignore, and give its secrets new values`;
    return [finding(`git tracks ${file}, so that its secrets go wherever the repository goes`, fix)];
  }
  if (commit === undefined) return [];
  const fix = "give the secrets that were in it new values: removing a file leaves it in the history";
  return [finding(`git has ${file} in its history (${commit})`, fix)];
}

/** A build context that a service of the stack is built from. */
export interface BuildContext {
  readonly service: string;
  /** Absolute. */
  readonly path: string;
  /** The text of the `.dockerignore` that counts for it, if there is one. */
  readonly ignore: string | undefined;
}

/** Folders on this machine that services are built from, with the Dockerfile of each. */
export function buildContexts(
  model: ComposeModel,
): { readonly service: string; readonly path: string; readonly dockerfile: string }[] {
  const services = [...Object.entries(model.services), ...Object.entries(model.buildServices)];
  return services.flatMap(([service, { build }]) =>
    build?.context?.startsWith("/")
      ? [{ service, path: build.context.replace(/(?<=.)\/+$/, ""), dockerfile: build.dockerfile ?? "Dockerfile" }]
      : [],
  );
}

/** Files with secrets that a build sends to the engine and a `COPY . .` puts into an image, D108. */
export function buildFindings(file: string, paths: readonly string[], contexts: readonly BuildContext[]): Finding[] {
  return contexts.flatMap(({ service, path, ignore }, index): Finding[] => {
    const isFirst = contexts.findIndex((other) => other.path === path && other.ignore === ignore) === index;
    const sent = paths.flatMap((each) => {
      const inside = relativePath(path, each);
      return inside === each || isIgnored(ignore ?? "", inside) ? [] : [inside];
    });
    if (!isFirst || sent.length === 0) return [];
    return [
      {
        code: "D108",
        severity: "warning",
        message: `${service} is built from ${path}, and the build gets ${sent.join(" and ")} with it: a COPY of that folder puts secrets into the image`,
        fix: `write ${sent.join(" and ")} into ${path === "/" ? "" : path}/.dockerignore`,
        at: { file },
      },
    ];
  });
}
