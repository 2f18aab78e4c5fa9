import type { ToldTime } from "../../core/doctor/clock-check.ts";
import type { EngineReport } from "../../core/doctor/engine-report.ts";
import type { FirewallFacts, OpenPort } from "../../core/doctor/firewall-check.ts";
import { parseHttpDate } from "../../core/doctor/instant.ts";
import {
  type ProxyFacts,
  type ProxySettings,
  proxyFor,
  shellProxies,
  shownProxy,
} from "../../core/doctor/proxy-check.ts";
import { isLoopback, type NameAnswer, type RegistryAnswer } from "../../core/doctor/registry-check.ts";
import { joinPath } from "../../core/stack/stack.ts";
import type { World } from "../../world.ts";
import { within } from "./deadline.ts";
import { readIfPossible } from "./engine.ts";

/** Names that have to be looked up to reach these URLs: of the servers, or of the proxies before them. */
export function neededNames(urls: readonly string[], proxies: ProxySettings): string[] {
  const hosts = urls.map((url) => {
    const { protocol, host } = new URL(url);
    const proxy = proxyFor(proxies, protocol === "http:" ? "http" : "https", host);
    return proxy === undefined || !URL.canParse(proxy) ? hostOf(url) : hostOf(proxy);
  });
  return [...new Set(hosts)].filter((host) => !isLoopback(host) && !/^[\d.]+$|:/.test(host));
}

function hostOf(url: string): string {
  return new URL(url).hostname.replace(/^\[|\]$/g, "");
}

/**
 * Looks names up as every program here does; in a process of its own, which can be ended. Where there is no such program,
 * nothing is known of any name.
 */
export async function lookUp(world: World, seconds: number, names: readonly string[]): Promise<NameAnswer[]> {
  const answers = await Promise.all(
    names.map(async (name): Promise<NameAnswer[]> => {
      const known = await within(world, seconds, (bound) =>
        bound.run({ program: "getent", args: ["ahosts", name], env: bound.env }),
      );
      if (known.kind !== "known") return [{ name, addresses: [], problem: `no answer within ${seconds} seconds` }];
      const { stdout, exitCode, missing } = known.value;
      if (missing) return [];
      const addresses = stdout.split("\n").flatMap((line) => line.split(/\s+/)[0] || []);
      if (addresses.length > 0) return [{ name, addresses: [...new Set(addresses)] }];
      return [{ name, addresses, problem: `exit ${exitCode}` }];
    }),
  );
  return answers.flat();
}

/** The servers that this machine asks for names. */
export async function readResolvers(world: World): Promise<string[]> {
  const text = await readIfPossible(world, "/etc/resolv.conf");
  return [...text.matchAll(/^nameserver\s+(\S+)/gm)].map(([, address = ""]) => address);
}

/** A registry's answer, and its clock. */
export interface AskedRegistry {
  readonly answer: RegistryAnswer;
  readonly time: ToldTime | undefined;
}

/** Asks each registry the question that every pull begins with, the way the engine goes there. */
export function askRegistries(
  world: World,
  seconds: number,
  urls: readonly string[],
  { proxies, names }: { readonly proxies: ProxySettings; readonly names: readonly NameAnswer[] },
): Promise<AskedRegistry[]> {
  return Promise.all(
    urls.map(async (url): Promise<AskedRegistry> => {
      const { protocol, host } = new URL(url);
      const proxy = proxyFor(proxies, protocol === "http:" ? "http" : "https", host);
      const shown = proxy === undefined ? undefined : shownProxy(proxy);
      const bad = (problem: string): AskedRegistry => ({
        answer: { url, proxy: shown, status: undefined, problem },
        time: undefined,
      });
      const looked = names.find(({ name }) => name === hostOf(url));
      if (proxy !== undefined && !URL.canParse(proxy)) return bad("the proxy's address is none");
      const askedAt = world.now().getTime();
      const address = proxy === undefined ? looked?.addresses[0] : undefined;
      const request = { url, ...(proxy === undefined ? {} : { proxy }), ...(address === undefined ? {} : { address }) };
      const known = await within(world, seconds, (bound) => bound.http(request, bound.signal));
      if (known.kind !== "known") return bad(`no answer within ${seconds} seconds`);
      if (!known.value.ok) return bad(known.value.reason);
      const told = parseHttpDate(known.value.date ?? "");
      const time = { by: host, grain: 1000, askedAt, answeredAt: world.now().getTime() };
      return {
        answer: { url, proxy: shown, status: known.value.status, problem: undefined },
        time: told === undefined ? undefined : { ...time, told },
      };
    }),
  );
}

/** Which proxies shell, engine and containers have. */
export async function readProxies(world: World, report: EngineReport | undefined): Promise<ProxyFacts> {
  const settings = world.env["DOCKER_CONFIG"] ?? joinPath(world.home, ".docker");
  const text = await readIfPossible(world, joinPath(settings, "config.json"));
  return { shell: shellProxies(world.env), engine: report?.proxies, containers: containerProxies(text) };
}

function containerProxies(text: string): ProxySettings {
  const [http, https, no] = ["httpProxy", "httpsProxy", "noProxy"].map(
    (name) => new RegExp(`"default"[^}]*"${name}"\\s*:\\s*"([^"]*)"`).exec(text)?.[1] ?? "",
  );
  return { http: http ?? "", https: https ?? "", no: no ?? "" };
}

/** What filters packets here, as far as this user may see it. */
export async function readFirewall(world: World, open: readonly OpenPort[]): Promise<FirewallFacts> {
  const ask = (program: string, ...args: string[]) => world.run({ program, args, env: world.env });
  const [ufw, firewalld, input, chains, dockerUser] = await Promise.all([
    readIfPossible(world, "/etc/ufw/ufw.conf"),
    ask("firewall-cmd", "--state"),
    ask("iptables", "-S", "INPUT"),
    ask("nft", "list", "chains"),
    ask("iptables", "-S", "DOCKER-USER"),
  ]);
  const named = [...(/^ENABLED=yes/im.test(ufw) ? ["ufw"] : []), ...(firewalld.exitCode === 0 ? ["firewalld"] : [])];
  const refuses = /^-P INPUT (DROP|REJECT)|^-A INPUT .*-j (DROP|REJECT)/m.test(input.stdout);
  const drops = /hook input[^;]*;\s*policy drop/.test(chains.stdout);
  const bare = [...(refuses ? ["iptables"] : []), ...(drops && !refuses ? ["nftables"] : [])];
  const rules = dockerUser.stdout.split("\n").filter((line) => line.startsWith("-A "));
  return { open, active: named.length > 0 ? named : bare, dockerUser: dockerUser.exitCode === 0 ? rules : undefined };
}
