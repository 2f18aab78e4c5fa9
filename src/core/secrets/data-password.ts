import { type ComposeModel, type ComposeService, volumeName } from "../stack/model.ts";

/** Programs that read a password only while their data folder is empty: what is set later has no effect on them. */
const programs = [
  {
    program: "PostgreSQL",
    image: /postgres|pgvector|postgis|timescale/i,
    folders: ["/var/lib/postgresql", "/bitnami/postgresql"],
    variables: ["POSTGRES_PASSWORD", "POSTGRESQL_PASSWORD", "POSTGRESQL_POSTGRES_PASSWORD"],
    own: "PGDATA",
  },
  {
    program: "MySQL or MariaDB",
    image: /mysql|mariadb|percona/i,
    folders: ["/var/lib/mysql", "/bitnami/mysql", "/bitnami/mariadb"],
    variables: ["MYSQL_ROOT_PASSWORD", "MYSQL_PASSWORD", "MARIADB_ROOT_PASSWORD", "MARIADB_PASSWORD"],
    own: undefined,
  },
  {
    program: "MongoDB",
    image: /mongo(?!-?express)/i,
    folders: ["/data/db", "/bitnami/mongodb"],
    variables: ["MONGO_INITDB_ROOT_PASSWORD", "MONGODB_ROOT_PASSWORD"],
    own: undefined,
  },
] as const;

/** The name of a program that keeps its password in its data. */
export type DataProgram = (typeof programs)[number]["program"];

/** A password that a service keeps in its data, from the day on which the data was made. */
export interface DataPassword {
  readonly service: string;
  readonly program: DataProgram;
  /** The variable of the program; with `_FILE` it names the file that holds the password. */
  readonly variable: string;
  /** The value that is set now, empty where it has to be made first; undefined where a file holds it that is not the tool's. */
  readonly value: string | undefined;
  /** The generated secret that carries it in a file. */
  readonly generated?: string;
  /** Where its data is: volumes by their name on the engine, folders of this machine by their path. */
  readonly volumes: readonly string[];
  readonly folders: readonly string[];
}

/** Every such password of a stack. A service counts where it sets the variable and keeps data where the program has it. */
export function dataPasswords(model: ComposeModel): DataPassword[] {
  return Object.entries(model.services).flatMap(([name, service]) =>
    programs.flatMap(({ program, image, folders, variables, own }) => {
      const isOne = image.test(service.image ?? "");
      const ownFolder = own === undefined ? undefined : service.environment[own]?.reveal();
      const places = [...folders, ...(ownFolder && isOne ? [ownFolder] : [])];
      const data = service.volumes.filter(({ target }) => places.some((place) => isWithin(target, place)));
      const kept = isOne || data.length > 0 ? data : [];
      if (kept.length === 0) return [];
      return variables.flatMap((variable) => passwordOf(model, name, service, program, variable, kept));
    }),
  );
}

function passwordOf(
  model: ComposeModel,
  name: string,
  service: ComposeService,
  program: DataProgram,
  variable: string,
  data: ComposeService["volumes"],
): DataPassword[] {
  const value = service.environment[variable]?.reveal();
  const file = service.environment[`${variable}_FILE`]?.reveal();
  if (value === undefined && !file) return [];
  const generated = file ? carriedBy(model, service, file) : undefined;
  const found = generated === undefined ? undefined : model.generatedSecrets[generated]?.value.reveal();
  const named = (type: string) => data.flatMap((each) => (each.type === type && each.source ? [each.source] : []));
  return [
    {
      service: name,
      program,
      variable: file ? `${variable}_FILE` : variable,
      value: file ? found : value,
      ...(generated === undefined ? {} : { generated }),
      volumes: named("volume").map((key) => volumeName(model, key)),
      folders: named("bind"),
    },
  ];
}

/** The generated secret whose file a service has at this path. */
function carriedBy(model: ComposeModel, service: ComposeService, path: string): string | undefined {
  const carrier = service.secrets.find(({ source, target }) => {
    const at = target === undefined ? source : target;
    return (at.startsWith("/") ? at : `/run/secrets/${at}`) === path;
  });
  return Object.keys(model.generatedSecrets).find(
    (name) => carrier !== undefined && model.generatedSecrets[name]?.file === carrier.source,
  );
}

/** A volume may be mounted above the data folder or inside of it. */
function isWithin(target: string, place: string): boolean {
  return target === place || target.startsWith(`${place}/`) || place.startsWith(`${target}/`);
}
