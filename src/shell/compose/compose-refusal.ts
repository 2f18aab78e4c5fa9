import type { Finding } from "../../core/findings/finding.ts";
import { composeFailure, unreadableEnvFile } from "../../core/stack/compose-failures.ts";
import type { Failure } from "../../core/stack/docker-failures.ts";
import type { World } from "../../world.ts";

/** Explains why Compose refused to merge files, with the place; reads for that what Compose has read. */
export async function composeRefusal(world: World, files: readonly string[], failure: Failure): Promise<Finding> {
  const envFile = unreadableEnvFile(failure.stderr);
  const names = envFile === undefined ? files : [...files, envFile];
  const read = await Promise.all(names.map(async (file) => ({ file, text: await world.files.read(file) })));
  return composeFailure(
    failure,
    read.flatMap(({ file, text }) => (text === undefined ? [] : [{ file, text }])),
  );
}
