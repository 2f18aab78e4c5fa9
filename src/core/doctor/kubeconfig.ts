import "../schema-settings.ts";
import { parse } from "yaml";
import * as z from "zod";
import { flag, listOf, maybe } from "../stack/nullish-schema.ts";

const word = maybe(z.string());
const schema = z.object({
  "current-context": word,
  contexts: listOf(
    z.object({ name: z.string(), context: maybe(z.object({ cluster: word, user: word, namespace: word })) }),
  ),
  clusters: listOf(
    z.object({
      name: z.string(),
      cluster: maybe(
        z.object({
          server: word,
          "certificate-authority": word,
          "certificate-authority-data": word,
          "insecure-skip-tls-verify": flag,
          "tls-server-name": word,
        }),
      ),
    }),
  ),
  users: listOf(
    z.object({
      name: z.string(),
      user: maybe(
        z.object({
          token: word,
          tokenFile: word,
          "client-certificate": word,
          "client-certificate-data": word,
          "client-key": word,
          "client-key-data": word,
          username: word,
          password: word,
          exec: maybe(z.object({ command: z.string() })),
          "auth-provider": maybe(z.object({ name: word })),
        }),
      ),
    }),
  ),
});

/** Something that stands in the kubeconfig itself, or in another file that it names. */
export type Material =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "file"; readonly path: string };

/** What a kubeconfig's current context says: where the cluster is, and by what this user is known there. Holds secrets. */
export interface KubeAccess {
  readonly server: string;
  readonly authority: Material | undefined;
  /** Whether the server's certificate is not looked at. */
  readonly unverified: boolean;
  readonly serverName: string | undefined;
  readonly token: Material | undefined;
  readonly certificate: Material | undefined;
  readonly key: Material | undefined;
  readonly basic: { readonly username: string; readonly password: string } | undefined;
  /** A program that is asked for the credentials. */
  readonly program: string | undefined;
}

/** Reads the current context of a kubeconfig, or says what is wrong with it. No value of the file is in the reason. */
export function parseKubeconfig(text: string): KubeAccess | { readonly problem: string } {
  const file = schema.safeParse(parseYaml(text)).data;
  if (file === undefined) return { problem: "it is no kubeconfig" };
  const current = file["current-context"];
  if (!current) return { problem: "it names no current-context" };
  const context = file.contexts.find(({ name }) => name === current)?.context;
  if (context === undefined) return { problem: `its current-context ${current} is not among its contexts` };
  const cluster = file.clusters.find(({ name }) => name === context.cluster)?.cluster;
  if (!cluster?.server) return { problem: `its cluster ${context.cluster ?? ""} has no server` };
  if (!URL.canParse(cluster.server))
    return { problem: `the server of its cluster ${context.cluster ?? ""} is no address` };
  const user = file.users.find(({ name }) => name === context.user)?.user;
  const { username, password } = user ?? {};
  return {
    server: cluster.server.replace(/\/+$/, ""),
    authority: material(cluster["certificate-authority-data"], cluster["certificate-authority"]),
    unverified: cluster["insecure-skip-tls-verify"],
    serverName: cluster["tls-server-name"],
    token: user?.token ? { kind: "text", text: user.token } : material(undefined, user?.tokenFile),
    certificate: material(user?.["client-certificate-data"], user?.["client-certificate"]),
    key: material(user?.["client-key-data"], user?.["client-key"]),
    basic: username && password ? { username, password } : undefined,
    program: user?.exec?.command ?? user?.["auth-provider"]?.name,
  };
}

/** What of it lies outside the file: a provisioner gets the one file only. */
export function outside({ authority, token, certificate, key, program }: KubeAccess): string[] {
  const files = [authority, token, certificate, key].flatMap((each) =>
    each?.kind === "file" ? [`the file ${each.path}`] : [],
  );
  return [...files, ...(program === undefined ? [] : [`the program ${program}`])];
}

function material(base64: string | undefined, path: string | undefined): Material | undefined {
  if (base64) return { kind: "text", text: decode(base64) };
  return path ? { kind: "file", path } : undefined;
}

function decode(base64: string): string {
  try {
    return atob(base64.replace(/\s+/g, ""));
  } catch {
    return "";
  }
}

function parseYaml(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}
