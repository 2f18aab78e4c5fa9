import { joinPath } from "../../core/stack/stack.ts";
import type { World } from "../../world.ts";

/** A file as it would be after it was written. */
export interface Draft {
  readonly path: string;
  readonly text: string;
  readonly mode: number;
}

/** The world with some files as they would be. What changes something has no place in it. */
export function withDraftFiles(world: World, drafts: readonly Draft[]): World {
  const drafted = new Map(drafts.map((draft) => [draft.path, draft]));
  const { files } = world;
  return {
    ...world,
    files: {
      ...files,
      read: async (path) => drafted.get(path)?.text ?? files.read(path),
      stat: async (path) => {
        const draft = drafted.get(path);
        const present = await files.stat(path);
        if (draft === undefined || present !== undefined) return present;
        const size = Buffer.byteLength(draft.text);
        return { kind: "file", mode: draft.mode, uid: world.uid ?? 0, gid: world.uid ?? 0, size, mtimeMs: 0 };
      },
      realPath: async (path) => (await files.realPath(path)) ?? (drafted.has(path) ? path : undefined),
    },
  };
}

/**
 * Does work in the world with some files as they would be. Compose reads the environment file by itself, so a draft of it
 * lies in the state folder meanwhile, 0600 as the file itself.
 */
export async function withDrafts<T>(
  world: World,
  drafts: readonly Draft[],
  place: { readonly envPath: string; readonly statePath: string },
  work: (drafted: World) => Promise<T>,
): Promise<T> {
  const drafted = withDraftFiles(world, drafts);
  const env = drafts.find(({ path }) => path === place.envPath);
  if (env === undefined) return work(drafted);
  const draftPath = joinPath(place.statePath, `setup-${world.process.pid}.env`);
  await world.files.makeDirectory(place.statePath, 0o700);
  await sweepDrafts(world, place.statePath);
  await world.files.writeAtomic(draftPath, env.text, { mode: 0o600, own: true });
  try {
    return await work({
      ...drafted,
      run: (command, options) => {
        const args = command.args.map((arg) => (arg === place.envPath ? draftPath : arg));
        return world.run({ ...command, args }, options);
      },
    });
  } finally {
    await world.files.remove(draftPath);
  }
}

/** A draft holds what the environment file does: one that a killed process left behind goes. */
async function sweepDrafts(world: World, statePath: string): Promise<void> {
  for (const name of await world.files.list(statePath)) {
    const pid = /^setup-(\d+)\.env$/.exec(name)?.[1];
    if (pid !== undefined && !(await world.process.isRunning(Number(pid))))
      await world.files.remove(joinPath(statePath, name));
  }
}
