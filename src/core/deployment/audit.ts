import "../schema-settings.ts";
import * as z from "zod";
import { type Mode, modes } from "../detect/mode.ts";
import type { Plan } from "../plan/plan.ts";
import type { Privilege } from "../privileges/privilege.ts";
import { durationText } from "../text/duration.ts";
import { visibleLine } from "../text/visible-text.ts";

const stateSchema = z.object({
  mode: z.enum(modes).nullable(),
  services: z.array(z.string()),
  privileges: z.array(z.string()),
});

/** What a project is, in the words of the audit log: its mode, services, and what they hold. */
export type AuditState = z.infer<typeof stateSchema>;

const acceptedSchema = z.object({ name: z.string(), by: z.string() });

/** Something that somebody agreed to: by a flag, by an entry with a reason in the configuration, or when asked. */
export type Accepted = z.infer<typeof acceptedSchema>;

const beginSchema = z.object({
  version: z.literal(1),
  event: z.literal("begin"),
  /** The same in the line of the end. */
  id: z.string(),
  time: z.string(),
  who: z.string(),
  /** Who became another user by sudo. */
  sudoBy: z.string().optional(),
  host: z.string(),
  /** The command and its flags; of a flag whose value could be anything only the name. */
  command: z.array(z.string()),
  project: z.string(),
  folder: z.string(),
  from: stateSchema.optional(),
  /** What was intended; whether it was reached, the end tells. */
  to: stateSchema.optional(),
  /** What somebody had to agree to, by its name, and how that was said. */
  accepted: z.array(acceptedSchema).optional(),
  toolVersion: z.string(),
});

const endSchema = z.object({
  version: z.literal(1),
  event: z.literal("end"),
  id: z.string(),
  time: z.string(),
  seconds: z.number(),
  exitCode: z.number(),
  /** Codes of the findings that it ended with. */
  codes: z.array(z.string()),
});

/** The line that is written before anything changes. */
export type AuditBegin = z.infer<typeof beginSchema>;
/** The line that is written when a command has ended, however it did. */
export type AuditEnd = z.infer<typeof endSchema>;

/** One command that changed something; without an end it was killed, or still runs. */
export interface AuditEntry {
  readonly begin: AuditBegin;
  readonly end?: AuditEnd;
}

/** Reads an audit log, oldest first; a line that was cut off or that this version does not know is left out. */
export function readAudit(text: string): AuditEntry[] {
  const entries = new Map<string, { begin: AuditBegin; end?: AuditEnd }>();
  for (const line of text.split("\n")) {
    const value = parseJson(line);
    const begin = beginSchema.safeParse(value);
    if (begin.success) entries.set(begin.data.id, { begin: begin.data });
    const end = endSchema.safeParse(value);
    const entry = end.success ? entries.get(end.data.id) : undefined;
    if (entry !== undefined && end.success) entry.end = end.data;
  }
  return [...entries.values()];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A state in the words of the log; services are sorted. */
export function auditState(
  mode: Mode | undefined,
  services: Iterable<string>,
  privileges: readonly Privilege[],
): AuditState {
  return {
    mode: mode ?? null,
    services: [...new Set(services)].toSorted(),
    privileges: privileges.map(({ service, kind, detail }) => `${service}: ${kind} ${detail}`),
  };
}

/** What a plan begins with, what it means to reach, and what was accepted for that; `mode` is the one of before. */
export function auditStates(
  plan: Plan,
  mode: Mode | undefined,
  services: Iterable<string>,
): { readonly from: AuditState; readonly to: AuditState; readonly accepted: readonly Accepted[] } {
  const held = (left: "gained" | "lost") => plan.privileges.filter(({ change }) => change !== left);
  return {
    from: auditState(mode, services, held("gained")),
    to: auditState(plan.mode, plan.mode === undefined ? [] : plan.services, held("lost")),
    accepted: acceptedIn(plan),
  };
}

/** Nothing is changed before every question was answered. */
function acceptedIn({ questions, exposure }: Plan): Accepted[] {
  return [
    ...questions.map(({ name, acceptedBy }) => ({ name, by: acceptedBy ?? "an answer to the question" })),
    ...(exposure?.accepted ?? []).map(({ name, reason }) => ({ name, by: `deploy.config.yaml: ${reason}` })),
  ];
}

/** Flags whose values are among known ones, or names or numbers; of every other flag the log has the name only. */
const shownValues = ["project", "accept", "images", "pull", "waitSeconds", "lockWait"];
const namedOnly = ["volumes", "force", "yes", "config", "envFile"];

/** A command line in the words of the log: nothing in it can be a secret. */
export function auditWords(command: string, flags: object, args: readonly string[] = []): string[] {
  const shown = Object.entries(flags).flatMap(([name, value]): string[] => {
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    if (name === "rollback") return value === false ? ["--no-rollback"] : [];
    if (value === undefined || value === false || value === "missing") return [];
    if (name === "build") return [value === "never" ? "--no-build" : "--build"];
    if (shownValues.includes(name)) return [value].flat().flatMap((each) => [flag, String(each)]);
    return namedOnly.includes(name) ? [flag] : [];
  });
  return [command, ...args, ...shown];
}

/** One entry as people read it. */
export function auditText({ begin, end }: AuditEntry): string {
  const { time, who, sudoBy, host, command, project, folder, from, to, accepted = [] } = begin;
  const sudo = sudoBy === undefined ? "" : ` (sudo by ${sudoBy})`;
  const modeOf = (state: AuditState | undefined) => state?.mode ?? "none";
  const modes = from === undefined && to === undefined ? "" : `: ${modeOf(from)} -> ${modeOf(to)}`;
  const [before, after] = [from?.privileges ?? [], to?.privileges ?? []];
  return [
    `${time}  ${who}@${host}${sudo}  ${command.join(" ")}`,
    `  ${project} in ${folder}${modes}`,
    `  ${end === undefined ? "no end: it was killed, or still runs" : endText(end)}`,
    ...after.filter((each) => !before.includes(each)).map((each) => `  + ${each}`),
    ...before.filter((each) => !after.includes(each)).map((each) => `  - ${each}`),
    ...accepted.map(({ name, by }) => `  accepted ${name} (${visibleLine(by)})`),
  ].join("\n");
}

function endText({ exitCode, codes, seconds }: AuditEnd): string {
  return `exit ${[exitCode, ...codes].join(" ")} after ${durationText(seconds)}`;
}
