const lockLabel = "sandbox-deploy.lock";
const holderLabel = "sandbox-deploy.lock.holder";
const namePrefix = "sandbox-deploy-lock-";

/** The name of one claim to a project on an engine: no two are the same, so removing one never removes another's. */
export function claimName(project: string, token: string): string {
  return `${namePrefix}${project}-${token}`;
}

/** Makes a claim: an empty volume that is no part of any Compose project; `holder` says whose it is. */
export function claimArgv(name: string, project: string, holder: string): string[] {
  return ["volume", "create", "--label", `${lockLabel}=${project}`, "--label", `${holderLabel}=${holder}`, name];
}

/** Lists the claims to a project. */
export function claimsArgv(project: string): string[] {
  const filters = ["--filter", "driver=local", "--filter", `label=${lockLabel}=${project}`];
  return ["volume", "ls", ...filters, "--format", `{{.Name}}\t{{.Label "${holderLabel}"}}`];
}

/** Removes claims; those that are gone already are no failure. */
export function unclaimArgv(names: readonly string[]): string[] {
  return ["volume", "rm", "--force", ...names];
}

/** One listed claim: its name, and the text that says whose it is. */
export interface ClaimRow {
  readonly name: string;
  readonly holder: string;
}

/** Reads what `claimsArgv` lists. */
export function parseClaims(listed: string): ClaimRow[] {
  return listed
    .split("\n")
    .filter((line) => line.startsWith(namePrefix))
    .map((line) => {
      const [name = "", ...holder] = line.split("\t");
      return { name, holder: holder.join("\t") };
    });
}
