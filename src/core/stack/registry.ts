import "../schema-settings.ts";
import * as z from "zod";

/** Docker Hub as references name it. */
export const hub = "docker.io";
/** The host that answers for Docker Hub. */
export const hubHost = "registry-1.docker.io";

/** The registry of an image reference, by the rule of Docker: the first part is a host if it looks like one. */
export function registryOf(reference: string): string {
  const [first = "", ...rest] = reference.split("/");
  const isHost = rest.length > 0 && (/[.:]/.test(first) || first === "localhost");
  return isHost && first !== "index.docker.io" ? first : hub;
}

/** How a registry is asked whether it is there. */
export interface RegistryQuestion {
  readonly registry: string;
  readonly url: string;
  /** The engine's own proxy, where it goes by one. */
  readonly proxy?: string;
}

/** How an engine goes out to registries, as far as `docker info` tells. */
export interface EngineOutlets {
  /** The host that the engine runs on, by its own name. */
  readonly name: string;
  readonly mirrors: readonly string[];
  /** Registries that are asked without TLS, or with mirrors of their own. */
  readonly special: readonly string[];
  /** Whether it goes without TLS to registries in some range of addresses beyond this machine's own. */
  readonly insecureRanges: boolean;
  readonly proxy: string;
  readonly noProxy: string;
}

const names = z.array(z.string()).nullish();
const infoSchema = z.object({
  Name: z.string(),
  HttpsProxy: z.string().nullish(),
  NoProxy: z.string().nullish(),
  RegistryConfig: z.object({
    Mirrors: names,
    InsecureRegistryCIDRs: names,
    IndexConfigs: z.record(z.string(), z.object({ Mirrors: names, Secure: z.boolean().nullish() })).nullish(),
  }),
});

/** Reads `docker info --format '{{json .}}'`; undefined where it does not say how the engine goes out. */
export function parseOutlets(json: unknown): EngineOutlets | undefined {
  const { data } = infoSchema.safeParse(json);
  if (data === undefined) return undefined;
  const { Mirrors, InsecureRegistryCIDRs, IndexConfigs } = data.RegistryConfig;
  const indexes = Object.entries(IndexConfigs ?? {});
  const isSpecial = ([, { Mirrors: own, Secure }]: (typeof indexes)[number]) =>
    Secure === false || (own ?? []).length > 0;
  return {
    name: data.Name,
    mirrors: Mirrors ?? [],
    insecureRanges: (InsecureRegistryCIDRs ?? []).some((range) => !/^(127\.0\.0\.0\/8|::1\/128)$/.test(range)),
    special: indexes.filter(isSpecial).map(([name]) => name),
    proxy: data.HttpsProxy ?? "",
    noProxy: data.NoProxy ?? "",
  };
}

/**
 * How this program can ask a registry as the engine would. Undefined where its answer would say nothing about the engine's:
 * an engine on another machine, a mirror, a registry without TLS, a proxy whose login is not shown.
 */
export function questionFor(registry: string, outlets: EngineOutlets, host: string): RegistryQuestion | undefined {
  if (outlets.name !== host || outlets.special.includes(registry)) return undefined;
  if (registry === hub ? outlets.mirrors.length > 0 : outlets.insecureRanges) return undefined;
  if (/^(localhost|127\.|\[)/.test(registry)) return undefined;
  const question = { registry, url: `https://${registry === hub ? hubHost : registry}/v2/` };
  if (outlets.proxy === "" || isExempt(new URL(question.url).hostname, outlets.noProxy)) return question;
  return /^https?:\/\/[^@/]+(\/|$)/.test(outlets.proxy) ? { ...question, proxy: outlets.proxy } : undefined;
}

/** Whether a list of exceptions from a proxy names a host, itself or by a domain above it. */
export function isExempt(hostname: string, noProxy: string): boolean {
  const rules = noProxy.split(",").map((rule) => rule.trim().replace(/^\*?\./, ""));
  return rules.some((rule) => rule === "*" || (rule !== "" && (hostname === rule || hostname.endsWith(`.${rule}`))));
}

/** Why a registry cannot be reached, from what came back; undefined where it can, or where only the engine can tell. */
export function outageOf(
  answer: { readonly ok: true; readonly status: number } | { readonly ok: false; readonly reason: string },
): string | undefined {
  if (answer.ok) return answer.status >= 500 ? `it answers ${answer.status}` : undefined;
  // The engine trusts other certificates than this program.
  if (/certificate|self-signed|issuer/i.test(answer.reason)) return undefined;
  if (/ENOTFOUND|EAI_AGAIN/.test(answer.reason)) return "its name cannot be resolved";
  return answer.reason;
}
