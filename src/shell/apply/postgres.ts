import { createHash, createHmac, pbkdf2Sync } from "node:crypto";
import { DeployError } from "../../errors.ts";
import type { RunResult, World } from "../../world.ts";
import { docker } from "../engine/engine.ts";

/** A role of a PostgreSQL in a container. */
export interface PostgresRole {
  readonly service: string;
  readonly container: string;
  readonly role: string;
}

const iterations = 4096;

/**
 * What PostgreSQL keeps of a password (RFC 5803): sent in the place of the password, so that no log of the server can hold
 * it. The salt is 16 random bytes; the password has to be ASCII, which needs no preparation.
 */
export function scramVerifier(password: string, salt: Uint8Array): string {
  const salted = pbkdf2Sync(password, salt, iterations, 32, "sha256");
  const hmac = (text: string) => createHmac("sha256", salted).update(text).digest();
  const stored = createHash("sha256").update(hmac("Client Key")).digest("base64");
  const keys = `${stored}:${hmac("Server Key").toString("base64")}`;
  return `SCRAM-SHA-256$${iterations}:${Buffer.from(salt).toString("base64")}$${keys}`;
}

/** The verifier that a role has now, read over the local socket; D114 where that cannot be asked. */
export async function readVerifier(world: World, role: PostgresRole, password: string): Promise<string> {
  const query = "SELECT rolpassword FROM pg_authid WHERE rolname = :'role'";
  const asked = await psql(world, role, `printf %s "${query}" | psql -XAtq -v role="$DB_ROLE"`, {
    PGPASSWORD: password,
  });
  const verifier = asked.stdout.trim();
  if (asked.exitCode !== 0 || verifier === "") throw failed(role, "does not tell which password it has", asked);
  world.reporter.hide([verifier]);
  return verifier;
}

/** Sets the password of a role by its verifier, over the local socket. */
export async function setVerifier(world: World, role: PostgresRole, verifier: string, password: string): Promise<void> {
  // The shell's own printf: what it prints is in no argument of any process.
  const statement = `printf 'ALTER ROLE "%s" PASSWORD '"'%s'"';\\n' "$DB_ROLE" "$DB_VERIFIER" | psql -Xq`;
  const done = await psql(world, role, statement, { PGPASSWORD: password, DB_VERIFIER: verifier });
  if (done.exitCode !== 0) throw failed(role, "does not take the password", done);
}

/** Logs in like a client, through the name of the service: local connections often need no password at all. */
export async function logIn(world: World, role: PostgresRole, password: string): Promise<void> {
  const done = await psql(world, role, `psql -XAtq -h "$DB_HOST" -c 'SELECT 1'`, { PGPASSWORD: password });
  if (done.exitCode !== 0) throw failed(role, "refuses the password through the network", done);
}

function psql(
  world: World,
  { container, role, service }: PostgresRole,
  script: string,
  secrets: Readonly<Record<string, string>>,
): Promise<RunResult> {
  const given = { ...secrets, DB_ROLE: role, DB_HOST: service, PGUSER: role, PGDATABASE: "postgres", PGOPTIONS: "" };
  // Named only: docker takes the values from its own environment, and no argument holds one.
  const names = Object.keys(given).flatMap((name) => ["--env", name]);
  const settings = "set -eu; export PGCONNECT_TIMEOUT=10 PSQLRC=/dev/null ON_ERROR_STOP=1;";
  const env = { ...world.env, ...given };
  return docker(world, ["exec", ...names, container, "sh", "-c", `${settings} ${withStop(script)}`], { env });
}

/** Without it psql would exit 0 after a statement that failed. */
function withStop(script: string): string {
  return script.replace(/psql /g, "psql -v ON_ERROR_STOP=1 ");
}

function failed({ service, role }: PostgresRole, what: string, { stderr }: RunResult): DeployError {
  return new DeployError([
    {
      code: "D114",
      severity: "error",
      message: `PostgreSQL in ${service} ${what} of the role ${role}: ${stderr.trim().split("\n").at(-1) ?? ""}`,
      fix: `./deploy logs ${service} shows what it says`,
    },
  ]);
}
