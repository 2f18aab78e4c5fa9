import { type Finding, failure, type Outcome, success } from "../findings/finding.ts";
import { describeUrl } from "./detect-url.ts";
import type { Detection } from "./mode.ts";
import {
  checkReferences,
  environmentFix,
  findValue,
  type GatewayEnvironment,
  isTruthy,
  type PlatformConfig,
  placeAt,
  type Resolved,
  resolveValue,
  showVariable,
} from "./platform-config.ts";
import type { PyEntry, PyNode } from "./pyyaml-tree.ts";

interface Provider {
  readonly className: string;
  readonly modules: readonly string[];
  /** `container` has a mode of its own per provisioner_url; the others run with mode `local`. */
  readonly kind: "container" | "local";
  readonly note?: string;
}

/** The sandbox providers that DeerFlow ships, with every module that its packages export them from. */
const providers: readonly Provider[] = [
  {
    className: "AioSandboxProvider",
    modules: ["deerflow.community.aio_sandbox", "deerflow.community.aio_sandbox.aio_sandbox_provider"],
    kind: "container",
  },
  {
    className: "LocalSandboxProvider",
    modules: ["deerflow.sandbox.local", "deerflow.sandbox.local.local_sandbox_provider"],
    kind: "local",
  },
  {
    className: "E2BSandboxProvider",
    modules: ["deerflow.community.e2b_sandbox", "deerflow.community.e2b_sandbox.e2b_sandbox_provider"],
    kind: "local",
    note: "E2B, remote sandboxes",
  },
  {
    className: "TenkiSandboxProvider",
    modules: ["deerflow.community.tenki", "deerflow.community.tenki.provider"],
    kind: "local",
    note: "Tenki, remote sandboxes",
  },
  {
    className: "BoxliteProvider",
    modules: ["deerflow.community.boxlite", "deerflow.community.boxlite.provider"],
    kind: "local",
    note: "BoxLite, micro-VMs on the host",
  },
];

interface Reading {
  readonly config: PlatformConfig;
  readonly environment: GatewayEnvironment;
  readonly findings: Finding[];
}

/** Decides as DeerFlow's `AppConfig`, `SandboxConfig`, `resolve_class` and `AioSandboxProvider` do (D020, D021, D023, D024). */
export function detectDeerFlow(config: PlatformConfig, environment: GatewayEnvironment): Outcome<Detection> {
  const reading: Reading = { config, environment, findings: checkReferences(config, environment) };
  checkKeys(reading, config.entries, "the top level");
  const detection = readSandbox(reading);
  const { findings } = reading;
  if (!detection || findings.some(({ severity }) => severity === "error")) return failure(...findings);
  return success(detection, findings);
}

function readSandbox(reading: Reading): Detection | undefined {
  const sandbox = findValue(reading.config.entries, "sandbox");
  // `sandbox` has no default in AppConfig: a missing or null section is a validation error there.
  if (!sandbox || sandbox.kind === "null") {
    return complain(
      reading,
      "D024",
      sandbox?.offset ?? 0,
      "there is no top-level sandbox section; the platform requires one",
    );
  }
  if (sandbox.kind !== "map")
    return complain(reading, "D024", sandbox.offset, "sandbox is not a mapping with a use key");
  checkKeys(reading, sandbox.entries, "sandbox");
  const use = findValue(sandbox.entries, "use");
  if (!use) return complain(reading, "D024", sandbox.offset, "sandbox has no use; the platform requires one");
  const resolved = resolveValue(use, reading.environment);
  if (resolved.state !== "known") return undecided(reading, "sandbox.use", use.offset, resolved);
  if (resolved.node.kind !== "str") return complain(reading, "D024", use.offset, "sandbox.use is not text");
  return readProvider(reading, sandbox.entries, resolved.node.value, { offset: use.offset, origin: origin(resolved) });
}

interface UsePlace {
  readonly offset: number;
  /** ` (from $NAME)` where the value came from the environment. */
  readonly origin: string;
}

