import { copiedWord } from "../text/copied-word.ts";
import type { Problem, Verdict } from "./check.ts";
import { isLoopback } from "./registry-check.ts";

/** A right in a cluster; without a namespace it is meant in all of them. */
export interface Right {
  readonly verb: string;
  readonly resource: string;
  readonly namespace?: string;
}

/** What a provisioner does in its namespace. */
export function neededRights(namespace: string): Right[] {
  return [
    { verb: "create", resource: "pods", namespace },
    { verb: "get", resource: "pods", namespace },
    { verb: "delete", resource: "pods", namespace },
    { verb: "create", resource: "services", namespace },
  ];
}

/** What nobody needs to make sandboxes, and what leads to the whole cluster or to its nodes. */
export const broadRights: readonly Right[] = [
  { verb: "*", resource: "*" },
  { verb: "create", resource: "pods" },
  { verb: "get", resource: "secrets" },
  { verb: "create", resource: "clusterrolebindings" },
  { verb: "create", resource: "pods", namespace: "kube-system" },
];

/** Whether a right is granted; undefined where the cluster did not say. */
export interface RightAnswer {
  readonly right: Right;
  readonly allowed: boolean | undefined;
}

/** What is known of the cluster that the provisioner is to use. */
export interface ClusterFacts {
  readonly path: string;
  /** Why the kubeconfig cannot be used. */
  readonly problem: string | undefined;
  readonly server: string;
  /** The address that the provisioner uses in its place, where the environment names one. */
  readonly otherServer: string | undefined;
  readonly unverified: boolean;
  /** What the kubeconfig needs beside itself. */
  readonly outside: readonly string[];
  readonly namespace: string;
  /** Why the API server gave no answer. */
  readonly unreachable: string | undefined;
  readonly rights: readonly RightAnswer[];
  /** Why nobody could be asked for rights. */
  readonly rightsUnknown: string | undefined;
}

/** Whether the cluster can be used, and by no more than is needed: D217 to D221. */
export function judgeCluster(facts: ClusterFacts): Verdict {
  const { path, problem, server, rights, rightsUnknown, unreachable } = facts;
  if (problem !== undefined) return { text: "", problems: [unusable(path, problem)] };
  if (unreachable !== undefined) return { text: "", problems: [...fileProblems(facts), lost(server, unreachable)] };
  const text =
    rightsUnknown === undefined
      ? `${server} answers, ${rights.length} rights asked`
      : `${server} answers; rights unknown: ${rightsUnknown}`;
  return { text, problems: [...fileProblems(facts), ...lacking(facts), ...broad(facts)] };
}

function unusable(path: string, problem: string): Problem {
  return {
    code: "D219",
    severity: "error",
    message: `the kubeconfig ${path} cannot be used: ${problem}`,
    evidence: [`kubectl --kubeconfig ${copiedWord(path)} config view --minify shows what it says`],
    fix: `kubectl config view --minify --flatten > kubeconfig\nin a shell where kubectl works; then set sandbox.kubeconfig to that file`,
  };
}

function lost(server: string, why: string): Problem {
  return {
    code: "D218",
    severity: "error",
    message: `the cluster's API server ${server} cannot be reached`,
    evidence: [`${server}/version: ${why}`],
    fix: "kubectl cluster-info\nsays whether it runs; a VPN, a firewall or an old address in the kubeconfig are usual causes",
  };
}

function fileProblems({ path, outside, server, otherServer, unverified }: ClusterFacts): Problem[] {
  const host = new URL(server).host;
  const flatten = `kubectl --kubeconfig ${copiedWord(path)} config view --minify --flatten > kubeconfig`;
  return [
    ...(outside.length === 0
      ? []
      : [
          usage(
            `the kubeconfig ${path} needs more than itself, and the provisioner's container gets only this one file`,
            outside.map((each) => `it names ${each}`),
            `${flatten}\nand in the place of a program: kubectl create token ACCOUNT --namespace NAMESPACE, as the user's token`,
          ),
        ]),
    ...(isLoopback(host) && otherServer === undefined
      ? [
          usage(
            `the kubeconfig ${path} names ${host}, which inside the provisioner's container is the container itself`,
            [`server: ${server}`],
            `set K8S_API_SERVER=${server.replace(host, `host.docker.internal${host.replace(/^.*?(:\d+)?$/, "$1")}`)} in the environment file, for a cluster on this machine`,
          ),
        ]
      : []),
    ...(unverified
      ? [
          usage(
            `the kubeconfig ${path} does not look at the server's certificate: whoever is between can take its credentials`,
            ["insecure-skip-tls-verify: true"],
            "remove that line and give certificate-authority-data",
          ),
        ]
      : []),
  ];
}

function usage(message: string, evidence: readonly string[], fix: string): Problem {
  return { code: "D219", severity: "warning", message, evidence, fix };
}

function lacking({ rights, namespace }: ClusterFacts): Problem[] {
  const missing = neededRights(namespace).filter((right) => answerOf(rights, right) === false);
  if (missing.length === 0) return [];
  return [
    {
      code: "D220",
      severity: "error",
      message: `the provisioner may not do what it is for in the namespace ${namespace}`,
      evidence: missing.map((right) => `may not ${rightText(right)}`),
      fix: `kubectl create namespace ${namespace}; kubectl create role sandboxes --namespace ${namespace} --verb=create,get,list,watch,delete --resource=pods,pods/log,services\nand a rolebinding to it`,
    },
  ];
}

function broad({ rights, path, namespace }: ClusterFacts): Problem[] {
  const held = broadRights.filter((right) => answerOf(rights, right) === true);
  if (held.length === 0) return [];
  return [
    {
      code: "D221",
      severity: "warning",
      message: `the kubeconfig ${path} may do more than make sandboxes: who takes over the provisioner has all of it`,
      evidence: held.map((right) => `may ${rightText(right)}`),
      fix: `give it a service account whose role ends at the namespace: kubectl create serviceaccount sandboxes --namespace ${namespace}`,
    },
  ];
}

function answerOf(rights: readonly RightAnswer[], wanted: Right): boolean | undefined {
  return rights.find(({ right }) => rightText(right) === rightText(wanted))?.allowed;
}

/** A right as people say it. */
export function rightText({ verb, resource, namespace }: Right): string {
  const doing = verb === "*" ? "do anything with" : verb;
  const what = resource === "*" ? "everything" : resource;
  return `${doing} ${what} in ${namespace === undefined ? "every namespace" : `the namespace ${namespace}`}`;
}
