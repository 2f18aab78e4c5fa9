import type { Grant } from "../privileges/privilege.ts";
import type { Concealed } from "../secrets/concealed.ts";

/** The label that names the variables of a service in which logins are, parted by commas. */
export const credentialLabel = "sandbox-deploy.credential-variables";

/** Variables that hold a person's login wherever they are set. */
const loginVariables = ["CLAUDE_CODE_OAUTH_TOKEN", "ANTHROPIC_AUTH_TOKEN"];

/** The variables of a service or container that hold a login and have a value. */
export function credentialVariables(
  environment: Readonly<Record<string, Concealed | null>>,
  label: string | undefined,
): string[] {
  const named = (label ?? "").split(",").filter((name) => name !== "");
  return [...new Set([...loginVariables, ...named])].filter((name) => (environment[name]?.reveal() ?? "") !== "");
}

/** A login in a variable: seen by the programs of the container, and by whoever may inspect it. */
export function credentialGrants(variables: readonly string[]): Grant[] {
  return variables.map((detail) => ({ kind: "credential-variable", detail }));
}
