import { privilegeRows } from "../plan/plan-text.ts";
import { relativePath } from "../stack/stack.ts";
import { durationText } from "../text/duration.ts";
import { textColumns } from "../text/fitted-text.ts";
import { padded, textWidth } from "../text/text-width.ts";
import { wrapText } from "../text/wrapped-text.ts";
import type { DeploymentRecord, DeploymentState, HistoryEntry } from "./deployment.ts";
import { type Change, type DeploymentDiff, isSame, type NamedChange } from "./deployment-diff.ts";

/** A deployment of the history and how it stands now. */
export interface ListedDeployment {
  readonly entry: HistoryEntry;
  /** Undefined where the record cannot be read. */
  readonly state: DeploymentState | undefined;
  /** Whether its containers are those that run. */
  readonly runs: boolean;
}

const historyHead = ["id", "when (UTC)", "command", "mode", "took", "who", "outcome"];
/** What a table that is too wide can do without, in this order: an id says when, and `history show` says all. */
const dispensable = ["when (UTC)", "who", "took", "mode", "command"];

/** The table of `history`, in the order of the list, with as much of it as fits. */
export function historyText(deployments: readonly ListedDeployment[], columns = Number.POSITIVE_INFINITY): string {
  if (deployments.length === 0) return "no deployment of this folder is recorded";
  const rows = deployments.map(({ entry: { id, record }, state, runs }) => {
    const outcome = `${state ?? "the record cannot be read"}${runs ? ", runs now" : ""}`;
    if (record === undefined) return [id, "", "", "", "", "", outcome];
    const { begun, command, of, mode, who, host } = record;
    const when = begun.slice(0, 16).replace("T", " ");
    const to = of === undefined ? "" : `, back to ${of}`;
    return [id, when, command, mode, tookText(record), `${who}@${host}`, `${outcome}${to}`];
  });
  const table = [historyHead, ...rows];
  const kept = dispensable.map((_, count) => without(table, dispensable.slice(0, count)));
  const fits = kept.find((lines) => lines.every((line) => textWidth(line) <= columns));
  return (fits ?? without(table, dispensable)).join("\n");
}

function without(table: readonly (readonly string[])[], titles: readonly string[]): string[] {
  return columnLines(table.map((row) => row.filter((_, column) => !titles.includes(historyHead[column] ?? ""))));
}

function tookText({ durationMilliseconds: took }: DeploymentRecord): string {
  return took === undefined ? "" : durationText(Math.round(took / 1000));
}

/** One deployment in full; `root` is the folder from which paths are shown. */
export function deploymentText(
  record: DeploymentRecord,
  { state, runs }: Omit<ListedDeployment, "entry">,
  root: string,
  columns = textColumns,
) {
  const { id, command, of, mode, because, project, begun, who, host, engineId, toolVersion, composeVersion } = record;
  const row = (name: string, text: string) => wrapText(text, name.padEnd(12), undefined, columns);
  const took = tookText(record);
  const file = (path: string) => relativePath(root, path);
  return [
    ...row("deployment", `${id}${runs ? " (runs now)" : ""}`),
    ...row("command", of === undefined ? command : `${command} to ${of}`),
    ...row("outcome", state ?? ""),
    ...record.findings.flatMap(({ code, message }) =>
      wrapText(`${code} ${message}`, " ".repeat(12), undefined, columns),
    ),
    ...row("mode", `${mode} (${because})`),
    ...row("project", project),
    ...row("when", `${begun}${took === "" ? "" : `, took ${took}`}`),
    ...row("who", `${who}@${host}`),
    ...row("with", `sandbox-deploy ${toolVersion}${composeVersion ? `, Compose ${composeVersion}` : ""}`),
    ...(engineId === "" ? [] : row("engine", engineId)),
    ...section("files", columnLines(record.sources.map(({ path, hash }) => [file(path), shortHash(hash)]))),
    ...section(
      "mounted",
      record.mounted.map(({ path }) => file(path)),
    ),
    ...section("images", imageLines(record)),
    ...section(
      "privileges",
      privilegeRows(record.privileges, () => "", columns).map((line) => line.slice(2)),
    ),
    ...section("secrets", wrapText(Object.keys(record.secrets).join(", "), "", "", columns - 2)),
  ].join("\n");
}

function imageLines({ images }: DeploymentRecord): string[] {
  return columnLines(
    Object.entries(images).map(([service, { id, reference, tag }]) => [
      ...[service, shortHash(id), reference],
      tag === undefined ? "not kept by a tag" : `kept as ${tag}`,
    ]),
  );
}

const marks: Readonly<Record<Change, string>> = { added: "+", removed: "-", changed: "~" };

/** What differs between two deployments, by name. */
export function diffText(diff: DeploymentDiff, root: string, columns = textColumns): string {
  const named = ({ change, name }: NamedChange) => `${marks[change]} ${name}`;
  const lines = [
    `from ${diff.from} to ${diff.to} (+ added, - removed, ~ changed)`,
    ...(diff.mode ? section("mode", [`${diff.mode.from} -> ${diff.mode.to}`]) : []),
    ...section(
      "files",
      diff.files.map(({ change, name }) => named({ change, name: relativePath(root, name) })),
    ),
    ...section("configuration", settingLines(diff.settings)),
    ...section(
      "images",
      columnLines(diff.images.map(({ service, from, to }) => [service, `${imageName(from)} -> ${imageName(to)}`])),
    ),
    ...section(
      "privileges",
      privilegeRows(diff.privileges, ({ change }) => (change === "gained" ? "+ " : "- "), columns).map((line) =>
        line.slice(2),
      ),
    ),
    ...section("secrets", diff.secrets.map(named)),
    ...(isSame(diff) ? ["no difference"] : []),
    ...section("not compared", diff.notCompared),
  ];
  return lines.join("\n");
}

function settingLines(settings: DeploymentDiff["settings"]): string[] {
  return columnLines(
    settings.map(({ service, name, change }) => [
      ...[`${marks[change]} ${service ?? "(whole stack)"}`, name === "" ? "the whole service" : name],
    ]),
  );
}

function imageName(id: string | null): string {
  return id === null ? "none" : shortHash(id);
}

function shortHash(hash: string): string {
  const [kind = "", digits = ""] = hash.split(":");
  return `${kind}:${digits.slice(0, 12)}`;
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`)];
}

/** Rows in columns; the last column ends where its text ends. */
function columnLines(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => textWidth(row[column] ?? ""))));
  return rows.map((row) =>
    row
      .map((cell, column) => padded(cell, widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
