import type { Finding } from "../findings/finding.ts";
import { classTexts, type ListedSecret, usersOfSecret } from "./secret-list.ts";

/** Why a secret is not rotated (D113), or undefined where it can be. `exported`: this shell has a variable of its name. */
export function rotationFinding(secret: ListedSecret, exported: boolean): Finding | undefined {
  const { name, passwords } = secret;
  const refused = (why: string, fix: string): Finding => {
    return { code: "D113", severity: "error", message: `${name} is not rotated: ${why}`, fix };
  };
  if (exported) return refused("this shell exports it, which beats the environment file", `run unset ${name}`);
  if (secret.class === "at-rest")
    return refused(`it ${classTexts["at-rest"]}`, "re-encrypt the data with the platform's own command first");
  if (secret.class === "foreign")
    return refused(`it is ${classTexts.foreign}`, `ask its owner for a new one, then ./deploy secrets set ${name}`);
  if (!secret.set) return refused("it has no value yet", "./deploy secrets generate makes one");
  if (usersOfSecret(secret).length === 0)
    return refused("no service reads it", `./deploy secrets set ${name} changes it`);
  const other = passwords.find(
    ({ program, variable }) => program !== "PostgreSQL" || !/^POSTGRES_PASSWORD/.test(variable),
  );
  if (secret.class === "volume" && (other !== undefined || passwords.length === 0)) {
    const program = other?.program ?? "a program that this tool does not know";
    return refused(
      `${program} keeps it in its data, and only PostgreSQL's is changed from here`,
      `change it inside ${program} first, write it into the environment file, then ./deploy up --accept database-password`,
    );
  }
  return undefined;
}

/** One line for each secret that gets a new value: who is started anew, and what that means. */
export function rotationText(secrets: readonly ListedSecret[]): string {
  return secrets
    .map((secret) => `${secret.name}: recreates ${usersOfSecret(secret).join(", ")}; ${rotationMeaning(secret)}`)
    .join("\n");
}

function rotationMeaning({ class: is }: ListedSecret): string {
  return is === "volume" ? "it is changed in the database first" : classTexts[is];
}
