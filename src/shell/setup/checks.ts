import { isMap, parseDocument } from "yaml";
import { type CredentialName, loginPath } from "../../core/credentials/credential.ts";
import { isLoopback, mebibytesOf } from "../../core/setup/answer-forms.ts";
import type { Answers, Question } from "../../core/setup/question.ts";
import { resolvePath, type Territory } from "../../core/stack/stack.ts";
import { FileReadError } from "../../files.ts";
import type { World } from "../../world.ts";
import { engineFinding } from "../engine/engine.ts";

/** How long a question to an engine, a cluster or a name server may take. */
const deadlineMilliseconds = 5000;

/** What checks need to know beside the answers. */
export interface Checked {
  readonly territory: Territory;
  readonly project: string;
  /** The variables of the environment file, with defaults. */
  readonly env: ReadonlyMap<string, string>;
}

/**
 * Looks whether this machine fits an answer. What does not fit is told in a sentence, and the operator may know better: an
 * answer that only a check doubts is still an answer. Ends within seconds.
 */
export async function checkAnswer(
  world: World,
  { id }: Pick<Question, "id">,
  value: string,
  answers: Answers,
  checked: Checked,
): Promise<string | undefined> {
  switch (id) {
    case "mode":
      return value === "aio" ? dockerProblem(world, checked.territory.socketPath) : undefined;
    case "kubeconfig":
      return clusterProblem(world, resolvePath(checked.territory.root, world.home, value), checked.env);
    case "address":
      return addressProblem(world, value) ?? doorProblem(world, value, answers, checked.project);
    case "port":
      return portProblem(world, answers.address ?? "127.0.0.1", Number(value), checked.project);
    case "memory":
      return memoryProblem(world, value);
    case "cpus":
      return cpuProblem(world, Number(value));
    case "domain":
      return domainProblem(world, value);
    case "certificate":
    case "certificate-key":
      return fileProblem(world, resolvePath(checked.territory.root, world.home, value));
    case "claude":
    case "codex":
      return loginProblem(world, id, value);
    case "provisioner-image":
    case "exposure":
    case "tls":
    case "acme-email":
    case "pids":
    case "sandboxes":
      return undefined;
  }
}

/** Why containers cannot be started through this socket; undefined where they can. */
export async function dockerProblem(world: World, socketPath: string): Promise<string | undefined> {
  const stat = await world.files.stat(socketPath).catch(ignoreUnreadable);
  if (stat === undefined) return `there is no Docker socket at ${socketPath}`;
  if (stat.kind !== "socket") return `${socketPath} is not a socket`;
  const args = ["version", "--format", "{{.Server.Version}}"];
  const signal = AbortSignal.timeout(deadlineMilliseconds);
  const result = await world.run({ program: "docker", args, env: world.env }, { signal });
  world.signal.throwIfAborted();
  if (result.exitCode === 0) return undefined;
  return signal.aborted ? `Docker does not answer within ${seconds}` : engineFinding(result).message;
}

const seconds = `${deadlineMilliseconds / 1000} seconds`;

/** With a domain the stack has these two ports and no other. */
async function doorProblem(
  world: World,
  address: string,
  { exposure }: Answers,
  project: string,
): Promise<string | undefined> {
  if (exposure !== "domain") return undefined;
  const found = await Promise.all([80, 443].map((port) => portProblem(world, address, port, project)));
  return found.find((problem) => problem !== undefined);
}

async function domainProblem(world: World, name: string): Promise<string | undefined> {
  const found = await world.resolveName(name, deadlineMilliseconds);
  if (found === undefined) return `no name server answers within ${seconds}, so nobody knows where ${name} leads`;
  if (found.length === 0) return `no name server knows ${name} yet`;
  const own = [...world.addresses(), "127.0.0.1", "::1"];
  if (found.some((address) => own.includes(address))) return undefined;
  return `${name} leads to ${found.join(", ")}, which is not an address of this machine; that is right only where a router or a load balancer there passes ports 80 and 443 on`;
}

async function fileProblem(world: World, path: string): Promise<string | undefined> {
  const stat = await world.files.stat(path).catch(ignoreUnreadable);
  if (stat === undefined) return `there is no file ${path}`;
  return stat.kind === "file" ? undefined : `${path} is not a file`;
}

async function loginProblem(world: World, login: CredentialName, form: string): Promise<string | undefined> {
  if (form !== "file" && form !== "directory") return undefined;
  const path = resolvePath("/", world.home, loginPath(login, form));
  const stat = await world.files.stat(path).catch(ignoreUnreadable);
  if (stat === undefined) return `there is no ${form} ${path}`;
  return stat.kind === form ? undefined : `${path} is not a ${form}`;
}

