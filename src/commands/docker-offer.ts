import type { Finding } from "../core/findings/finding.ts";
import { DeployError, exitCodes } from "../errors.ts";
import { askInstaller, type InstallerWorld, installerPath, runInstall } from "../shell/engine/docker-installer.ts";
import type { World } from "../world.ts";

/** What it takes to offer an installation. */
export type OfferWorld = InstallerWorld & Pick<World, "uid" | "reporter" | "forgetEarlyAnswers">;

/** Docker, Compose, or a Compose that is new enough is not there. A daemon that is only down is another matter. */
const lacking: readonly Finding["code"][] = ["D040", "D043", "D044"];

/** Whether a command stopped only because Docker or Compose is not installed, so that `offerDocker` may help. */
export function lacksDocker(error: unknown): error is DeployError {
  return error instanceof DeployError && error.findings.some(({ code }) => lacking.includes(code));
}

/**
 * Offers to install what is missing of Docker Engine, Compose and buildx, as scripts/install-docker.sh shows it, and does it
 * where `--yes` or an answer on the terminal says so. Returns once Docker answers: then begin anew, since nothing that was
 * asked before holds. Throws `because` with the command to type where nobody consents or root is needed (exit 3), and D160
 * where the installation fails (exit 1).
 */
export async function offerDocker(
  world: OfferWorld,
  { yes = false }: { readonly yes?: boolean },
  because: DeployError,
): Promise<void> {
  const answer = await askInstaller(world);
  // There may be no shell tools on the PATH either.
  if (answer.kind === "failed") throw because;
  world.reporter.note(answer.text);
  if (answer.kind === "elsewhere") throw refusal(because, "do what is said above, then run the same command again");
  const script = installerPath(world);
  if (world.uid !== 0) throw refusal(because, `run sudo ${script}, then the same command again`);
  const question = { text: "Docker is not ready on this machine. Do what is listed above?", flag: "--yes" };
  if (!yes && (await world.reporter.confirm(question)) !== true)
    throw refusal(because, `run ${script}, or the same command with --yes`);
  await world.reporter.tasks([{ title: "install Docker", run: (progress) => install(world, progress) }]);
  world.forgetEarlyAnswers();
}

/** The same stop with advice for this machine. */
function refusal({ findings }: DeployError, fix: string): DeployError {
  return new DeployError(
    findings.map((finding) => ({ ...finding, fix })),
    exitCodes.refused,
  );
}

async function install(world: OfferWorld, progress: (line: string) => void): Promise<void> {
  const failure = await runInstall(world, progress);
  if (failure === undefined) return;
  const finding: Finding = {
    code: "D160",
    severity: "error",
    message: `Docker could not be installed:\n${failure}`,
    fix: `mend what the lines above say, then run the same command again; ${installerPath(world)} does this part alone`,
  };
  throw new DeployError([finding]);
}
