import type { Finding, Position } from "../findings/finding.ts";
import { databasePassword } from "../plan/plan.ts";
import type { DataPassword } from "./data-password.ts";

/** A password that data holds, with what is known of it from the last deployment. */
export interface KnownPassword extends DataPassword {
  /** Whether it is another one than at the last deployment; undefined where that is not known. */
  readonly changed: boolean | undefined;
  /** Folders of this machine that hold data already. */
  readonly filled: readonly string[];
  /** Its line in the environment file. */
  readonly at?: Position;
}

/**
 * Refuses a new password for a database whose data is there already (D110): the program keeps the old one, and whoever
 * connects with the new one is turned away. `volumes` are those that exist on the engine.
 */
export function dataPasswordFindings(
  passwords: readonly KnownPassword[],
  volumes: readonly { readonly name: string }[],
  missing: readonly string[],
): Finding[] {
  const present = new Set(volumes.map(({ name }) => name));
  return passwords.flatMap((password): Finding[] => {
    const { service, program, variable, value, changed, at } = password;
    const data = [...password.volumes.filter((name) => present.has(name)), ...password.filled];
    const isNew = value === "" || (password.generated !== undefined && missing.includes(password.generated));
    if (data.length === 0 || (isNew ? missing.length === 0 : changed !== true)) return [];
    const where = data.join(" and ");
    const why = isNew
      ? `a new password would be generated for ${service} (${variable})`
      : `the password of ${service} (${variable}) is another one than at the last deployment`;
    return [
      {
        code: "D110",
        severity: "error",
        message: `${why}, but ${program} reads it only while its data is empty, and ${where} is not: the old one stays`,
        fix: isNew
          ? `write the password that the data has into the environment file, or delete the data: ./deploy down --volumes`
          : `put the old value back${program === "PostgreSQL" ? ", then ./deploy secrets rotate changes it in the database as well" : ""}; where ${program} has the new one already: --accept ${databasePassword}`,
        acceptName: databasePassword,
        ...(at === undefined ? {} : { at }),
      },
    ];
  });
}
