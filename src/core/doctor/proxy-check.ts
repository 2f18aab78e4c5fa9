import { isExempt } from "../stack/registry.ts";
import type { Problem, Verdict } from "./check.ts";
import { isLoopback } from "./registry-check.ts";

/** Proxies as one program has them; empty where none is set. */
export interface ProxySettings {
  readonly http: string;
  readonly https: string;
  readonly no: string;
}

/** Who uses which proxies. */
export interface ProxyFacts {
  /** This shell, and so the `docker` program and builds that it starts. */
  readonly shell: ProxySettings;
  /** The engine, which pulls images; undefined where it did not answer. */
  readonly engine: ProxySettings | undefined;
  /** What `docker` puts into every container that it makes, from its own configuration. */
  readonly containers: ProxySettings;
}

/** Reads the variables in both spellings; the small one counts first, as in curl. */
export function shellProxies(env: Readonly<Record<string, string | undefined>>): ProxySettings {
  const of = (name: string) => env[name.toLowerCase()] ?? env[name] ?? "";
  return { http: of("HTTP_PROXY"), https: of("HTTPS_PROXY"), no: of("NO_PROXY") };
}

/** A proxy's address without the password that may be in it. */
export function shownProxy(url: string): string {
  return url.replace(/^([a-z0-9+.-]+:\/\/)?[^/@]*@/i, "$1");
}

/** The proxy that a program with these settings asks for a host; undefined where it goes there itself. */
export function proxyFor(settings: ProxySettings, protocol: "http" | "https", host: string): string | undefined {
  const proxy = protocol === "https" ? settings.https : settings.http;
  return proxy === "" || isLoopback(host) || isExempt(hostOf(host), settings.no) ? undefined : proxy;
}

function hostOf(host: string): string {
  return host.replace(/:\d+$/, "");
}

/** Whether shell, engine and containers agree about proxies, and none is between this machine and itself, D215. */
export function judgeProxies({ shell, engine, containers }: ProxyFacts): Verdict {
  const used = [shell, containers, ...(engine ? [engine] : [])].some(isSet);
  const problems = [
    ...(engine !== undefined && isSet(shell) && !isSet(engine) ? [engineLacks(shell)] : []),
    ...loopbackProblems(
      "this shell",
      shell,
      "export NO_PROXY=localhost,127.0.0.1,::1 no_proxy=localhost,127.0.0.1,::1",
    ),
    ...loopbackProblems(
      "every container that docker makes",
      containers,
      'add "noProxy": "localhost,127.0.0.1,::1" and the names of the services under proxies in ~/.docker/config.json',
    ),
  ];
  return { text: used ? "shell and engine agree" : "none is set", problems };
}

function isSet({ http, https }: ProxySettings): boolean {
  return http !== "" || https !== "";
}

function engineLacks({ http, https }: ProxySettings): Problem {
  return {
    code: "D215",
    severity: "warning",
    message: "this shell has a proxy and the engine has none: it is the engine that pulls images",
    evidence: [`HTTPS_PROXY of this shell: ${shownProxy(https || http)}`, "docker info names no proxy"],
    fix: 'add {"proxies": {"https-proxy": "URL", "no-proxy": "localhost,127.0.0.0/8"}} to /etc/docker/daemon.json, then: systemctl restart docker',
  };
}

/** Health checks and the front door are asked at loopback addresses. */
function loopbackProblems(who: string, settings: ProxySettings, fix: string): Problem[] {
  const missing = ["localhost", "127.0.0.1"].filter((host) => !isExempt(host, settings.no));
  if (!isSet(settings) || settings.http === "" || missing.length === 0) return [];
  return [
    {
      code: "D215",
      severity: "warning",
      message: `${who} sends requests to this machine itself through the proxy, which cannot answer them`,
      evidence: [
        `HTTP_PROXY is ${shownProxy(settings.http)}`,
        `NO_PROXY is ${settings.no || "empty"}: ${missing.join(" and ")} ${missing.length === 1 ? "is" : "are"} missing`,
      ],
      fix,
    },
  ];
}
