import type { Finding } from "../findings/finding.ts";
import type { PlanQuestion } from "../plan/plan.ts";
import { type ExposureGround, exposureChecks, exposureLevel, isLoopback, openDoors } from "./exposure-checks.ts";
import { type ExposureItem, exposureItems, exposureLevels, exposureName, type LastExposure } from "./exposure-items.ts";

/** How a stack is exposed, as a receipt keeps it. */
export interface Exposure extends LastExposure {
  readonly failed: readonly ExposureItem[];
  /** What was accepted, and why. */
  readonly accepted: readonly { readonly name: string; readonly reason: string }[];
}

/** What follows from how many can reach a stack. */
export interface ExposurePlan {
  readonly exposure: Exposure | undefined;
  readonly findings: readonly Finding[];
  readonly questions: readonly PlanQuestion[];
}

interface Judged {
  readonly item: ExposureItem;
  readonly failures: readonly string[];
  /** Why the operator accepts it. */
  readonly reason: string | undefined;
}

const nothing: ExposurePlan = { exposure: undefined, findings: [], questions: [] };

/**
 * Checks a stack that others reach, and asks before it is reached by more than at the last verified deployment. What does not
 * hold, and nobody accepted by name with a reason, refuses where it is new; what was there before stays a warning.
 */
export function planExposure(ground: ExposureGround, last: LastExposure | undefined, confirmed: boolean): ExposurePlan {
  const level = exposureLevel(ground);
  if (level === "loopback") return nothing;
  const judged = exposureItems.map((item) => ({
    item,
    failures: exposureChecks[item](ground),
    reason: ground.config.accept.find(({ privilege }) => privilege === item)?.reason,
  }));
  const failed = judged.filter(({ failures }) => failures.length > 0);
  const isMore = exposureLevels.indexOf(level) > exposureLevels.indexOf(last?.level ?? "loopback");
  const isNew = (item: ExposureItem) => isMore || (last?.failed !== undefined && !last.failed.includes(item));
  const written = ground.config.accept.find(({ privilege }) => privilege === exposureName)?.reason;
  const acceptedBy = written ? `deploy.config.yaml: ${written}` : confirmed ? "--yes" : undefined;
  const text = [`${openings[level]}: ${openDoors(ground).join(", ")}`, ...judged.map(stateOf)].join("; ");
  return {
    exposure: {
      ...{ level, failed: failed.map(({ item }) => item) },
      accepted: failed.flatMap(({ item, reason }) => (reason === undefined ? [] : [{ name: item, reason }])),
    },
    findings: failed.filter(({ reason }) => reason === undefined).map((each) => finding(each, isNew(each.item))),
    questions: isMore
      ? [{ kind: "exposure", name: exposureName, text, ...(acceptedBy === undefined ? {} : { acceptedBy }) }]
      : [],
  };
}

const openings = {
  network: "other machines will reach this stack",
  public: "everybody who reaches this machine will reach this stack, under its domain",
};

const promises: Readonly<Record<ExposureItem, string>> = {
  "weak-secrets": "strong secrets",
  "default-accounts": "no default accounts",
  "no-tls": "TLS on every open port",
  "open-data-store": "closed data stores",
  "no-limits": "limits on memory and processes",
  "raw-socket": "no raw Docker socket",
  "credential-directories": "no directories of credentials",
  "unpinned-images": "pinned images",
};

const fixes: Readonly<Record<ExposureItem, string>> = {
  "weak-secrets": "./deploy secrets check names them; ./deploy secrets rotate, or set, gives them other values",
  "default-accounts": "give the variable a value of its own in the environment file",
  "no-tls": "set public.tls and public.domain, or publish on 127.0.0.1 (BIND_HOST) behind a proxy of your own",
  "open-data-store": "take its ports: out of the Compose files, or publish on 127.0.0.1",
  "no-limits": "give it mem_limit and pids_limit in an overlay",
  "raw-socket": "set sandbox.docker.access to guarded",
  "credential-directories": "lend one file or a variable in its place: credentials: in deploy.config.yaml",
  "unpinned-images": "name the image by its digest: NAME:TAG@sha256:…",
};

function stateOf({ item, failures, reason }: Judged): string {
  if (failures.length === 0) return `holds: ${promises[item]}`;
  return reason === undefined
    ? `does not hold: ${promises[item]} (${item})`
    : `does not hold and is accepted: ${promises[item]} (${reason})`;
}

/** So many are named, the others are counted. */
const most = 4;

function finding({ item, failures }: Judged, isNew: boolean): Finding {
  const more = failures.length > most ? `, and ${failures.length - most} more` : "";
  return {
    code: "D146",
    severity: isNew ? "error" : "warning",
    message: `a stack that others reach needs ${promises[item]}: ${failures.slice(0, most).join(", ")}${more}`,
    fix: `${fixes[item]}; or accept ${item} with a reason, under accept: in deploy.config.yaml`,
  };
}

/** How exposed a stack was by what it held, where its receipt does not say. */
export function exposureOf(privileges: readonly { readonly kind: string; readonly detail: string }[]): LastExposure {
  const open = privileges.some(
    ({ kind, detail }) =>
      kind === "published-port" && !isLoopback(detail.slice(0, detail.lastIndexOf(":", detail.indexOf(" ->")))),
  );
  return { level: open ? "network" : "loopback", failed: undefined };
}