/** Why the provisioner could not use this kubeconfig; undefined where its cluster answers. */
export async function clusterProblem(
  world: World,
  path: string,
  env: ReadonlyMap<string, string>,
): Promise<string | undefined> {
  const missing = await fileProblem(world, path);
  if (missing !== undefined) return missing;
  const text = await world.files.read(path).catch(ignoreUnreadable);
  if (text === undefined) return `you may not read ${path}`;
  const server = serverOf(text);
  if (server === undefined) return `${path} names no cluster, so it is hardly a kubeconfig`;
  const answer = await world.probe(`${server.replace(/\/$/, "")}/version`, deadlineMilliseconds);
  world.signal.throwIfAborted();
  if (!answer.ok && !isAboutCertificate(answer.reason))
    return `the cluster at ${server} does not answer: ${answer.reason}`;
  const host = /^https?:\/\/\[?([^/\]]*?)\]?(?::\d+)?(?:\/|$)/.exec(server)?.[1] ?? "";
  if ((isLoopback(host) || host === "localhost") && !env.get("K8S_API_SERVER"))
    return `the cluster is at ${server}, which inside a container is the container itself: K8S_API_SERVER in the environment file has to name it otherwise`;
  return undefined;
}

/** A cluster's certificate is its own, which nobody here knows: that it has one is an answer. */
function isAboutCertificate(reason: string): boolean {
  return /certificate|self.signed|issuer|CERT|altname/i.test(reason);
}

/** The server of the current context; the first one where none is current. */
function serverOf(text: string): string | undefined {
  const document = parseDocument(text);
  if (document.errors.length > 0 || !isMap(document.contents)) return undefined;
  const { contexts, clusters, "current-context": current } = recordOf(document.toJS({ maxAliasCount: 100 }));
  const context = named(contexts, current);
  const cluster = named(clusters, recordOf(context["context"])["cluster"]);
  const server = recordOf(cluster["cluster"])["server"];
  return typeof server === "string" && /^https?:\/\//.test(server) ? server : undefined;
}

function named(list: unknown, name: unknown): Readonly<Record<string, unknown>> {
  const items = Array.isArray(list) ? list.map(recordOf) : [];
  return items.find((item) => item["name"] === name) ?? items[0] ?? {};
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function addressProblem(world: World, address: string): string | undefined {
  const own = world.addresses();
  if (address === "0.0.0.0" || address === "::" || isLoopback(address) || own.includes(address)) return undefined;
  return `this machine has no address ${address} now, only ${own.join(", ") || "loopback ones"}`;
}

async function portProblem(world: World, host: string, port: number, project: string): Promise<string | undefined> {
  const state = await world.portState(host, port);
  if (state.free) return undefined;
  const format = '{{.Names}}\t{{.Label "com.docker.compose.project"}}';
  const args = ["ps", "--filter", `publish=${port}`, "--format", format];
  const signal = AbortSignal.timeout(deadlineMilliseconds);
  const { stdout } = await world.run({ program: "docker", args, env: world.env }, { signal });
  world.signal.throwIfAborted();
  const [name, owner] = (stdout.split("\n")[0] ?? "").split("\t");
  // Its own stack holds it, and will have it again.
  if (name && owner === project) return undefined;
  return `port ${port} is in use by ${name ? `the container ${name}` : state.owner}`;
}

async function memoryProblem(world: World, size: string): Promise<string | undefined> {
  const text = (await world.files.read("/proc/meminfo").catch(ignoreUnreadable)) ?? "";
  const total = Math.floor(Number(/^MemTotal:\s+(\d+) kB$/m.exec(text)?.[1] ?? 0) / 1024);
  return total > 0 && mebibytesOf(size) > total ? `this machine has only ${total} MiB of memory` : undefined;
}

async function cpuProblem(world: World, count: number): Promise<string | undefined> {
  const text = (await world.files.read("/proc/cpuinfo").catch(ignoreUnreadable)) ?? "";
  const present = text.match(/^processor\s*:/gm)?.length ?? 0;
  return present > 0 && count > present
    ? `this machine has ${present} processor${present === 1 ? "" : "s"}, and Docker refuses more`
    : undefined;
}

function ignoreUnreadable(error: unknown): undefined {
  if (!(error instanceof FileReadError)) throw error;
}
