import { isLoopback, mebibytesOf } from "./answer-forms.ts";
import type { Answers, Found } from "./question.ts";
import { everyAddress, noEmail } from "./reach-questions.ts";
import type { YamlEdit } from "./yaml-edit.ts";

/** What answers mean for the operator's files, where that is not said there already. */
export interface Settings {
  /** Variables of the environment file. */
  readonly env: ReadonlyMap<string, string>;
  /** Keys of deploy.config.yaml. */
  readonly config: readonly YamlEdit[];
}

/** Translates answers into variables and keys; what is there and means the same already stays as it is. */
export function settingsOf(answers: Answers, found: Found): Settings {
  const wanted = [...reachVariables(answers, found), ...limitVariables(answers, found)];
  return {
    env: new Map(
      wanted.flatMap(([name, value]) =>
        value === undefined || found.env.get(name) === value ? [] : [[name, value] as const],
      ),
    ),
    config: [
      ...kubeconfigEdit(answers, found),
      ...reachEdits(answers, found),
      ...credentialEdits(answers, found),
      ...guardEdits(answers, found),
    ],
  };
}

type Variable = readonly [name: string, value: string | undefined];

function reachVariables({ exposure, address, port, ...answers }: Answers, { env }: Found): Variable[] {
  const loopback = isLoopback(env.get("BIND_HOST")) ? undefined : "127.0.0.1";
  const plain = exposure === "network" ? address : undefined;
  return [
    ["PROVISIONER_IMAGE", answers["provisioner-image"]],
    ["BIND_HOST", exposure === "machine" ? loopback : plain],
    ["TLS_BIND_HOST", exposure === "domain" && address !== undefined ? tlsHost(address, env) : undefined],
    ["PORT", port],
  ];
}

/** No value at all stands for every address of both versions; one of IPv6 has brackets, for a port follows it. */
function tlsHost(address: string, env: Found["env"]): string | undefined {
  if (address !== everyAddress) return address.includes(":") ? `[${address}]` : address;
  const present = env.get("TLS_BIND_HOST") ?? "";
  return present === "" || present === everyAddress ? undefined : "";
}

function limitVariables({ mode, memory, cpus, pids, sandboxes }: Answers, { ownStack, env }: Found): Variable[] {
  if (ownStack) return [];
  if (mode === "local")
    return [
      ["GATEWAY_MEMORY", memory],
      ["GATEWAY_CPUS", cpus],
    ];
  // Runs that wait for a sandbox which the guard does not allow would fail.
  const runs = Number(env.get("RUN_CONCURRENCY_MAX"));
  return [
    ["SANDBOX_MEMORY", memory],
    ["SANDBOX_CPUS", cpus],
    ["SANDBOX_PIDS", pids],
    ["RUN_CONCURRENCY_MAX", runs > Number(sandboxes) ? sandboxes : undefined],
  ];
}

function kubeconfigEdit({ kubeconfig }: Answers, found: Found): YamlEdit[] {
  if (kubeconfig === undefined || kubeconfig === found.kubeconfig) return [];
  return [{ path: ["sandbox", "kubeconfig"], value: kubeconfig }];
}

function reachEdits(answers: Answers, { reach }: Found): YamlEdit[] {
  const { exposure, domain, tls = "off" } = answers;
  if (exposure === undefined) return [];
  const byDomain = exposure === "domain";
  const byFiles = byDomain && tls === "files";
  return changedKeys([
    [["public", "tls"], byDomain ? tls : "off", reach.tls],
    [["public", "domain"], byDomain ? domain : undefined, reach.domain],
    // What is not used does no harm, and may be used again.
    [["public", "acme", "email"], tls === "acme" && byDomain ? emailOf(answers) : reach.email, reach.email],
    [["public", "files", "certificate"], byFiles ? answers.certificate : reach.certificate, reach.certificate],
    [["public", "files", "key"], byFiles ? answers["certificate-key"] : reach.certificateKey, reach.certificateKey],
  ]);
}

function emailOf({ "acme-email": email }: Answers): string | undefined {
  return email === noEmail ? undefined : email;
}

function credentialEdits({ claude, codex }: Answers, { credentials }: Found): YamlEdit[] {
  return changedKeys([
    [["credentials", "claude"], claude ?? credentials.claude, credentials.claude],
    [["credentials", "codex"], codex ?? credentials.codex, credentials.codex],
  ]);
}

type Key = readonly [path: readonly string[], wanted: string | undefined, present: string | undefined];

function changedKeys(keys: readonly Key[]): YamlEdit[] {
  return keys.flatMap(([path, value, present]) => (value === present ? [] : [{ path, value }]));
}

/** The gateway asks for what its variables say, and the guard cuts that to its policy: the policy must allow as much. */
function guardEdits({ mode, memory, cpus, pids, sandboxes }: Answers, { guard, ownStack }: Found): YamlEdit[] {
  if (mode !== "aio" || guard === undefined) return [];
  const differs = (wanted: number, present: number) => (ownStack ? wanted !== present : wanted > present);
  const edits: readonly (readonly [readonly string[], string | undefined, boolean])[] = [
    [["limits", "memory"], memory, differs(mebibytesOf(memory ?? ""), mebibytesOf(guard.memory))],
    [["limits", "cpus"], cpus, differs(Number(cpus), Number(guard.cpus))],
    [["limits", "pids"], pids, differs(Number(pids), Number(guard.pids))],
    [["sandboxes", "alive"], sandboxes, Number(sandboxes) !== Number(guard.alive)],
  ];
  return edits.flatMap(([path, value, isOther]) =>
    value === undefined || !isOther
      ? []
      : [{ path: ["sandbox", "docker", "guard", ...path], value: /^[\d.]+$/.test(value) ? Number(value) : value }],
  );
}
