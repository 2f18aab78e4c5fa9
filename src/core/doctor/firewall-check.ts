import type { Container } from "../containers/container.ts";
import type { ComposeModel } from "../stack/model.ts";
import type { Problem, Verdict } from "./check.ts";
import { isLoopback } from "./registry-check.ts";

/** A port that is reachable from other machines. */
export interface OpenPort {
  readonly service: string;
  readonly address: string;
  readonly port: string;
}

/** What filters packets on this machine, as far as this user may see. */
export interface FirewallFacts {
  readonly open: readonly OpenPort[];
  /** Firewalls that are in force, such as `ufw`. */
  readonly active: readonly string[];
  /** Rules of the chain DOCKER-USER, the only ones of the operator's that published ports pass; undefined where unknown. */
  readonly dockerUser: readonly string[] | undefined;
}

/** The ports that a stack publishes beyond this machine. */
export function openPorts(model: ComposeModel, excluded: readonly string[]): OpenPort[] {
  return Object.entries(model.services)
    .filter(([name]) => !excluded.includes(name))
    .flatMap(([service, { ports }]) =>
      ports.map(({ hostIp, published }) => ({ service, address: hostIp || "0.0.0.0", port: published ?? "" })),
    )
    .filter(({ address, port }) => port !== "" && !isLoopback(address));
}

/** The ports that running containers publish beyond this machine: what runs may be older than the files. */
export function openLivePorts(containers: readonly Container[]): OpenPort[] {
  return containers.flatMap(({ service, name, openPorts: ports }) =>
    ports.flatMap(({ hostIp = "", published = "0" }) =>
      Number(published) === 0 || isLoopback(hostIp)
        ? []
        : [{ service: service ?? name, address: hostIp || "0.0.0.0", port: published }],
    ),
  );
}

/** Whether somebody counts on a firewall that published ports go past, D216. */
export function judgeFirewall({ open, active, dockerUser }: FirewallFacts): Verdict {
  const text =
    open.length === 0
      ? "nothing is published beyond this machine"
      : `published: ${shown(open)}; no host firewall is in force`;
  const filtered =
    dockerUser?.some((rule) => /-j (DROP|REJECT|[a-z]\S*)/.test(rule) && !/-j RETURN$/.test(rule)) ?? false;
  if (open.length === 0 || active.length === 0) return { text, problems: [] };
  if (filtered) return { text: `published: ${shown(open)}; DOCKER-USER filters`, problems: [] };
  const problem: Problem = {
    code: "D216",
    severity: "warning",
    message: `${active.join(" and ")} does not protect the ports that Docker publishes: ${shown(open)} can be reached from other machines`,
    evidence: [
      `in force: ${active.join(", ")}`,
      dockerUser === undefined
        ? "the chain DOCKER-USER can be seen by root only"
        : `the chain DOCKER-USER has ${dockerUser.length === 0 ? "no rule" : "no rule that refuses anything"}`,
    ],
    fix: "set BIND_HOST=127.0.0.1 in the environment file, or filter where Docker looks: iptables -I DOCKER-USER -i eth0 ! -s 10.0.0.0/8 -j DROP",
  };
  return { text, problems: [problem] };
}

function shown(open: readonly OpenPort[]): string {
  return [...new Set(open.map(({ address, port }) => `${address}:${port}`))].join(", ");
}
