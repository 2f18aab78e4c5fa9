import type { ComposeModel, ComposeService } from "../stack/model.ts";
import { joinPath } from "../stack/stack.ts";
import { shownUrl } from "../text/shown-url.ts";
import { pathGrant } from "./host-bind.ts";
import { canonicalPath, isWithin } from "./host-path.ts";
import { type Grant, type Privilege, type PrivilegeContext, sortedPrivileges } from "./privilege.ts";

type Build = NonNullable<ComposeService["build"]>;

/**
 * What building the images of these services grants on the host, with the builds that theirs start from. What a
 * Dockerfile does is not read: it runs in a container of the builder, with what is granted here.
 */
export function privilegesOfBuilds(
  model: ComposeModel,
  services: readonly string[],
  context: PrivilegeContext,
): readonly Privilege[] {
  const privileges = withBases(model, services).flatMap((service) => {
    const build = serviceOf(model, service)?.build;
    return build === undefined ? [] : buildGrants(build, model, context).map((grant) => ({ service, ...grant }));
  });
  return sortedPrivileges(privileges);
}

/** A context `service:NAME` makes Compose build that service too, whether it was named or not. */
function withBases(model: ComposeModel, services: readonly string[]): string[] {
  const found = new Set(services);
  for (const name of found) {
    for (const context of Object.values(serviceOf(model, name)?.build?.additional_contexts ?? {}))
      if (context.startsWith("service:")) found.add(context.slice("service:".length));
  }
  return [...found];
}

function serviceOf(model: ComposeModel, name: string): ComposeService | undefined {
  return model.services[name] ?? model.buildServices[name];
}

function buildGrants(build: Build, model: ComposeModel, context: PrivilegeContext): Grant[] {
  const inputs = [
    ...networkGrants(build),
    ...contextsOf(build).flatMap(contextGrants),
    ...buildPaths(build, model, context.projectRoot).flatMap((path) => outsideGrants(path, context)),
    ...(build.ssh.some((key) => sshPath(key) === undefined) ? [sshAgent] : []),
    ...secretsOf(build, model).flatMap(({ environment }) => (environment ? [variableGrant(environment)] : [])),
  ];
  const during = inputs.map((grant) => ({ ...grant, detail: `${grant.detail}, during the image build` }));
  return [...programGrants(build, model), ...during].map((grant) => ({ ...grant, unseen: true }));
}

const knownEntitlements = ["network.host", "security.insecure"];

/** What a build may do as a program of the host, and what it may do that no path tells. */
function programGrants(build: Build, model: ComposeModel): Grant[] {
  const { privileged, entitlements } = build;
  const insecure = privileged || entitlements.includes("security.insecure");
  return [
    ...(insecure ? ["privileged image build"] : []),
    ...entitlements.filter((name) => !knownEntitlements.includes(name)).map((name) => `image build with ${name}`),
    ...computedTexts(build, model).map((text) => `${text}, which the image build takes apart`),
  ].map((detail) => ({ kind: "host-program", detail, consent: "host-root" }));
}

/**
 * Compose hands these texts to buildx, which fills in the templates that `$${` leaves to it, and reads a secret as a list
 * of fields: with a comma in it, any file of the host.
 */
