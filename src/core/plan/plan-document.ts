import type { HandChange } from "../drift/hand-changes.ts";
import type { Plan } from "./plan.ts";
import { describeStep } from "./plan-steps.ts";

/** What somebody did by hand, as JSON. */
export function driftDocument(drift: readonly HandChange[]) {
  return drift.map(({ service, container, what, since }) => ({
    ...{ service: service ?? null, container, what, since: since ?? null },
  }));
}

/** The plan as a versioned JSON document; later versions may add fields, never rename them. Documented in docs/plan-json.md. */
export function planDocument(plan: Plan) {
  return {
    version: 1,
    mode: plan.mode ?? null,
    because: plan.because ?? null,
    project: plan.project,
    composeFiles: plan.composeFiles,
    services: plan.services,
    rolledBackTo: plan.rolledBackTo ?? null,
    privileges: plan.privileges.map(({ service, kind, detail, change, consent }) => ({
      service,
      kind,
      detail,
      change,
      consent: consent ?? null,
    })),
    credentials: (plan.credentials ?? []).map(({ name, form, service, exposure, contents, inReachOfCode }) => ({
      ...{ name, form, service, exposure, contents: contents ?? null, inReachOfCode },
    })),
    exposure: plan.exposure ?? null,
    drift: driftDocument(plan.drift ?? []),
    steps: plan.steps.map((step) => ({
      kind: step.kind,
      why: step.why,
      text: describeStep(step),
      ...(step.kind === "start" ? { services: step.services } : {}),
    })),
    findings: plan.findings,
    questions: plan.questions.map(({ kind, name, text, acceptedBy }) => ({
      kind,
      name,
      text,
      acceptedBy: acceptedBy ?? null,
    })),
  };
}
