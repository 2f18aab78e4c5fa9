import { describe, expect, test } from "vitest";
import { dataPasswords } from "../../../src/core/secrets/data-password.ts";
import { dataPasswordFindings, type KnownPassword } from "../../../src/core/secrets/data-password-findings.ts";
import { classOf } from "../../../src/core/secrets/secret-class.ts";
import { parseModel } from "../../../src/core/stack/model.ts";

function modelOf(service: Record<string, unknown>, rest: Record<string, unknown> = {}) {
  const model = parseModel({ name: "x", services: { db: service }, volumes: { data: { name: "x_data" } }, ...rest });
  if (!model.ok) throw new Error("the model is refused");
  return model.value;
}

const data = (target: string) => [{ type: "volume", source: "data", target }];

describe("a password that data keeps", () => {
  test.each([
    [
      "PostgreSQL",
      { image: "postgres:16", environment: { POSTGRES_PASSWORD: "p" }, volumes: data("/var/lib/postgresql/data") },
    ],
    ["PostgreSQL", { image: "mine", environment: { POSTGRES_PASSWORD: "p" }, volumes: data("/var/lib/postgresql") }],
    ["PostgreSQL", { image: "postgres", environment: { POSTGRES_PASSWORD: "p", PGDATA: "/pg" }, volumes: data("/pg") }],
    [
      "MySQL or MariaDB",
      { image: "mariadb", environment: { MARIADB_ROOT_PASSWORD: "p" }, volumes: data("/var/lib/mysql") },
    ],
    ["MongoDB", { image: "mongo:7", environment: { MONGO_INITDB_ROOT_PASSWORD: "p" }, volumes: data("/data/db") }],
  ])("is one of %s", (program, service) => {
    expect(dataPasswords(modelOf(service))).toMatchObject([
      { service: "db", program, value: "p", volumes: ["x_data"], folders: [] },
    ]);
  });

  test.each([
    ["a client of the database", { image: "app", environment: { POSTGRES_PASSWORD: "p" }, volumes: data("/srv") }],
    ["a database without data that lasts", { image: "postgres", environment: { POSTGRES_PASSWORD: "p" } }],
    [
      "a cache that reads it at each start",
      { image: "redis", environment: { REDIS_PASSWORD: "p" }, volumes: data("/data") },
    ],
  ])("is none of %s", (_name, service) => expect(dataPasswords(modelOf(service))).toEqual([]));

  test("may come from a file that carries a generated secret", () => {
    const model = modelOf(
      {
        image: "postgres",
        environment: { POSTGRES_PASSWORD_FILE: "/run/secrets/db_password" },
        secrets: [{ source: "db_password", target: "/run/secrets/db_password" }],
        volumes: [{ type: "bind", source: "/srv/pg", target: "/var/lib/postgresql/data" }],
      },
      { "x-sandbox-deploy-a": { secrets: { DB_PASSWORD: { value: "v", file: "db_password" } } } },
    );
    expect(dataPasswords(model)).toMatchObject([{ generated: "DB_PASSWORD", value: "v", folders: ["/srv/pg"] }]);
  });
});

describe("a new password for data that is there", () => {
  const password: KnownPassword = {
    ...{ service: "db", program: "PostgreSQL", variable: "POSTGRES_PASSWORD", value: "p" },
    ...{ volumes: ["x_data"], folders: [], changed: undefined, filled: [] },
  };
  test.each<[string, Partial<KnownPassword>, string[], string[], number]>([
    ["that was not deployed from here is no finding", {}, ["x_data"], [], 0],
    ["that is the same is no finding", { changed: false }, ["x_data"], [], 0],
    ["that is another one is refused", { changed: true }, ["x_data"], [], 1],
    ["whose volume is gone is no finding", { changed: true }, [], [], 0],
    ["whose folder has data is refused", { changed: true, volumes: [], filled: ["/srv/pg"] }, [], [], 1],
    ["that would be generated is refused", { value: "" }, ["x_data"], ["DB_PASSWORD"], 1],
    ["that would be generated for new data is no finding", { value: "" }, [], ["DB_PASSWORD"], 0],
    ["that is left out on purpose is no finding", { value: "" }, ["x_data"], [], 0],
    ["whose file would be made anew is refused", { generated: "A", value: "" }, ["x_data"], ["A"], 1],
  ])("%s", (_name, known, volumes, missing, count) => {
    const findings = dataPasswordFindings(
      [{ ...password, ...known }],
      volumes.map((name) => ({ name })),
      missing,
    );
    expect(findings.map(({ code, severity, acceptName }) => [code, severity, acceptName])).toEqual(
      Array.from({ length: count }, () => ["D110", "error", "database-password"]),
    );
  });
});

test("the class of a secret is what its Compose file says, or what can be seen", () => {
  const model = modelOf(
    {},
    { "x-sandbox-deploy": { secrets: { A: { class: "session" }, B: null, APP_ENCRYPTION_KEY: null } } },
  );
  const classes = ["A", "B", "APP_ENCRYPTION_KEY", "OPENAI_API_KEY", "FERNET_KEY"].map((name) =>
    classOf(model, name, []),
  );
  expect(classes).toEqual(["session", "restart", "at-rest", "foreign", "at-rest"]);
});
