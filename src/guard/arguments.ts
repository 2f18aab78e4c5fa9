import { parseArgs } from "node:util";
import type { Keeping } from "./audit/audit-file.ts";

/** What the program is asked to do, with every path as the operating system takes it. */
export type Invocation =
  | {
      readonly kind: "serve";
      readonly policyPath: string;
      readonly listenPath: string;
      readonly upstreamPath: string;
      /** Undefined: standard output. */
      readonly auditPath: string | undefined;
      readonly keeping: Keeping;
      readonly statusPath: string | undefined;
    }
  | {
      readonly kind: "log";
      readonly auditPath: string;
      readonly denied: boolean;
      readonly follow: boolean;
      readonly whileInput: boolean;
    }
  | {
      readonly kind: "check";
      readonly policyPath: string;
      /** The policy itself in place of a file. */
      readonly policyText: string | undefined;
      readonly requestPath: string;
      readonly factsPath: string | undefined;
      readonly upstreamPath: string | undefined;
    }
  | {
      readonly kind: "policy";
      readonly policyPath: string;
      /** The policy itself in place of a file. */
      readonly policyText: string | undefined;
      readonly json: boolean;
    }
  | {
      readonly kind: "judge";
      readonly policyPath: string;
      /** The policy itself in place of a file. */
      readonly policyText: string | undefined;
      readonly upstreamPath: string;
      /** What guards pinned, as JSON: lists of ids by name. */
      readonly pinned: string | undefined;
      readonly containers: readonly string[];
    }
  | { readonly kind: "status"; readonly statusPath: string; readonly upstreamPath: string; readonly json: boolean }
  | { readonly kind: "healthcheck"; readonly listenPath: string }
  | { readonly kind: "help" }
  | { readonly kind: "wrong"; readonly message: string };

/** How the program is used. The defaults are the paths in the guard's container. */
export const usage = `usage: guard COMMAND [OPTION ...]

  serve         let through what the policy names, from --listen to --upstream
    --policy FILE        the policy (default /etc/guard/policy.yaml)
    --listen unix:PATH   where clients connect (default unix:/run/guard/docker.sock)
    --upstream unix:PATH the engine's socket (default unix:/var/run/docker.sock)
    --audit FILE|-       one JSON line for each operation (default /var/lib/guard/audit.jsonl)
    --audit-bytes N      a new file after so many bytes (default 10000000)
    --audit-files N      how many files are kept (default 4)
    --status FILE        how the guard is (default: status.json beside the audit file)
  log [FILE]    show the audit (default /var/lib/guard/audit.jsonl)
    --denied             only what was refused
    --follow             go on as it grows
    --while-input        only until standard input ends: whoever asked from afar may be gone without a word
  check REQUEST.json     say what would become of a request: {"method", "target", "headers"?, "body"?}
    --policy FILE        by this policy
    --text TEXT          by this text in place of a file
    --facts FILE         with what this file says there is, or
    --upstream unix:PATH with what this engine says
  policy        show the policy in force, every default written out
    --policy FILE
    --text TEXT          this text in place of a file
    --json               what is wrong with it, and what it gives of the host, as JSON
  judge CONTAINER ...    say which of these have more than the policy would give them, as JSON
    --policy FILE
    --text TEXT
    --upstream unix:PATH the engine that has them
    --pinned JSON        ids of the images that they may run, by name: {"NAME": ["sha256:..."]}
  status        show sandboxes against the limit, denials, uptime
    --status FILE        what the guard wrote (default /var/lib/guard/status.json)
    --upstream unix:PATH
    --json
  healthcheck   exit 0 if a guard answers and can work
    --listen unix:PATH

A policy is read when the guard starts: to change it, start the guard again. Sandboxes live on.
The policy file may leave the owner and the images to GUARD_OWNER and GUARD_IMAGES (separated by spaces or commas).
Exit codes: 0 done (check: allowed), 1 failed (check: not decided), 2 wrong usage, policy or file, 3 check: refused.
`;

const text = { type: "string" } as const;
const flag = { type: "boolean" } as const;
const flags = {
  serve: {
    ...{ policy: text, listen: text, upstream: text, audit: text },
    ...{ "audit-bytes": text, "audit-files": text, status: text },
  },
  log: { denied: flag, follow: flag, "while-input": flag },
  check: { policy: text, text, facts: text, upstream: text },
  policy: { policy: text, text, json: flag },
  judge: { policy: text, text, upstream: text, pinned: text },
  status: { status: text, upstream: text, json: flag },
  healthcheck: { listen: text },
} as const;