function computedTexts(build: Build, model: ComposeModel): string[] {
  const { network = "", dockerfile = "", entitlements, ssh } = build;
  const files = secretsOf(build, model).flatMap(({ file, environment }) => [file ?? "", environment ?? ""]);
  const fields = [...files, ...build.secrets.flatMap(({ source, target }) => [source, target ?? ""]), ...ssh];
  const texts = [...contextsOf(build), dockerfile, network, ...entitlements, ...fields, ...cachesOf(build)];
  const templates = texts.flatMap((text) => text.match(/[$%]\{[^}]*\}?/g) ?? []);
  return [...templates, ...fields.filter((text) => /[,"]/.test(text))];
}

function networkGrants({ network = "", entitlements }: Build): Grant[] {
  const asked = entitlements.includes("network.host") ? "host" : network;
  if (["", "default", "none"].includes(asked)) return [];
  return [{ kind: "host-namespace", detail: `network: ${asked}`, consent: "host-network" }];
}

function contextsOf({ context, additional_contexts: others }: Build): string[] {
  return [...(context === undefined ? [] : [context]), ...Object.values(others)];
}

const otherImage = /^(docker-image:\/\/|service:|target:)/;
const remote = /^(https?:\/\/|git:\/\/|ssh:\/\/|git@|github\.com\/)/i;

/** Code from elsewhere is listed, as an image from a registry is not; what nobody knows how to read is taken for a path. */
function contextGrants(context: string): Grant[] {
  if (contextPath(context) !== undefined || otherImage.test(context)) return [];
  if (remote.test(context)) return [{ kind: "remote-code", detail: shownUrl(context) }];
  return [{ kind: "host-bind", detail: `${context} (ro)`, consent: "host-files" }];
}

/** The folder that a context is, relative only where Compose printed it so; undefined for anything but a folder. */
function contextPath(context: string): string | undefined {
  const [, layout] = /^oci-layout:\/\/([^@]*)/.exec(context) ?? [];
  if (layout !== undefined) return layout;
  return otherImage.test(context) || remote.test(context) || context.includes("://") ? undefined : context;
}

/** A path of the host that a build reads, or writes for a cache. */
export interface BuildPath {
  readonly source: string;
  readonly writable: boolean;
  /** Where it belongs: nothing more is granted if it lies there. */
  readonly folder?: string;
}

/** Every path of the host that a build names; one of a cache starts at the folder of the project. */
export function buildPaths(build: Build, model: ComposeModel, projectRoot: string): BuildPath[] {
  const { context, dockerfile } = build;
  const folders = (contexts: readonly string[]) =>
    contexts.flatMap((each) => contextPath(each) ?? []).map((path) => fromFolder(projectRoot, path));
  const [folder] = folders(context === undefined ? [] : [context]);
  const read = [
    ...folders(contextsOf(build)),
    ...secretsOf(build, model).flatMap(({ file }) => file ?? []),
    ...build.ssh.flatMap((key) => sshPath(key) ?? []),
  ];
  return [
    ...read.map((source) => ({ source, writable: false })),
    ...(dockerfile && folder ? [{ source: fromFolder(folder, dockerfile), writable: false, folder }] : []),
    ...cachePaths(build.cache_from, "src", false, projectRoot),
    ...cachePaths(build.cache_to, "dest", true, projectRoot),
  ];
}

/** The options of a cache are fields of CSV. */
function cachePaths(caches: readonly string[], key: "src" | "dest", writable: boolean, folder: string): BuildPath[] {
  return caches.flatMap((cache) => {
    const fields = [...cache.matchAll(/"((?:[^"]|"")*)"|[^,]+/g)].map(([field, quoted]) => quoted ?? field);
    const values = (name: string) =>
      fields.flatMap((field) => {
        const [, found, value = ""] = /^\s*([a-z]+)\s*=(.*)$/is.exec(field) ?? [];
        return found?.toLowerCase() === name ? [value] : [];
      });
    const paths = values("type").includes("local") ? values(key) : [];
    return paths.map((path) => ({ source: fromFolder(folder, path), writable }));
  });
}

function fromFolder(folder: string, path: string): string {
  return path.startsWith("/") ? path : joinPath(folder, path);
}

/** What lies in the project or in the tool's checkout was put there for the stack, unless it takes consent all the same. */
function outsideGrants({ source, writable, folder }: BuildPath, context: PrivilegeContext): Grant[] {
  const path = canonicalPath(source, context);
  if (folder !== undefined && isWithin(path, canonicalPath(folder, context))) return [];
  const { projectRoot, toolRoot = projectRoot } = context;
  const isOwn = [projectRoot, toolRoot].some((root) => isWithin(path, canonicalPath(root, context)));
  const grant = pathGrant({ source, target: source, writable }, context);
  return isOwn && grant.consent === undefined ? [] : [grant];
}

function cachesOf({ cache_from: from, cache_to: to }: Build): string[] {
  return [...from, ...to];
}

function secretsOf({ secrets }: Build, model: ComposeModel): ComposeModel["secrets"][string][] {
  return secrets.flatMap(({ source }) => model.secrets[source] ?? []);
}

/** An id alone is the agent of whoever builds; a key or another agent is named by its path. */
function sshPath(key: string): string | undefined {
  return /^[^=:]*[=:]\s*(\/.*)$/.exec(key)?.[1];
}

const sshAgent: Grant = { kind: "credential-directory", detail: "SSH agent", consent: "host-files" };

function variableGrant(name: string): Grant {
  return { kind: "credential-directory", detail: `variable ${name}` };
}
