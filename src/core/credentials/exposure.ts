import type { Mode } from "../detect/mode.ts";
import { relativePath } from "../stack/stack.ts";
import { visibleLine } from "../text/visible-text.ts";
import { keeperOf, type Lent, type LentEntry, lentTarget } from "./credential.ts";

/** What a service gets of a login, in words. */
export interface CredentialExposure {
  readonly name: string;
  readonly form: Lent["form"];
  readonly service: string;
  /** What the service can see, and how. */
  readonly exposure: string;
  /** directory: what else is in there, by name and number. It may change at any time. */
  readonly contents?: string;
  /** Whether code that a model wrote runs where this can be read. */
  readonly inReachOfCode: boolean;
}

/** Says of each credential what its service gets. */
export function exposuresOf(lent: readonly Lent[], home: string, mode: Mode, gateway: string): CredentialExposure[] {
  return lent.map((each) => {
    const { name, form, service } = each;
    return {
      ...{ name, form, service, exposure: exposureOf(each, home) },
      inReachOfCode: mode === "local" && service === gateway,
      ...(each.form === "directory" ? { contents: contentsOf(each.entries) } : {}),
    };
  });
}

function exposureOf(lent: Lent, home: string): string {
  const { service, name } = lent;
  const shown = (path: string) => visibleLine(path.startsWith(`${home}/`) ? `~/${relativePath(home, path)}` : path);
  switch (lent.form) {
    case "env": {
      const { chosen } = lent;
      if (chosen === undefined) return `${service} gets nothing: no variable has a value`;
      const origin = chosen.origin === "shell" ? "of this shell" : "of the environment file";
      return `${service} alone gets ${chosen.variable} ${origin}; nothing is mounted, and who may inspect containers sees it`;
    }
    case "file":
      return `${service} can read ${lentTarget(lent)}, a copy in memory of ${shown(lent.path)}; ${keeperOf(name)} mounts that one file read-only and keeps the copy fresh`;
    case "directory":
      return `${service} can read all of ${shown(lent.path)}`;
  }
}

/** So many names are shown. */
const most = 8;

/** What is in a directory, by name and number; nothing of it is read. */
export function contentsOf(entries: readonly LentEntry[]): string {
  if (entries.length === 0) return "it is empty";
  const names = entries.map(({ name, entries: inside }) =>
    inside === undefined
      ? visibleLine(name)
      : `${visibleLine(name)}/ (${inside} ${inside === 1 ? "entry" : "entries"})`,
  );
  const more = names.length > most ? ` and ${names.length - most} more` : "";
  return `${entries.length} ${entries.length === 1 ? "thing is" : "things are"} in there: ${names.slice(0, most).join(", ")}${more}`;
}
