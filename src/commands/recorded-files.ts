import type { DeploymentRecord } from "../core/deployment/deployment.ts";
import type { Finding } from "../core/findings/finding.ts";
import type { Territory } from "../core/stack/stack.ts";
import { DeployError, exitCodes } from "../errors.ts";
import { FileReadError } from "../files.ts";
import { keyedFingerprint } from "../shell/files/fingerprint.ts";
import { sealKey } from "../shell/files/seal.ts";
import { copyPathOf, historyPath } from "../shell/records/history.ts";
import type { World } from "../world.ts";

/** Copies of files that containers mount, where the file itself is another one by now. What the tool writes itself is written anew. */
export async function replacedFiles(
  world: World,
  { statePath }: Territory,
  { id, mounted }: DeploymentRecord,
  own: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const foreign = mounted.filter(
    ({ path }) => (!path.startsWith(`${statePath}/`) || path.startsWith(historyPath(statePath))) && !own.includes(path),
  );
  const key = await sealKey(world);
  const checked = await Promise.all(
    foreign.map(async ({ path, copy, hash }) => {
      const copyPath = copyPathOf(statePath, id, "mounted", copy);
      const [now, then] = await Promise.all(
        [path, copyPath].map((each) => world.files.fingerprint(each, key).catch(unread)),
      );
      // An earlier version kept no hash: then the copy itself is all that is known.
      const wanted = hash ?? then;
      return {
        path,
        copyPath,
        isSame: now !== undefined && now === wanted,
        isWhole: then !== undefined && then === wanted,
      };
    }),
  );
  const lost = checked.filter(({ isSame, isWhole }) => !isSame && !isWhole);
  if (lost.length > 0) throw goneError(lost.map(({ path, copyPath }) => lostCopy(path, copyPath)));
  return new Map(checked.flatMap(({ path, copyPath, isSame }) => (isSame ? [] : [[path, copyPath] as const])));
}

function lostCopy(path: string, copyPath: string): string {
  return `${copyPath}, its copy of ${path}, is damaged or gone, and the file itself is another one by now`;
}

/** The copy of a file that the tool writes itself; undefined where the record has none. */
export async function mountedText(
  world: World,
  { statePath }: Territory,
  { id, mounted }: DeploymentRecord,
  path: string,
) {
  const found = mounted.find((each) => each.path === path);
  if (found === undefined) return undefined;
  const copyPath = copyPathOf(statePath, id, "mounted", found.copy);
  const text = await world.files.read(copyPath).catch(unread);
  const isWhole = found.hash === undefined || found.hash === keyedFingerprint(await sealKey(world), text ?? "");
  if (text === undefined || !isWhole) throw goneError([`${copyPath}, its copy of ${path}, is damaged or gone`]);
  return text;
}

function unread(error: unknown): undefined {
  if (!(error instanceof FileReadError)) throw error;
}

/** Why a deployment cannot run again, D097: one finding for each reason. */
export function goneError(reasons: readonly string[]): DeployError {
  const fix =
    "./deploy history shows which deployments there are; choose another one, or mend the files and run ./deploy up";
  const findings = reasons.map((reason): Finding => {
    return { code: "D097", severity: "error", message: `that deployment cannot run again: ${reason}`, fix };
  });
  return new DeployError(findings, exitCodes.refused);
}
