import { LineCounter, parseDocument } from "yaml";
import { messageOf } from "./provider.ts";

/** The sandbox that the platform's configuration asks for. `because` names the values that decided. */
export type SandboxChoice =
  | { readonly mode: "local"; readonly because: string; readonly refusal: string | undefined }
  | { readonly mode: "aio"; readonly because: string }
  | {
      readonly mode: "provisioner";
      readonly because: string;
      readonly provisionerUrl: string;
      readonly provisionerApiKey: string;
    };

/** A choice, or what is wrong with the configuration; no message quotes a value that could be a secret. */
export type PlatformConfigResult =
  | { readonly ok: true; readonly choice: SandboxChoice }
  | { readonly ok: false; readonly problems: readonly string[] };

type Environment = Readonly<Record<string, string | undefined>>;
type Mapping = Readonly<Record<string, unknown>>;

const aioModules = ["deerflow.community.aio_sandbox", "deerflow.community.aio_sandbox.aio_sandbox_provider"];
const localModules = ["deerflow.sandbox.local", "deerflow.sandbox.local.local_sandbox_provider"];

/**
 * Reads the platform's `config.yaml` as its own runtime does: YAML 1.1 like PyYAML's safe_load (the last of duplicate keys
 * wins, merge keys, one document), and every string that starts with `$` names an environment variable that must be set.
 * `name` is what messages call the file.
 */
export function readPlatformConfig(text: string, name: string, env: Environment): PlatformConfigResult {
  const parsed = parseYaml(text, name);
  if (!parsed.ok) return parsed;
  const problems: string[] = [];
  const root = resolveVariables(parsed.value, "", env, (problem) => problems.push(`${name}: ${problem}`));
  if (problems.length > 0) return { ok: false, problems };
  if (!isMapping(root) || !isMapping(root.sandbox)) {
    return { ok: false, problems: [`${name}: there is no top-level mapping "sandbox"; it decides where code runs`] };
  }
  return chooseSandbox(root.sandbox, name);
}

type Parsed = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly problems: string[] };

function parseYaml(text: string, path: string): Parsed {
  const lines = new LineCounter();
  const document = parseDocument(text.replace(/^\uFEFF/, ""), {
    version: "1.1",
    merge: true,
    uniqueKeys: false,
    // Pretty errors quote the line, which may hold a secret.
    prettyErrors: false,
    lineCounter: lines,
  });
  // An unknown tag is only a warning here, and an error for PyYAML's safe loader.
  const findings = [...document.errors, ...document.warnings.filter((one) => one.code === "TAG_RESOLVE_FAILED")];
  if (findings.length > 0) {
    const problems = findings.map(({ pos, code }) => {
      const { line, col } = lines.linePos(pos[0]);
      return `${path}:${line}:${col}: not valid YAML (${code.toLowerCase().replaceAll("_", " ")})`;
    });
    return { ok: false, problems };
  }
  try {
    const value: unknown = document.toJS();
    return { ok: true, value };
  } catch (error) {
    return { ok: false, problems: [`${path}: not valid YAML (${messageOf(error)})`] };
  }
}

function resolveVariables(value: unknown, at: string, env: Environment, report: (problem: string) => void): unknown {
  if (typeof value === "string" && value.startsWith("$")) {
    const name = value.slice(1);
    const found = env[name];
    if (found === undefined) {
      // A name that is no name may be a secret that happens to start with a dollar sign.
      const shown = /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? name : "(not a valid name)";
      report(`${at} names the environment variable ${shown}, which the gateway does not have`);
    }
    return found ?? "";
  }
  if (Array.isArray(value)) return value.map((item, index) => resolveVariables(item, `${at}[${index}]`, env, report));
  if (!isMapping(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      resolveVariables(item, at === "" ? key : `${at}.${key}`, env, report),
    ]),
  );
}

function isMapping(value: unknown): value is Mapping {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

function chooseSandbox(sandbox: Mapping, path: string): PlatformConfigResult {
  const { use } = sandbox;
  if (typeof use !== "string" || use === "") {
    return { ok: false, problems: [`${path}: sandbox.use is missing; it names the provider as module:Class`] };
  }
  const [moduleName = "", className = ""] = use.split(":");
  const because = `${path} sandbox.use = ${use}`;
  if (className === "AioSandboxProvider" && aioModules.includes(moduleName)) {
    return chooseContainers(sandbox, path, because);
  }
  if (className === "LocalSandboxProvider" && localModules.includes(moduleName)) {
    const allowed = sandbox.allow_host_bash === true || sandbox.allow_host_bash === "true";
    return {
      ok: true,
      choice: {
        mode: "local",
        because: `${because}, allow_host_bash ${allowed ? "true" : "not true"}`,
        refusal: allowed
          ? undefined
          : `sandbox mode is local, where code would run inside the gateway itself; set sandbox.allow_host_bash: true in ${path} ` +
            "if you trust every line that runs here, or choose AioSandboxProvider; then deploy again",
      },
    };
  }
  return {
    ok: true,
    choice: {
      mode: "local",
      because,
      refusal: `this gateway has no provider for sandbox.use = ${use}, so it runs no code; use AioSandboxProvider or LocalSandboxProvider in ${path}, then deploy again`,
    },
  };
}

function chooseContainers(sandbox: Mapping, path: string, because: string): PlatformConfigResult {
  const { provisioner_url: url, provisioner_api_key: key = "" } = sandbox;
  // What Python takes for false.
  if (url === undefined || url === null || url === "" || url === false || url === 0) {
    return { ok: true, choice: { mode: "aio", because: `${because}, no provisioner_url` } };
  }
  const problems: string[] = [];
  if (typeof url !== "string" || !URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    problems.push(`${path}: sandbox.provisioner_url must be an http:// or https:// address`);
  } else if (new URL(url).username !== "" || new URL(url).password !== "") {
    problems.push(`${path}: sandbox.provisioner_url must not hold credentials; the key belongs in provisioner_api_key`);
  }
  if (key !== null && typeof key !== "string") problems.push(`${path}: sandbox.provisioner_api_key must be a string`);
  if (typeof key === "string" && !/^[\x21-\x7e]*$/.test(key)) {
    problems.push(`${path}: sandbox.provisioner_api_key must be printable ASCII without spaces`);
  }
  if (problems.length > 0 || typeof url !== "string") return { ok: false, problems };
  return {
    ok: true,
    choice: {
      mode: "provisioner",
      because: `${because}, provisioner_url = ${url}`,
      provisionerUrl: url,
      provisionerApiKey: typeof key === "string" ? key : "",
    },
  };
}