/** Finds the provider as `resolve_class` does: the text after the last colon is the class, case-sensitive. */
function readProvider(
  reading: Reading,
  entries: readonly PyEntry[],
  use: string,
  place: UsePlace,
): Detection | undefined {
  const colon = use.lastIndexOf(":");
  const module = use.slice(0, Math.max(colon, 0));
  const className = use.slice(colon + 1);
  if (
    colon < 0 ||
    !/^[\p{ID_Start}_][\p{ID_Continue}]*$/u.test(className) ||
    !/^[^\s.:]+(?:\.[^\s.:]+)*$/u.test(module)
  ) {
    return complain(reading, "D020", place.offset, "sandbox.use is not of the form module.path:ClassName");
  }
  const provider = providers.find((known) => known.className === className && known.modules.includes(module));
  if (provider) return decide(reading, entries, use, place, provider);
  const nearest = providers.find((known) => known.className === className || known.modules.includes(module));
  if (nearest) {
    const message = `sandbox.use names ${className} in ${module}, which DeerFlow does not have: the import would fail`;
    return complain(
      reading,
      "D020",
      place.offset,
      message,
      `write ${nearest.modules[0]}:${nearest.className}, ${ownRule(use)}`,
    );
  }
  reading.findings.push({
    code: "D023",
    severity: "warning",
    message: `sandbox.use = ${use} is not a provider that a rule knows; mode local is assumed, which grants least`,
    fix: `check the name, ${ownRule(use)}`,
    at: placeAt(reading.config.source, place.offset),
  });
  return detection(reading, use, place, "local", `${use}${place.origin}, which no rule knows`);
}

function ownRule(use: string): string {
  return `or name your own provider in deploy.config.yaml: platform.detection: { rules: [{ key: sandbox.use, equals: ${JSON.stringify(use)}, mode: local }], default: deer-flow }`;
}

function decide(
  reading: Reading,
  entries: readonly PyEntry[],
  use: string,
  place: UsePlace,
  { className, kind, note }: Provider,
): Detection | undefined {
  const shown = `…${className}${place.origin}`;
  if (kind === "local") return detection(reading, use, place, "local", note ? `${shown} (${note})` : shown);
  const url = findValue(entries, "provisioner_url");
  if (!url) return detection(reading, use, place, "aio", `${shown}, no provisioner_url`);
  const resolved = resolveValue(url, reading.environment);
  if (resolved.state !== "known") return undecided(reading, "sandbox.provisioner_url", url.offset, resolved);
  const from = origin(resolved);
  if (!isTruthy(resolved.node)) return detection(reading, use, place, "aio", `${shown}, provisioner_url empty${from}`);
  warnOfOddUrl(reading, resolved.node);
  const text = resolved.node.kind === "str" ? describeUrl(resolved.node.value) : "set, but not text";
  return detection(reading, use, place, "provisioner", `${shown}, provisioner_url ${text}${from}`);
}

function detection(
  { config }: Reading,
  use: string,
  { offset }: UsePlace,
  mode: Detection["mode"],
  reason: string,
): Detection {
  const { file, line } = placeAt(config.source, offset);
  const text = `${file}:${line} sandbox.use = ${reason}`;
  const because = { text, file, key: "sandbox.use", value: use, rule: "deer-flow" };
  return { mode, because: line === undefined ? because : { ...because, line } };
}

function warnOfOddUrl({ config, findings }: Reading, url: PyNode): void {
  if (url.kind === "str") return;
  findings.push({
    code: "D020",
    severity: "warning",
    message: "sandbox.provisioner_url is set, but not to text: the platform takes it for a provisioner and then fails",
    fix: "write the URL of the provisioner, or remove the key for sandboxes on this host",
    at: placeAt(config.source, url.offset),
  });
}

/** Pydantic refuses keys that are not text where a model accepts extra keys, as AppConfig and SandboxConfig do. */
function checkKeys(reading: Reading, entries: readonly PyEntry[], where: string): void {
  for (const { key } of entries) {
    if (key.kind === "str") continue;
    complain(
      reading,
      "D020",
      key.offset,
      `${where} has a key that YAML 1.1 does not read as text (${key.kind})`,
      "quote the key",
    );
  }
}

function undecided(
  reading: Reading,
  path: string,
  offset: number,
  resolved: Exclude<Resolved, { readonly state: "known" }>,
): undefined {
  // checkReferences has already reported a variable that is unset.
  if (resolved.state === "unset") return undefined;
  const message = `${path} comes from ${showVariable(resolved.variable)}, and the environment of the gateway is not known`;
  return complain(reading, "D021", offset, message, environmentFix);
}

function complain(
  { config, findings }: Reading,
  code: Finding["code"],
  offset: number,
  message: string,
  fix = "write sandbox: { use: module.path:ClassName }",
): undefined {
  findings.push({ code, severity: "error", message, fix, at: placeAt(config.source, offset) });
  return undefined;
}

function origin(resolved: Resolved): string {
  if (resolved.variable === undefined) return "";
  return /^[A-Za-z_]\w*$/.test(resolved.variable) ? ` (from $${resolved.variable})` : " (from the environment)";
}
