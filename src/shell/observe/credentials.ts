import type { Credential, Lent, LentEntry, PathFact, ValueOrigin } from "../../core/credentials/credential.ts";
import { joinPath, resolvePath, type Territory } from "../../core/stack/stack.ts";
import { FileReadError } from "../../files.ts";
import type { World } from "../../world.ts";

/** Looks for the credentials that a configuration lends, with the values of variables as Compose takes them. */
export function findCredentials(
  world: World,
  territory: Territory,
  values: ReadonlyMap<string, string>,
  credentials: readonly Credential[],
): Promise<Lent[]> {
  return Promise.all(credentials.map((each) => findCredential(world, territory, values, each)));
}

async function findCredential(
  world: World,
  territory: Territory,
  values: ReadonlyMap<string, string>,
  credential: Credential,
): Promise<Lent> {
  const { name, service, form, pathVariables, place, variables } = credential;
  const common = { name, service, pathVariables, place };
  if (form === "env") return { ...common, form, variables, ...chosenOf(world, values, variables) };
  const written = resolvePath(territory.root, world.home, credential.path);
  // A link is followed once, here: what it leads to is what is mounted, and shown.
  const path = (await world.files.realPath(written).catch(unreadable)) ?? written;
  const fact = await factOf(world, path);
  if (form === "file") return { ...common, form, path, fact };
  return { ...common, form, path, fact, entries: fact?.kind === "directory" ? await entriesOf(world, path) : [] };
}

/** Compose takes what the shell exports, even where that is empty. */
function chosenOf(world: World, values: ReadonlyMap<string, string>, variables: readonly string[]) {
  const found = variables.flatMap((variable): { variable: string; origin: ValueOrigin; value: string }[] => {
    const value = values.get(variable) ?? "";
    return value === "" ? [] : [{ variable, origin: world.env[variable] === undefined ? "env-file" : "shell", value }];
  })[0];
  if (found !== undefined) {
    world.reporter.hide([found.value]);
    return { chosen: { variable: found.variable, origin: found.origin } };
  }
  const hidden = variables.find((variable) => world.env[variable] === "");
  return hidden === undefined ? {} : { hidden };
}

async function factOf(world: World, path: string): Promise<PathFact | undefined> {
  const stat = await world.files.stat(path).catch(unreadable);
  return stat && { kind: stat.kind, mode: stat.mode, uid: stat.uid, gid: stat.gid, size: stat.size };
}

/** Names, and how many there are below each folder; no content. */
async function entriesOf(world: World, path: string): Promise<LentEntry[]> {
  const names = (await world.files.list(path).catch(unreadable)) ?? [];
  return Promise.all(
    names.map(async (name): Promise<LentEntry> => {
      const inside = joinPath(path, name);
      const stat = await world.files.stat(inside).catch(unreadable);
      if (stat?.kind !== "directory") return { name };
      return { name, entries: ((await world.files.list(inside).catch(unreadable)) ?? []).length };
    }),
  );
}

function unreadable(error: unknown): undefined {
  if (!(error instanceof FileReadError)) throw error;
}