const defaults = {
  policy: "/etc/guard/policy.yaml",
  listen: "unix:/run/guard/docker.sock",
  upstream: "unix:/var/run/docker.sock",
  audit: "/var/lib/guard/audit.jsonl",
  status: "/var/lib/guard/status.json",
} as const;

/** Understands the words behind the program's name. */
export function parseArguments(words: readonly string[]): Invocation {
  const [command = "", ...rest] = words;
  if (command === "help" || words.includes("--help") || words.includes("-h")) return { kind: "help" };
  try {
    return understand(command, rest);
  } catch (error) {
    const message = error instanceof Error ? error.message.replace(/\. To specify.*$/s, "") : String(error);
    return { kind: "wrong", message: `${message}; see guard --help` };
  }
}

function understand(command: string, args: string[]): Invocation {
  switch (command) {
    case "serve": {
      const { values } = parseArgs({ args, options: flags.serve });
      const audit = values.audit ?? defaults.audit;
      const keeping = { bytes: numberOf(values, "audit-bytes", 10_000_000), files: numberOf(values, "audit-files", 4) };
      return {
        ...{ kind: "serve", ...policyOf(values), ...listenOf(values), upstreamPath: upstreamOf(values), keeping },
        auditPath: audit === "-" ? undefined : audit,
        statusPath: values.status ?? (audit === "-" ? undefined : audit.replace(/[^/]*$/, "status.json")),
      };
    }
    case "log": {
      const { values, positionals } = parseArgs({ args, options: flags.log, allowPositionals: true });
      const { denied = false, follow = false, "while-input": whileInput = false } = values;
      return { kind: "log", auditPath: oneOf(positionals, "FILE") ?? defaults.audit, denied, follow, whileInput };
    }
    case "check": {
      const { values, positionals } = parseArgs({ args, options: flags.check, allowPositionals: true });
      const requestPath = oneOf(positionals, "REQUEST.json");
      if (requestPath === undefined) throw new Error("check needs the file of a request");
      const { upstream, facts: factsPath } = values;
      const upstreamPath = upstream === undefined ? undefined : socketPath("--upstream", upstream);
      return { kind: "check", ...policyOf(values), policyText: values.text, requestPath, factsPath, upstreamPath };
    }
    case "policy": {
      const { values } = parseArgs({ args, options: flags.policy });
      return { kind: "policy", ...policyOf(values), policyText: values.text, json: values.json ?? false };
    }
    case "judge": {
      const { values, positionals: containers } = parseArgs({ args, options: flags.judge, allowPositionals: true });
      if (containers.length === 0) throw new Error("judge needs the id or the name of a container");
      const upstreamPath = upstreamOf(values);
      const { text: policyText, pinned } = values;
      return { kind: "judge", ...policyOf(values), policyText, upstreamPath, pinned, containers };
    }
    case "status": {
      const { values } = parseArgs({ args, options: flags.status });
      const { json = false, status: statusPath = defaults.status } = values;
      return { kind: "status", statusPath, upstreamPath: upstreamOf(values), json };
    }
    case "healthcheck":
      return { kind: "healthcheck", ...listenOf(parseArgs({ args, options: flags.healthcheck }).values) };
    default:
      throw new Error(command === "" ? "a command is missing" : `there is no command ${JSON.stringify(command)}`);
  }
}

type Values = Readonly<Record<string, string | boolean | undefined>>;

function given(values: Values, name: string, standard: string): string {
  const value = values[name];
  return typeof value === "string" ? value : standard;
}

function policyOf(values: Values): { readonly policyPath: string } {
  return { policyPath: given(values, "policy", defaults.policy) };
}

function listenOf(values: Values): { readonly listenPath: string } {
  return { listenPath: socketPath("--listen", given(values, "listen", defaults.listen)) };
}

function upstreamOf(values: Values): string {
  return socketPath("--upstream", given(values, "upstream", defaults.upstream));
}

function socketPath(name: string, address: string): string {
  const [, path] = /^unix:(?:\/\/(?=\/))?(.+)$/.exec(address) ?? [];
  if (path === undefined) throw new Error(`${name} takes unix:PATH, and not ${JSON.stringify(address)}`);
  return path;
}

function numberOf(values: Values, name: string, standard: number): number {
  const written = given(values, name, String(standard));
  if (!/^[1-9]\d{0,12}$/.test(written)) throw new Error(`--${name} takes a number above 0, and not ${written}`);
  return Number(written);
}

function oneOf(positionals: readonly string[], what: string): string | undefined {
  if (positionals.length > 1) throw new Error(`only one ${what} is taken, and there is also ${positionals[1]}`);
  return positionals[0];
}
