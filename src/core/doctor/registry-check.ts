import type { ComposeModel } from "../stack/model.ts";
import { hub, hubHost, registryOf } from "../stack/registry.ts";
import type { Problem, Verdict } from "./check.ts";

/** The registries from which the stack's published images come, and its base images where it builds any. */
export function registriesOf(model: ComposeModel, excluded: readonly string[]): string[] {
  const services = Object.entries(model.services).filter(([name]) => !excluded.includes(name));
  const pulled = services.flatMap(([, { image, build }]) =>
    image !== undefined && build === undefined ? [registryOf(image)] : [],
  );
  const builds = services.some(([, { build }]) => build !== undefined) || Object.keys(model.buildServices).length > 0;
  return [...new Set([...pulled, ...(builds ? [hub] : [])])].toSorted();
}

/** Where an engine finds a registry: a mirror comes first for Docker Hub; one on this machine may speak plain HTTP. */
export function registryUrls(registries: readonly string[], mirrors: readonly string[]): string[] {
  const own = registries.map((name) => `${isLoopback(name) ? "http" : "https"}://${name === hub ? hubHost : name}/v2/`);
  const mirrored = registries.includes(hub) ? mirrors.map((url) => `${url.replace(/\/$/, "")}/v2/`) : [];
  return [...mirrored, ...own];
}

/** Whether a host, with or without a port, is this machine. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d+){3}|\[?::1\]?)(:\d+)?$/.test(host);
}

/** How a name was looked up, by whatever this machine asks for names. */
export interface NameAnswer {
  readonly name: string;
  readonly addresses: readonly string[];
  /** Left out where nobody had to be asked. */
  readonly problem?: string;
}

/** Whether this machine can find the addresses of the registries, D213. */
export function judgeNames(answers: readonly NameAnswer[], resolvers: readonly string[]): Verdict {
  const lost = answers.filter(({ addresses }) => addresses.length === 0);
  const text = answers.length === 0 ? "no name is needed" : `${answers.map(({ name }) => name).join(", ")} found`;
  if (lost.length === 0) return { text, problems: [] };
  const problem: Problem = {
    code: "D213",
    severity: "warning",
    message: `this machine finds no address for ${lost.map(({ name }) => name).join(", ")}, so that no image can be pulled from there`,
    evidence: [
      ...lost.map(({ name, problem: why = "no address" }) => `getent ahosts ${name}: ${why}`),
      `/etc/resolv.conf asks ${resolvers.join(", ") || "nobody"}`,
    ],
    fix: `getent hosts ${lost[0]?.name}; resolvectl status\nor correct nameserver in /etc/resolv.conf; without a network: ./deploy up --images local`,
  };
  return { text, problems: [problem] };
}

/** What a registry answered. */
export interface RegistryAnswer {
  readonly url: string;
  /** The proxy through which it was asked, without its password. */
  readonly proxy: string | undefined;
  /** The status of the answer. */
  readonly status: number | undefined;
  /** Why there was none. */
  readonly problem: string | undefined;
}

/** Whether images can be pulled, D214. A registry that wants a login answers 401, which is an answer. */
export function judgeRegistries(answers: readonly RegistryAnswer[]): Verdict {
  const bad = answers.filter(({ status }) => status === undefined || status >= 500 || status === 407);
  const shown = answers.map(({ url }) => url.replace(/^https?:\/\/|\/v2\/$/g, "")).join(", ");
  const text = answers.length === 0 ? "no image has to be pulled" : `${shown} answers`;
  if (bad.length === 0) return { text, problems: [] };
  const problem: Problem = {
    code: "D214",
    severity: "warning",
    message:
      "not every registry can be reached: images that are not here yet cannot be pulled, and base images not either",
    evidence: bad.map(({ url, proxy, status, problem: why }) => {
      const through = proxy === undefined ? "" : ` through the proxy ${proxy}`;
      return `${url}${through}: ${status === undefined ? why : `status ${status}`}`;
    }),
    fix: `curl -sS -o /dev/null -w '%{http_code}\\n' ${bad[0]?.url}\nshows what comes back; ./deploy up --images local makes the images without a registry`,
  };
  return { text, problems: [problem] };
}
