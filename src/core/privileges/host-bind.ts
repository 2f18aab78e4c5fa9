import { directoryFolder, sourceFolder } from "../credentials/credential.ts";
import { canonicalPath, isWithin, shownPath } from "./host-path.ts";
import type { ConsentName, Grant, PrivilegeContext } from "./privilege.ts";

/** A path of the host inside a container, whichever way it got there: bind, file secret, config, or volume options. */
export interface HostBind {
  readonly source: string;
  readonly target: string;
  readonly writable: boolean;
}

const runtimeSocket =
  /(docker|containerd|podman|crio|cri-o|buildkitd)[^/]*\.sock(et)?(\.\w+)?$|\/(lxd|incus)\/unix\.socket$|\/pipe\/[^/]*(docker|podman|containerd|buildkit)[^/]*$/i;
const runtimeFolders = ["/run/docker", "/run/containerd", "/run/podman", "/run/crio", "/run/buildkit", "/run/k3s"];
const holdersOfSockets = ["/run/docker.sock", "/run/user", ...runtimeFolders];
const userRuntimeFolder = /^\/run\/user\/[^/]+(\/(docker|podman|containerd|buildkit)[^/]*)?$/;

/** State of runtimes: the file systems, environments and secrets of every container. */
const runtimeState = words("/var/lib/docker /var/lib/containerd /var/lib/containers /var/lib/kubelet /var/lib/rancher");
/** Writing here, at any depth, changes what root runs, or the kernel. */
const rootOwned = [
  ...runtimeState,
  ...words("/etc /proc /sys /boot /usr /lib /lib64 /bin /sbin /run/systemd /run/dbus /var/spool/cron"),
];
/** Reading here, at any depth, shows password hashes, keys, or the environment of every process. */
const secretHolding = [
  ...runtimeState,
  ...words("/proc /etc/shadow /etc/gshadow /etc/ssh /etc/ssl/private /etc/kubernetes /etc/rancher"),
];
/** Sockets, and folders of sockets, of services that start programs as root for whoever may connect. */
const rootServices = ["/run/dbus", "/run/dbus/system_bus_socket", "/run/systemd", "/run/systemd/private"];
/** Files that decide what the next deployment grants, relative to the project. */
const deploymentFiles = [".deploy", "deploy.config.yaml", ".env", ".git"];

/** What the operator runs on the host next time, relative to the tool's checkout. */
const toolFiles = words("deploy dist src scripts compose templates node_modules package.json .git");

const credentialPaths = [
  ...words(
    ".ssh .aws .azure .docker .kube .gnupg .oci .netrc .git-credentials .npmrc .pypirc .password-store .vault-token",
  ),
  ...words(".terraform.d .config/gcloud .config/gh .config/op .local/share/keyrings"),
];
/** Homes of agent command lines: one file out of them, read-only, is the narrow way to lend a login. */
const agentPaths = [".claude", ".claude.json", ".codex", ".gemini"];
/** Agents that hold unlocked keys; a socket does not know read-only. */
const keyAgent = /\/ssh-[^/]+\/agent\.\d+$|\/ssh-auth\.sock$|\/S\.gpg-agent[^/]*$|\/keyring(\/ssh)?$/;
const credentialParents = /\/\.(config|local|local\/share)$/;
const kubeconfigName =
  /(^|[/.-])kubeconfig(\.(ya?ml|json|conf))?$|\/\.kube\/[^/]+$|\/etc\/kubernetes\/[^/]+\.conf$|\/k3s\.yaml$/i;

/** Paths in the container that variables name: where a kubeconfig and the socket of an engine are looked for. */
export interface NamedTargets {
  readonly kubeconfigs: readonly string[];
  readonly sockets: readonly string[];
}

/** Judges one host path; undefined for a file secret of the project, which is no news. `:ro` never tames a socket. */
export function bindGrant(
  bind: HostBind,
  context: PrivilegeContext,
  { kubeconfigs, sockets }: NamedTargets = { kubeconfigs: [], sockets: [] },
): Grant | undefined {
  const path = canonicalPath(bind.source, context);
  const detail = `${shownPath(path, context)} (${bind.writable ? "rw" : "ro"})`;
  const isNamed = sockets.some((socket) => isWithin(socket, bind.target)) && !isInside(path, context);
  if (runtimeSocket.test(path) || isNamed) return { kind: "runtime-socket", detail, consent: "host-root" };
  if (holdsRuntimeSocket(path))
    return { kind: "runtime-socket", detail: `${detail}, holds runtime sockets`, consent: "host-root" };
  const grant = pathGrant(bind, context, kubeconfigs);
  const isOwn = !bind.writable && isInside(path, context) && isWithin(bind.target, "/run/secrets");
  return isOwn && grant.kind === "host-bind" && grant.consent === undefined ? undefined : grant;
}

