import { createHash } from "node:crypto";
import { type Document, LineCounter, parseAllDocuments } from "yaml";
import { type PolicyFinding, type PolicyPlaces, placesOf } from "./policy-finding.ts";
import { issueFindings } from "./policy-issues.ts";
import { policySchema } from "./policy-schema.ts";
import { compilePolicy, policyWarnings } from "./policy-terms.ts";
import { policyText } from "./policy-text.ts";

/** What a guard lets through: the validated policy file. Everything that it does not name is refused. */
export interface Policy {
  /** The value of the label `sandbox-deploy.guard` on every container created through this guard; no two guards on one engine share it. */
  readonly owner: string;
  /** References that may be run. Their ids are pinned when the guard starts. */
  readonly images: readonly string[];
  /** What the whole name of a sandbox has to match. */
  readonly names: RegExp;
  /** Whether a container may have no name given by the client: Docker then makes one up. */
  readonly unnamed: boolean;
  /** `none`, or the one network that sandboxes may join. */
  readonly network: string;
  /** Ports that a sandbox may publish; undefined: none. Any host address that a client asks for becomes `hostAddress`. */
  readonly ports:
    | {
        readonly container: readonly number[];
        readonly hostAddress: string;
        readonly hostFrom: number;
        readonly hostTo: number;
      }
    | undefined;
  /** Host directories that a sandbox may mount; undefined: none. */
  readonly binds:
    | {
        /** An absolute path, which the guard sees under the same name. Everything bound lies really below it. */
        readonly root: string;
        /** The first entry that matches both paths counts. */
        readonly allowed: readonly {
          /** What the path below the root has to match, as a whole. */
          readonly source: RegExp;
          /** What the path in the container has to match, as a whole. */
          readonly target: RegExp;
          /** Makes the mount read-only whatever the client says. */
          readonly readOnly: boolean;
        }[];
        /** The named volume whose subdirectories are mounted in place of paths (API 1.45): closes the race of a path that changes after the check. */
        readonly volume: string | undefined;
      }
    | undefined;
  /** Named volumes that a sandbox may mount, by name and path in the container. The first that matches both counts. */
  readonly volumes: readonly { readonly name: RegExp; readonly target: RegExp; readonly readOnly: boolean }[];
  /** Entries of `/etc/hosts` that a client may ask for, to the letter, such as `host.docker.internal:host-gateway`. */
  readonly extraHosts: readonly string[];
  /** Injected where a client says nothing, and the most that it can ask for. */
  readonly limits: {
    readonly memoryBytes: number;
    readonly nanoCpus: number;
    readonly pids: number;
    readonly shmBytes: number;
    readonly tmpfsBytes: number;
    readonly logBytes: number;
    readonly logFiles: number;
    readonly stopSeconds: number;
  };
  /** Capabilities that a client may keep or add; all others are dropped. */
  readonly capabilities: readonly string[];
  /** Whether a root file system may be writable where a client does not ask for a read-only one. */
  readonly writableRoot: boolean;
  /** The text of a seccomp profile that replaces any that a client names; undefined: the engine's own default. */
  readonly seccomp: string | undefined;
  /** Forced on every sandbox, for instance `runsc`; undefined: the engine's default. */
  readonly runtime: string | undefined;
  /** Names of labels that a client may set, each matched as a whole. */
  readonly labels: readonly RegExp[];
  /** Users that may run in a sandbox, matched as a whole; undefined: whatever image or client say. */
  readonly users: RegExp | undefined;
  readonly sandboxes: { readonly alive: number; readonly createsPerMinute: number };
  readonly connections: number;
  /** Families of operations that are off unless they are needed. */
  readonly operations: {
    readonly exec: boolean;
    readonly attach: boolean;
    readonly pull: boolean;
    readonly pause: boolean;
    readonly archive: boolean;
    readonly events: boolean;
  };
}

/** A policy that was read, with what is worth knowing about it; or every error of its file at once. */
export type PolicyReading =
  | {
      readonly ok: true;
      readonly policy: Policy;
      /**
       * SHA-256 of `policyText`, in hex: of what is in force, owner and images included, wherever they were said. Two
       * files that mean the same have the same one.
       */
      readonly hash: string;
      readonly findings: readonly PolicyFinding[];
    }
  | { readonly ok: false; readonly findings: readonly PolicyFinding[] };

/** What a policy file leaves to whoever starts the guard; the file's own word counts. */
export interface PolicyDefaults {
  readonly owner?: string | undefined;
  readonly images?: readonly string[] | undefined;
}

/** Reads the text of a policy file: YAML, and so JSON too. Every key that it does not know is an error. */
export function readPolicy(text: string, defaults: PolicyDefaults = {}): PolicyReading {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { prettyErrors: false, lineCounter: lines });
  const document = "empty" in documents ? undefined : documents[0];
  const places = placesOf(document, lines);
  const syntax = documents.flatMap((each) => [...each.errors, ...each.warnings]);
  const findings = syntax.map(({ message, pos }) => places.finding(pos[0], `this is not valid YAML: ${message}`));
  if (documents.length > 1) {
    findings.push(places.finding(documents[1]?.range[0] ?? 0, "the file has more than one document; a policy is one"));
  }
  if (findings.length > 0) return { ok: false, findings };
  return understand(plainValue(document), places, defaults);
}

function understand(written: unknown, places: PolicyPlaces, defaults: PolicyDefaults): PolicyReading {
  if (typeof written !== "object" || written === null || Array.isArray(written)) {
    return { ok: false, findings: [places.finding(0, "a policy is a mapping: owner, images, names, network …")] };
  }
  const given = Object.fromEntries(Object.entries(defaults).filter(([, value]) => value !== undefined));
  const parsed = policySchema.safeParse({ ...given, ...written }, { reportInput: true });
  if (!parsed.success) {
    return { ok: false, findings: inOrder(parsed.error.issues.flatMap((issue) => issueFindings(issue, places))) };
  }
  const policy = compilePolicy(parsed.data);
  const hash = createHash("sha256").update(policyText(policy)).digest("hex");
  return { ok: true, policy, hash, findings: inOrder(policyWarnings(policy, places)) };
}

function inOrder(findings: readonly PolicyFinding[]): PolicyFinding[] {
  return findings.toSorted((left, right) => left.line - right.line || left.column - right.column);
}

/** The value of a document; undefined where its aliases lead nowhere, or unfold to too much. */
function plainValue(document: Document.Parsed | undefined): unknown {
  try {
    return document?.toJS({ maxAliasCount: 100 });
  } catch (error) {
    if (error instanceof ReferenceError) return undefined;
    throw error;
  }
}
