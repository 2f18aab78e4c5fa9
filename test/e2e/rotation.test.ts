import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { command, output } from "../support/command.ts";
import { createStack, hasten, platformConfigs, repositoryRoot, type TestStack } from "../support/stack.ts";

let stack: TestStack;
afterEach(() => stack.dispose());

/** The id of each container of the stack, by its service. */
async function ids(): Promise<Record<string, string>> {
  const rows = await output("docker", [
    ...["ps", "--all", "--no-trunc", "--filter", `label=com.docker.compose.project=${stack.project}`],
    ...["--format", '{{.Label "com.docker.compose.service"}} {{.ID}}'],
  ]);
  return Object.fromEntries(rows.split("\n").flatMap((row) => (row === "" ? [] : [row.split(" ")])));
}

async function secretOf(name: string): Promise<string> {
  return new RegExp(`^${name}=(.*)$`, "m").exec(await stack.read(".env"))?.[1] ?? "";
}

async function asks(key: string): Promise<number> {
  const headers = { authorization: `Bearer ${key}` };
  return (await fetch(`${stack.url}/api/history`, { headers })).status;
}

describe("a rotation", () => {
  it("gives exactly the services that use a secret a new one, keeps the data, and goes back whole when it fails", async () => {
    stack = await createStack("rotate", platformConfigs.local);
    await hasten(stack);
    await stack.deployOk("up", "--yes");
    await stack.api("/api/run", { language: "python", code: "print(6*7)", timeoutSeconds: 10 });
    const [oldKey, oldPassword, first] = [
      await secretOf("GATEWAY_API_KEY"),
      await secretOf("STORE_PASSWORD"),
      await ids(),
    ];

    const { stdout } = await stack.deployOk("secrets", "rotate", "STORE_PASSWORD");
    expect(stdout).toBe("rotated STORE_PASSWORD; gateway, store run with the new value\n");
    const second = await ids();
    expect(second["proxy"]).toBe(first["proxy"]);
    expect([second["gateway"], second["store"]]).not.toContain(first["store"]);
    expect(await secretOf("STORE_PASSWORD")).not.toBe(oldPassword);
    expect(JSON.stringify((await stack.api("/api/history")).body)).toContain("6*7");

    await stack.deployOk("secrets", "rotate", "GATEWAY_API_KEY");
    const third = await ids();
    expect([third["proxy"], third["store"]]).toEqual([second["proxy"], second["store"]]);
    expect([await asks(oldKey), await asks(await secretOf("GATEWAY_API_KEY"))]).toEqual([401, 200]);
    expect((await stack.deploy("plan", "--exit-code")).exitCode).toBe(0);

    // A store that does not take another password than the first: its health check fails from now on.
    const env = await stack.read(".env");
    await stack.write(
      "picky.yaml",
      `services:\n  store:\n    healthcheck:\n      test: [CMD-SHELL, '[ "$$(cat /run/secrets/store_password)" = "${await secretOf("STORE_PASSWORD")}" ]']\n      interval: 300ms\n      retries: 2\n      start_period: 0s\n`,
    );
    await hasten(stack, "picky.yaml");
    await stack.deployOk("up", "--yes");
    const failed = await stack.deploy("secrets", "rotate", "STORE_PASSWORD");
    expect(`${failed.exitCode} ${failed.stderr}`).toMatch(
      /^1 .*error D070 store is not healthy.*error D114 the rotation failed, and the old value of STORE_PASSWORD is back/s,
    );
    expect(await stack.read(".env")).toBe(env);
    expect(JSON.stringify((await stack.api("/api/history")).body)).toContain("6*7");
    expect((await stack.deploy("plan", "--exit-code")).exitCode).toBe(0);
    expect(await readdir(join(stack.folder, ".deploy"))).not.toContain("rotation.json");
  });
});