/** Judges the files at a path and below it, but no sockets: an image build reads only files. */
export function pathGrant(bind: HostBind, context: PrivilegeContext, kubeconfigs: readonly string[] = []): Grant {
  const path = canonicalPath(bind.source, context);
  const detail = `${shownPath(path, context)} (${bind.writable ? "rw" : "ro"})`;
  const credential = lentGrant(bind.target) ?? credentialGrant(path, bind.writable, context) ?? keptGrant(bind.target);
  const consent = pathConsent(path, bind.writable, context);
  const reach = consent === undefined ? { detail } : { detail, consent };
  if (isKubeconfig(path, bind.target, kubeconfigs)) return { kind: "kubeconfig", ...reach };
  if (credential) return { kind: "credential-directory", detail, ...credential };
  return { kind: "host-bind", ...reach };
}

/** What was put where the tool puts logins is one, whatever it is called on the host; a directory shows more than a login. */
function lentGrant(target: string): { consent?: ConsentName } | undefined {
  return isWithin(target, directoryFolder) ? { consent: "host-files" } : undefined;
}

function keptGrant(target: string): { consent?: ConsentName } | undefined {
  return isWithin(target, sourceFolder) ? {} : undefined;
}

function holdsRuntimeSocket(path: string): boolean {
  const contains = holdersOfSockets.some((socket) => isWithin(socket, path));
  return contains || runtimeFolders.some((folder) => isWithin(path, folder)) || userRuntimeFolder.test(path);
}

function isInside(path: string, context: PrivilegeContext): boolean {
  return isWithin(path, projectFolder(context));
}

function projectFolder(context: PrivilegeContext): string {
  return canonicalPath(context.projectRoot, context);
}

function isKubeconfig(path: string, target: string, kubeconfigTargets: readonly string[]): boolean {
  if (path.endsWith("/.kube")) return false;
  return (
    kubeconfigName.test(path) ||
    kubeconfigName.test(target) ||
    kubeconfigTargets.some((wanted) => target !== "/" && isWithin(wanted, target))
  );
}

/** Credentials of a person; what lies in the project and not in the home was put there for the stack. */
function credentialGrant(
  path: string,
  writable: boolean,
  context: PrivilegeContext,
): { consent?: ConsentName } | undefined {
  const inHome = isWithin(path, canonicalPath(context.home, context));
  const root = isInside(path, context) ? projectFolder(context) : undefined;
  // Parts of the path above the project are not the bind's: a project may live below ~/.config.
  const judged = root === undefined ? path : path.slice(root.length);
  if (root !== undefined && !(inHome && isWithin(canonicalPath(context.home, context), root))) return undefined;
  const holds = (name: string) => `${judged}/`.includes(`/${name}/`);
  if (agentPaths.some(holds)) {
    const whole = agentPaths.some((name) => judged.endsWith(`/${name}`));
    return whole || writable ? { consent: "host-files" } : {};
  }
  if (writable && holds(".ssh")) return { consent: "host-root" };
  if (keyAgent.test(judged)) return { consent: "host-files" };
  return credentialPaths.some(holds) || credentialParents.test(judged) ? { consent: "host-files" } : undefined;
}

/** The consent that reaching a path takes, by what can be done to the host through it. */
function pathConsent(path: string, writable: boolean, context: PrivilegeContext): ConsentName | undefined {
  const homes = [
    "/root",
    "/home",
    canonicalPath(context.home, context),
    ...(/^\/(home|Users)\/[^/]+$/.test(path) ? [path] : []),
  ];
  const project = projectFolder(context);
  const touches = (roots: readonly string[]) =>
    roots.some(
      (root) => isWithin(root, path) || (isWithin(path, root) && !(isWithin(path, project) && isWithin(project, root))),
    );
  const contains = (roots: readonly string[]) => roots.some((root) => isWithin(root, path));
  if (rootServices.includes(path)) return "host-root";
  if (!writable) return touches(secretHolding) || contains(homes) ? "host-files" : undefined;
  const own =
    context.toolRoot === undefined
      ? []
      : toolFiles.map((name) => canonicalPath(`${context.toolRoot}/${name}`, context));
  const deciding = [...deploymentFiles.map((name) => `${project}/${name}`), ...own];
  const decisive = deciding.some((file) => isWithin(path, file) || isWithin(file, path));
  if (decisive || touches(rootOwned) || contains(["/dev", ...homes, project])) return "host-root";
  return isInside(path, context) ? undefined : "host-files";
}

function words(text: string): string[] {
  return text.split(" ");
}
