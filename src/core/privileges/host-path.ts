import { joinPath } from "../stack/stack.ts";
import type { PrivilegeContext } from "./privilege.ts";

/**
 * The one spelling of a host path that the rules compare: `..` and double slashes resolved, symlinks followed where the
 * context knows them, `/var/run` written as `/run`, and other names of the host's root (`/proc/1/root`, macOS, Docker
 * Desktop) taken away. A Windows path only has its backslashes turned.
 */
export function canonicalPath(path: string, context: Pick<PrivilegeContext, "realPaths">): string {
  const slashed = path.replaceAll("\\", "/");
  if (!slashed.startsWith("/")) return slashed;
  const lexical = joinPath("/", slashed);
  const real = context.realPaths?.get(lexical) ?? lexical;
  const rooted = real
    .replace(/^(\/host_mnt|\/proc\/(\d+|self)\/root)(?=\/|$)/, "")
    .replace(/^\/private(?=\/(var|tmp|etc)(\/|$))/, "")
    .replace(/^\/var\/run(?=\/|$)/, "/run");
  return rooted === "" ? "/" : rooted;
}

/** Whether a path is a folder or lies anywhere below it. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === "/" ? "/" : `${folder}/`);
}

/** How a canonical path is shown: relative in the project, and the Docker socket under the name that everybody knows. */
export function shownPath(path: string, context: PrivilegeContext): string {
  const root = canonicalPath(context.projectRoot, context);
  if (path === root) return ".";
  if (root !== "/" && isWithin(path, root)) return `.${path.slice(root.length)}`;
  return path === "/run/docker.sock" ? "/var/run/docker.sock" : path;
}
