import type { Access } from "./grants.ts";
import { guardPaths } from "./guard-policy.ts";
import type { Grant } from "./privilege.ts";

/** What runs in a container: the reference of its image, and entrypoint and command one after the other. */
export interface Program {
  readonly image: string;
  readonly words: readonly string[];
}

/** The image of the tool's own guard, by whatever version. Any other is somebody else's program. */
const guardImage = /^sandbox-deploy\/guard:[\w.-]+$/;

/** What compose/docker-compose.dood.yaml starts. */
const guardWords = [
  ...["node", "--max-semi-space-size=2", "/app/guard.js", "serve"],
  ...["--policy", guardPaths.policy, "--listen", `unix:${guardPaths.listen}/docker.sock`],
  ...["--upstream", `unix:${guardPaths.engineSocket}`, "--audit", `${guardPaths.audit}/audit.jsonl`],
];

/** Variables that put other code into a program before it starts. */
export const programVariables = ["NODE_OPTIONS", "NODE_PATH", "LD_PRELOAD", "LD_LIBRARY_PATH"] as const;

/**
 * Whether a container is the guard as it is shipped: our program and nothing else in it, reached by nobody but through the
 * directory in which it listens. Everything that differs makes it one more holder of the engine's socket.
 */
export function isGuard(access: Access): boolean {
  const { program, binds, volumes, variables, namespaces, networks } = access;
  const bindsBut = binds.filter(
    ({ target, writable }) => target !== guardPaths.engineSocket && (target !== guardPaths.policy || writable),
  );
  const targets: readonly string[] = [guardPaths.listen, guardPaths.audit];
  return (
    guardImage.test(program.image) &&
    isGuardProgram(program.words) &&
    programVariables.every((name) => (variables[name] ?? "") === "") &&
    bindsBut.length === 0 &&
    volumes.every(({ target }) => targets.includes(target)) &&
    networks.every((name) => name === "none") &&
    Object.keys(namespaces).length === 0 &&
    !access.privileged &&
    [access.capabilities, access.devices, access.deviceRules, access.deviceRequests, access.ports].every(isEmpty) &&
    [access.volumesFrom, access.links].every(isEmpty)
  );
}

function isEmpty(list: readonly unknown[]): boolean {
  return list.length === 0;
}

function isGuardProgram(words: readonly string[]): boolean {
  return words.length === guardWords.length && guardWords.every((word, index) => words[index] === word);
}

/** What the guard holds: it has the socket so that nobody else needs it, and hands on only what its policy names. */
export function asGuard(grants: readonly Grant[]): Grant[] {
  return grants.map((grant) => {
    if (grant.kind !== "runtime-socket") return grant;
    return { kind: grant.kind, detail: `${grant.detail}, as the guard` };
  });
}

/** Sandbox operations for whoever mounts a volume in which a guard listens. */
export function operationGrants(access: Access, guards: readonly Access[]): Grant[] {
  const doors = guards.flatMap(({ volumes }) => volumes.filter(({ target }) => target === guardPaths.listen));
  const isOpen = access.volumes.some(({ name }) => doors.some((door) => door.name === name));
  return isOpen && !isGuard(access) ? [{ kind: "sandbox-operations", detail: "through the guard" }] : [];
}
