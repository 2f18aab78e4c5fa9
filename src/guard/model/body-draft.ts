import { deny } from "../decision/body-decision.ts";
import type { AuditNotes, Facts, Known, Question, Refusal } from "../decision/decision.ts";
import type { Policy } from "../policy/policy.ts";

/** Why a part of a body is refused. */
export interface FieldRefusal {
  readonly rule: string;
  /** Where it stands, such as `HostConfig.Binds[0]`. */
  readonly field: string;
  /** What is wrong with it, for the client and for the audit. */
  readonly what: string;
  /** 403 unless it says otherwise. */
  readonly status?: number;
  /** Docker's own text in place of the guard's, where clients act on it. */
  readonly message?: string;
}

/**
 * A body on its way through the model. Its parts are read in one pass: each says what it refuses, what it changes and
 * what it has to know. Nothing is sent before all of it has been read, nothing was refused, and nothing is unknown.
 */
export interface BodyDraft {
  readonly policy: Policy;
  /** The first refusal is the one that the client is told. */
  readonly refuse: (refusal: FieldRefusal) => undefined;
  readonly rewrite: (field: string, from: string, to: string) => void;
  /** The value of a fact; undefined, and asked about later, when it is not known yet. */
  readonly fact: <Value>(known: Known<Value>) => { readonly value: Value } | undefined;
  readonly note: (kind: "environmentNames" | "mounts" | "ports", text: string) => void;
  readonly rewrites: readonly string[];
  readonly notes: () => AuditNotes;
  /** What stands in the way of sending, or undefined. */
  readonly obstacle: () => Refusal | undefined;
}

/** The draft of a container, for which the world has to be asked. */
export interface ContainerDraft extends BodyDraft {
  readonly facts: Facts;
}

/** A draft of which nothing has been read yet; `about` is what the audit knows from the start. */
export function startDraft(policy: Policy, about: AuditNotes = {}): BodyDraft {
  const lists: Record<"environmentNames" | "mounts" | "ports", string[]> = {
    environmentNames: [],
    mounts: [],
    ports: [],
  };
  const rewrites: string[] = [];
  const questions: Question[] = [];
  let refusal: FieldRefusal | undefined;
  const notes = (): AuditNotes => ({ ...about, rewrites, ...lists });
  return {
    policy,
    refuse: (given) => {
      refusal ??= given;
      return undefined;
    },
    rewrite: (field, from, to) => {
      rewrites.push(`${field}: ${shown(from)} -> ${shown(to)}`);
    },
    fact: (known) => {
      if (known.known) return { value: known.value };
      questions.push(known.question);
      return undefined;
    },
    note: (kind, text) => {
      lists[kind].push(text);
    },
    rewrites,
    notes,
    obstacle: () => {
      if (refusal) return denied(refusal, notes());
      const [first, ...others] = questions;
      return first && { kind: "ask", questions: [first, ...others] };
    },
  };
}

function denied({ rule, field, what, status, message }: FieldRefusal, about: AuditNotes): Refusal {
  const notes = { ...about, field };
  const refusal = deny(rule, what, notes, status);
  return message === undefined || refusal.kind !== "deny" ? refusal : { ...refusal, message };
}

/** A value in a line of the audit: nothing is shown as `-`, and what is long is cut. */
function shown(value: string): string {
  const text = value.replace(/[^ -~]/g, "?");
  return text === "" ? "-" : text.length > 120 ? `${text.slice(0, 117)}...` : text;
}
