import {
  broadRights,
  type ClusterFacts,
  neededRights,
  type Right,
  type RightAnswer,
} from "../../core/doctor/cluster-check.ts";
import { type KubeAccess, type Material, outside, parseKubeconfig } from "../../core/doctor/kubeconfig.ts";
import { folderOf, resolvePath } from "../../core/stack/stack.ts";
import type { HttpAnswer, HttpRequest, World } from "../../world.ts";
import { type LastingWorld, within } from "./deadline.ts";
import { readIfPossible } from "./engine.ts";

/** What it takes to ask a cluster. */
export type ClusterWorld = LastingWorld & Pick<World, "files" | "home" | "env" | "reporter">;

/** Where the kubeconfig is, and what the stack's environment says about the cluster. */
export interface ClusterPlace {
  readonly path: string;
  readonly namespace: string;
  readonly otherServer: string | undefined;
}

/** Asks the cluster whether it is there and what this kubeconfig may do; undefined where there is no kubeconfig. */
export async function readCluster(
  world: ClusterWorld,
  seconds: number,
  place: ClusterPlace,
): Promise<ClusterFacts | undefined> {
  const text = await world.files.read(place.path);
  if (text === undefined) return undefined;
  const access = parseKubeconfig(text);
  const known = {
    ...place,
    ...{ problem: undefined, server: "", unverified: false, outside: [], unreachable: undefined },
    ...{ rights: [], rightsUnknown: undefined },
  };
  if ("problem" in access) return { ...known, problem: access.problem };
  const facts = { ...known, server: access.server, unverified: access.unverified, outside: outside(access) };
  const request = await requestFor(world, place.path, access);
  const version = await asked(world, seconds, { ...request, url: `${access.server}/version` });
  if (!version.ok) return { ...facts, unreachable: version.reason };
  return { ...facts, ...(await readRights(world, seconds, { place, access, request })) };
}

/** Everything of a request but what is asked. The credentials are hidden before they can be shown. */
async function requestFor(world: ClusterWorld, path: string, access: KubeAccess): Promise<Omit<HttpRequest, "url">> {
  const text = (material: Material | undefined) => textOf(world, path, material);
  const [ca, cert, key, token] = await Promise.all([
    text(access.authority),
    text(access.certificate),
    text(access.key),
    text(access.token),
  ]);
  const { basic } = access;
  const pair = basic === undefined ? "" : Buffer.from(`${basic.username}:${basic.password}`).toString("base64");
  world.reporter.hide([token.trim(), pair, basic?.password ?? "", key]);
  const authorization = token !== "" ? `Bearer ${token.trim()}` : pair === "" ? "" : `Basic ${pair}`;
  return {
    headers: { Accept: "application/json", ...(authorization === "" ? {} : { Authorization: authorization }) },
    tls: {
      ...(ca === "" ? {} : { ca }),
      ...(cert === "" || key === "" ? {} : { cert, key }),
      ...(access.serverName === undefined ? {} : { servername: access.serverName }),
      rejectUnauthorized: !access.unverified,
    },
  };
}

async function textOf(world: ClusterWorld, path: string, material: Material | undefined): Promise<string> {
  if (material?.kind !== "file") return material?.text ?? "";
  return readIfPossible(world, resolvePath(folderOf(path), world.home, material.path));
}

async function asked(world: ClusterWorld, seconds: number, request: HttpRequest): Promise<HttpAnswer> {
  const known = await within(world, seconds, (bound) => bound.http(request, bound.signal));
  return known.kind === "known" ? known.value : { ok: false, reason: `no answer within ${seconds} seconds` };
}

type Rights = Pick<ClusterFacts, "rights" | "rightsUnknown">;

/** The API itself is asked, as `kubectl auth can-i` does it; only where a program has the credentials it has to be kubectl. */
async function readRights(
  world: ClusterWorld,
  seconds: number,
  { place, access, request }: { place: ClusterPlace; access: KubeAccess; request: Omit<HttpRequest, "url"> },
): Promise<Rights> {
  const wanted = [...neededRights(place.namespace), ...broadRights];
  const ask = (right: Right) =>
    access.program === undefined
      ? askApi(world, seconds, { ...request, url: `${access.server}${reviewPath}` }, right)
      : askKubectl(world, seconds, place.path, right);
  const answers = await Promise.all(wanted.map(ask));
  const rights = answers.flatMap((answer): RightAnswer[] => ("problem" in answer ? [] : [answer]));
  const [refusal] = answers.flatMap((answer) => ("problem" in answer ? [answer.problem] : []));
  return { rights, rightsUnknown: rights.length === 0 ? refusal : undefined };
}

const reviewPath = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

type Answer = RightAnswer | { readonly problem: string };

async function askApi(world: ClusterWorld, seconds: number, request: HttpRequest, right: Right): Promise<Answer> {
  const { verb, resource, namespace } = right;
  const group = resource === "*" ? "*" : resource === "clusterrolebindings" ? "rbac.authorization.k8s.io" : "";
  const resourceAttributes = { verb, resource, group, ...(namespace === undefined ? {} : { namespace }) };
  const json = { apiVersion: "authorization.k8s.io/v1", kind: "SelfSubjectAccessReview", spec: { resourceAttributes } };
  const answer = await asked(world, seconds, { ...request, json });
  if (!answer.ok) return { problem: answer.reason };
  if (answer.status === 401) return { problem: "the cluster does not know these credentials (401)" };
  const allowed = /"allowed"\s*:\s*(true|false)/.exec(answer.body)?.[1];
  return allowed === undefined ? { problem: `status ${answer.status}` } : { right, allowed: allowed === "true" };
}

async function askKubectl(world: ClusterWorld, seconds: number, path: string, right: Right): Promise<Answer> {
  const { verb, resource, namespace } = right;
  const where = namespace === undefined ? ["--all-namespaces"] : ["--namespace", namespace];
  const args = ["--kubeconfig", path, "auth", "can-i", verb, resource, ...where];
  const known = await within(world, seconds, (bound) => bound.run({ program: "kubectl", args, env: bound.env }));
  if (known.kind !== "known") return { problem: `kubectl did not answer within ${seconds} seconds` };
  if (known.value.missing)
    return { problem: "the kubeconfig asks a program for its credentials, and there is no kubectl" };
  const said = known.value.stdout.trim().split("\n").at(-1) ?? "";
  return /^(yes|no)\b/.test(said) ? { right, allowed: said.startsWith("yes") } : { problem: "kubectl failed" };
}
