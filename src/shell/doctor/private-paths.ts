import type { FileFacts, PrivatePath } from "../../core/doctor/file-checks.ts";
import { joinPath, type Territory } from "../../core/stack/stack.ts";
import type { World } from "../../world.ts";
import { sealKeyPath } from "../files/seal.ts";
import { statIfPossible } from "./engine.ts";

/** Reads who may do what with the files that the tool keeps for itself. */
export async function readPrivatePaths(
  world: World,
  { root, statePath }: Pick<Territory, "root" | "statePath">,
): Promise<FileFacts> {
  const wanted = [
    { path: statePath, kind: "folder", what: "the tool's own folder, with copies of the secrets" },
    { path: joinPath(statePath, "receipt.json"), kind: "file", what: "the receipt of the last deployment" },
    { path: joinPath(statePath, "history"), kind: "folder", what: "the history, with copies of the environment file" },
    { path: joinPath(statePath, "rotation.json"), kind: "file", what: "the journal of a rotation, with old secrets" },
    { path: sealKeyPath(world.home, world.env), kind: "file", what: "the key by which receipts are believed" },
  ] as const;
  const watched = [
    { path: root, what: "the project's folder" },
    ...(world.toolRoot === root ? [] : [{ path: world.toolRoot, what: "the tool's folder" }]),
  ];
  const [writable, folderStats, ...stats] = await Promise.all([
    world.run({ program: "test", args: ["-w", root], env: world.env }),
    Promise.all(watched.map(({ path }) => statIfPossible(world, path))),
    ...wanted.map(({ path }) => statIfPossible(world, path)),
  ]);
  const paths = wanted.flatMap((each, index): PrivatePath[] => {
    const stat = stats[index];
    return stat === undefined ? [] : [{ ...each, mode: stat.mode, uid: stat.uid }];
  });
  const folders = watched.flatMap((each, index) => {
    const mode = folderStats[index]?.mode;
    return mode === undefined ? [] : [{ ...each, mode }];
  });
  return { root, uid: world.uid, writable: writable.missing ? undefined : writable.exitCode === 0, paths, folders };
}
