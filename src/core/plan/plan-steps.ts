import type { SeedFile } from "./facts.ts";

/** What a service's start means: it is new, stopped, made anew because something changed, or has too few or many containers. */
export type StartKind = "create" | "start" | "recreate" | "scale";

/** One service that a step starts, and why. */
export interface ServiceStart {
  readonly service: string;
  readonly kind: StartKind;
  readonly why: string;
}

/** One change to the world; each is safe to repeat. */
export type Step =
  | {
      readonly kind: "seed-file";
      readonly why: string;
      readonly seed: SeedFile;
      /** The file and its template as people read them. */
      readonly name: string;
      readonly template: string;
    }
  | { readonly kind: "generate-secrets"; readonly why: string; readonly names: readonly string[] }
  | { readonly kind: "write-secret-files"; readonly why: string; readonly names: readonly string[] }
  | { readonly kind: "write-guard-policy"; readonly why: string }
  | { readonly kind: "write-tls-files"; readonly why: string }
  | { readonly kind: "make-local-images"; readonly why: string; readonly images: readonly string[] }
  | { readonly kind: "build"; readonly why: string; readonly services: readonly string[]; readonly pull: boolean }
  | {
      readonly kind: "pull";
      readonly why: string;
      readonly services: readonly string[];
      readonly policy: "missing" | "always";
    }
  | {
      readonly kind: "remove-containers";
      readonly why: string;
      readonly names: readonly string[];
      readonly ids: readonly string[];
    }
  | {
      readonly kind: "remove-sandboxes";
      readonly why: string;
      /** Those that were there when it was planned; whatever the gateway started since then goes too. */
      readonly names: readonly string[];
    }
  | { readonly kind: "remove-networks"; readonly why: string; readonly names: readonly string[] }
  | {
      readonly kind: "start";
      readonly why: string;
      readonly services: readonly ServiceStart[];
      /** Whether Compose is told to recreate containers in which it sees no difference. */
      readonly recreate: boolean;
    }
  | {
      readonly kind: "remove-project";
      readonly why: string;
      readonly project: string;
      readonly volumes: readonly string[];
    };

/** One line for people: what a step does. */
export function describeStep(step: Step): string {
  switch (step.kind) {
    case "seed-file":
      return `create ${step.name} from ${step.template}`;
    case "generate-secrets":
      return `generate ${step.names.join(", ")}`;
    case "write-secret-files":
      return `write secret file${plural(step.names)} ${step.names.join(", ")}`;
    case "write-guard-policy":
      return "write the guard's policy";
    case "write-tls-files":
      return "write the proxy's files for TLS";
    case "make-local-images":
      return `make image${plural(step.images)} ${step.images.join(", ")} from Debian packages`;
    case "build":
      return `build ${step.services.join(", ")}`;
    case "pull":
      return `pull ${step.policy === "always" ? `the newest image${plural(step.services)} of ` : ""}${step.services.join(", ")}`;
    case "remove-containers":
      return `remove ${step.names.join(", ")}`;
    case "remove-sandboxes":
      return `remove ${step.names.length === 1 ? "the sandbox" : "the sandboxes"} ${step.names.join(", ")}`;
    case "remove-networks":
      return `remove the network${plural(step.names)} ${step.names.join(", ")}`;
    case "start":
      return describeStarts(step.services);
    case "remove-project":
      return `remove the containers and networks of ${step.project}${step.volumes.length > 0 ? ` and the volumes ${step.volumes.join(", ")}` : ""}`;
  }
}

function describeStarts(starts: readonly ServiceStart[]): string {
  const kinds = [...new Set(starts.map(({ kind }) => kind))];
  const named = (kind: StartKind) => starts.flatMap((start) => (start.kind === kind ? [start.service] : [])).join(", ");
  return kinds.map((kind) => `${kind} ${named(kind)}`).join("; ");
}

function plural(items: readonly unknown[]): string {
  return items.length === 1 ? "" : "s";
}
