import { guardPaths } from "../stack/guard-policy.ts";
import type { Access } from "./grants.ts";
import { bindGrant, type HostBind } from "./host-bind.ts";
import { canonicalPath, isWithin, shownPath } from "./host-path.ts";
import type { Grant, PrivilegeContext, SandboxFolders } from "./privilege.ts";

/** What runs in a container: the reference of its image, and entrypoint and command one after the other. */
export interface Program {
  readonly image: string;
  readonly words: readonly string[];
  /** The health check, which is a program beside it, in the engine's form; empty where nobody said one. */
  readonly check: readonly string[];
}

/** What the image of the tool's own guard is called, whatever its version. Any other is somebody else's program. */
export const guardRepository = "sandbox-deploy/guard";

/** Whether a reference names the tool's own guard. */
export function isGuardImage(reference: string): boolean {
  return reference.startsWith(`${guardRepository}:`) && /^[\w.-]+$/.test(reference.slice(guardRepository.length + 1));
}

/** What compose/docker-compose.dood.yaml starts. */
const guardWords = [
  ...["node", "--max-semi-space-size=2", "/app/guard.js", "serve"],
  ...["--policy", guardPaths.policy, "--listen", `unix:${guardPaths.listen}/docker.sock`],
  ...["--upstream", `unix:${guardPaths.engineSocket}`, "--audit", `${guardPaths.audit}/audit.jsonl`],
];

/** What it is asked from time to time, by a process that has the socket as well. */
const checkWords = ["CMD", "node", "/app/guard.js", "healthcheck", "--listen", `unix:${guardPaths.listen}/docker.sock`];

/** Variables that put other code into a program before it starts. */
const codeVariables = [
  ...["NODE_OPTIONS", "NODE_PATH", "LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "GCONV_PATH"],
  ...["OPENSSL_CONF", "OPENSSL_ENGINES", "OPENSSL_MODULES"],
] as const;

/** These, and the one that says which program it is: images always set that. */
export const programVariables = [...codeVariables, "PATH"] as const;

/** Folders of the image, which nobody writes to; the empty one would be wherever the program starts. */
const programFolder = /^\/(?:usr\/(?:local\/)?)?s?bin$/;

/** Where the guard's container has its program, what that loads, and its own mounts. */
const guardTerritory = [
  ...["/app", "/bin", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/libx32", "/proc", "/run", "/sbin", "/sys", "/usr"],
  ...["/var/run", guardPaths.audit],
];

/**
 * Whether a container is the guard as it is shipped: our program and nothing else in it, reached by nobody but through the
 * directory in which it listens. It may see one directory more, the root below which its policy lets sandboxes mount.
 * Everything that differs makes it one more holder of the engine's socket.
 */
export function isGuard(access: Access, context: PrivilegeContext): boolean {
  const { program, binds, volumes, variables, namespaces, networks } = access;
  const bindsBut = binds.filter(
    ({ target, writable }) => target !== guardPaths.engineSocket && (target !== guardPaths.policy || writable),
  );
  const targets: readonly string[] = [guardPaths.listen, guardPaths.audit];
  return (
    isGuardImage(program.image) &&
    isSame(program.words, guardWords) &&
    (isSame(program.check, checkWords) || ["NONE", undefined].includes(program.check[0])) &&
    codeVariables.every((name) => (variables[name] ?? "") === "") &&
    (variables["PATH"] || "/bin").split(":").every((folder) => programFolder.test(folder)) &&
    (bindsBut.length === 0 ||
      (bindsBut.length === 1 && bindsBut.every((bind) => isRoot(bind, access.folders, context)))) &&
    volumes.every(({ target }) => targets.includes(target)) &&
    networks.every((name) => name === "none") &&
    Object.keys(namespaces).length === 0 &&
    !access.privileged &&
    [access.capabilities, access.devices, access.deviceRules, access.deviceRequests, access.ports].every(isEmpty) &&
    [access.volumesFrom, access.links].every(isEmpty)
  );
}

/** The root itself and no link to it, seen read-only under its own name, clear of the program, and no way to the host. */
function isRoot(bind: HostBind, folders: SandboxFolders | undefined, context: PrivilegeContext): boolean {
  const { source, target, writable } = bind;
  if (folders === undefined || writable || source !== folders.root || target !== folders.root) return false;
  if (context.realPaths?.get(source) !== source) return false;
  if (guardTerritory.some((path) => isWithin(source, path) || isWithin(path, source))) return false;
  const grant = bindGrant({ ...bind, writable: folders.writable }, context);
  return grant?.kind === "host-bind" && grant.consent !== "host-root";
}

function isEmpty(list: readonly unknown[]): boolean {
  return list.length === 0;
}

function isSame(words: readonly string[], shipped: readonly string[]): boolean {
  return words.length === shipped.length && shipped.every((word, index) => words[index] === word);
}

/** What the guard holds: it has the socket so that nobody else needs it, and hands on only what its policy names. */
export function asGuard(grants: readonly Grant[]): Grant[] {
  return grants.map((grant) => {
    if (grant.kind !== "runtime-socket") return grant;
    return { kind: grant.kind, detail: `${grant.detail}, as the guard` };
  });
}

/** Sandbox operations for whoever mounts a volume in which a guard listens, and the folders that they come with. */
export function operationGrants(access: Access, guards: readonly Access[], context: PrivilegeContext): Grant[] {
  const reached = guards.filter(({ volumes }) =>
    volumes.some(({ name, target }) => target === guardPaths.listen && access.volumes.some((own) => own.name === name)),
  );
  if (reached.length === 0 || guards.includes(access)) return [];
  return [
    { kind: "sandbox-operations", detail: "through the guard" },
    ...reached.flatMap(({ folders }) => (folders === undefined ? [] : [folderGrant(folders, context)])),
  ];
}

/** Who can make sandboxes has what they can mount: it takes the consent that mounting it itself would take. */
function folderGrant({ root, writable }: SandboxFolders, context: PrivilegeContext): Grant {
  const consent = bindGrant({ source: root, target: root, writable }, context)?.consent;
  const detail = `folders below ${shownPath(canonicalPath(root, context), context)} (${writable ? "rw" : "ro"})`;
  return { kind: "sandbox-folders", detail, ...(consent === undefined ? {} : { consent }) };
}

/** What a sandbox has mounted below the root of a guard is what was asked about already, when that was. */
export function isSandboxFolder(bind: HostBind, guards: readonly Access[], context: PrivilegeContext): boolean {
  const path = canonicalPath(bind.source, context);
  return guards.some(
    ({ folders }) =>
      folders !== undefined &&
      (folders.writable || !bind.writable) &&
      path !== folders.root &&
      isWithin(path, canonicalPath(folders.root, context)),
  );
}