describe("a database", () => {
  const image = "sandbox-deploy/test-postgres:1";
  beforeAll(async () => {
    await output("docker", ["build", "--tag", image, join(repositoryRoot, "test/support/postgres")]);
  });

  const base = [
    "services:",
    "  db:",
    `    image: ${image}`,
    "    environment: { POSTGRES_PASSWORD: $DB_PASSWORD }",
    "    volumes: [data:/var/lib/postgresql]",
    `    healthcheck: { test: [CMD, sh, -c, 'PGPASSWORD="$$POSTGRES_PASSWORD" psql -h db -U postgres -c "select 1"'], interval: 500ms, retries: 60 }`,
    "volumes: { data: }",
    "x-sandbox-deploy: { secrets: { DB_PASSWORD: { value: $DB_PASSWORD } } }",
    "",
  ].join("\n");

  /** Whether somebody in another container gets in with a password. */
  async function logsIn(password: string): Promise<boolean> {
    const network = ["run", "--rm", "--network", `${stack.project}_default`, "--env", "PGPASSWORD", image];
    const { exitCode } = await command("docker", [...network, "psql", "-h", "db", "-U", "postgres", "-c", "select 1"], {
      env: { PGPASSWORD: password },
    });
    return exitCode === 0;
  }

  it("gets another password by a rotation and by nothing else; a crash in the middle is undone by the next command", async () => {
    stack = await createStack("postgres", platformConfigs.localRefusing);
    await stack.write("base.yaml", base);
    const config = await stack.read("deploy.config.yaml");
    await stack.write("deploy.config.yaml", config.replace("compose:\n", "compose:\n  base: base.yaml\n"));
    await stack.deployOk("up", "--yes");
    const old = await secretOf("DB_PASSWORD");

    const env = await stack.read(".env");
    await stack.write(".env", env.replace(old, "kQ8vTz3mWn5xYb7cRd2fPq6sLh4jKg9e"));
    const edited = await stack.deploy("up", "--yes");
    expect(`${edited.exitCode} ${edited.stderr}`).toMatch(/^3 .*error D110 the password of db/s);
    await stack.write(".env", env);
    expect(await logsIn(old)).toBe(true);

    await stack.deployOk("secrets", "rotate", "--all");
    const rotated = await secretOf("DB_PASSWORD");
    expect([rotated === old, await logsIn(old), await logsIn(rotated)]).toEqual([false, false, true]);
    const verifier = await output("docker", [
      ...["exec", `${stack.project}-db-1`, "psql", "-XAtq", "-U", "postgres"],
      ...["-c", "select rolpassword from pg_authid where rolname = 'postgres'"],
    ]);

    // The record of before has the old password and the data the new one, which the health check logs in with.
    const back = await stack.deployOk("rollback", "--yes");
    expect(back.stderr).toMatch(
      /warning D099 the password of PostgreSQL in db is another one by now; its data has that one/,
    );
    expect(back.stderr + back.stdout).not.toContain(old);
    expect([await logsIn(old), await logsIn(rotated)]).toEqual([false, true]);
    expect((await stack.deployOk("plan", "--exit-code")).stdout).toContain("none");
    // Nothing had to be done for it; it counts all the same, so that the next one would go further back.
    const [newest] = JSON.parse((await stack.deployOk("history", "--json")).stdout).deployments;
    expect(newest).toMatchObject({ command: "rollback", runs: true });

    // As a rotation leaves it that is killed once the database has the new password.
    const after = (await stack.read(".env")).replace(rotated, "another-password-for-the-db");
    const databases = [{ service: "db", role: "postgres", verifier: verifier.trim() }];
    const journal = {
      version: 1,
      names: ["DB_PASSWORD"],
      phase: "database",
      before: await stack.read(".env"),
      after,
      databases,
    };
    await stack.write(".deploy/rotation.json", JSON.stringify(journal));
    const alter = "alter role postgres password 'another-password-for-the-db'";
    await output("docker", ["exec", `${stack.project}-db-1`, "psql", "-U", "postgres", "-c", alter]);
    expect(await logsIn(rotated)).toBe(false);
    const { stderr } = await stack.deployOk("up", "--yes");
    expect(stderr).toContain("an earlier rotation of DB_PASSWORD was interrupted: bringing the old value back");
    expect([await logsIn(rotated), await secretOf("DB_PASSWORD")]).toEqual([true, rotated]);
    expect(await readdir(join(stack.folder, ".deploy"))).not.toContain("rotation.json");
  });
});
