import type { DeployConfig } from "../config/config.ts";
import type { CredentialForm } from "./credential-schema.ts";

/** A login that the configuration lends to one service. */
export interface Credential {
  readonly name: string;
  readonly form: Exclude<CredentialForm, "none">;
  readonly service: string;
  /** env: where a token may be; the first one that has a value is passed on. */
  readonly variables: readonly string[];
  /** file and directory: what is lent, as it is written in the configuration. */
  readonly path: string;
  /** file and directory: the variables that tell the service where it finds that. */
  readonly pathVariables: readonly string[];
  /** The key of the configuration that names it. */
  readonly place: readonly PropertyKey[];
}

/** What is known of a path of the host; undefined where there is nothing. */
export interface PathFact {
  readonly kind: "file" | "directory" | "socket" | "other";
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
}

/** One thing in a directory that is lent: only its name is read, and of a folder how much is in it. */
export interface LentEntry {
  readonly name: string;
  /** Left out for anything but a folder. */
  readonly entries?: number;
}

/** Where the value of a variable comes from, as Compose looks it up. */
export type ValueOrigin = "shell" | "env-file";

/** A credential with what the host has of it; no value and no content. */
export type Lent = Pick<Credential, "name" | "service" | "pathVariables" | "place"> &
  (
    | {
        readonly form: "env";
        readonly variables: readonly string[];
        /** The one that is passed on; left out where none of them has a value. */
        readonly chosen?: { readonly variable: string; readonly origin: ValueOrigin };
        /** One that is exported and empty, which hides its value in the environment file. */
        readonly hidden?: string;
      }
    | { readonly form: "file"; readonly path: string; readonly fact: PathFact | undefined }
    | {
        readonly form: "directory";
        readonly path: string;
        readonly fact: PathFact | undefined;
        readonly entries: readonly LentEntry[];
      }
  );

/** A login that has a key of its own. */
export type CredentialName = "claude" | "codex";

interface Known {
  readonly variables: readonly string[];
  readonly file: string;
  readonly fileVariable: string;
  readonly directory: string;
  readonly directoryVariable: string;
}

/** By what the programs themselves, and DeerFlow, look for their logins. */
const known: Readonly<Record<CredentialName, Known>> = {
  claude: {
    variables: ["CLAUDE_CODE_OAUTH_TOKEN", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_API_KEY"],
    file: "~/.claude/.credentials.json",
    fileVariable: "CLAUDE_CODE_CREDENTIALS_PATH",
    directory: "~/.claude",
    directoryVariable: "CLAUDE_CONFIG_DIR",
  },
  codex: {
    variables: ["CODEX_API_KEY", "OPENAI_API_KEY"],
    file: "~/.codex/auth.json",
    fileVariable: "CODEX_AUTH_PATH",
    directory: "~/.codex",
    directoryVariable: "CODEX_HOME",
  },
};

/** The variables that a token of this login may be in; the first one that has a value is passed on. */
export function tokenVariables(name: CredentialName): readonly string[] {
  return known[name].variables;
}

/** Where this login is on the host, as the configuration writes paths. */
export function loginPath(name: CredentialName, form: "file" | "directory"): string {
  return known[name][form];
}

/** The logins that a configuration lends, in its order. */
export function credentialsOf({ credentials, platform }: DeployConfig): Credential[] {
  const named = (["claude", "codex"] as const).flatMap((name): Credential[] => {
    const form = credentials[name];
    if (form === "none") return [];
    const { variables, file, fileVariable, directory, directoryVariable } = known[name];
    return [
      {
        ...{ name, form, service: platform.service, variables, place: ["credentials", name] },
        path: form === "directory" ? directory : file,
        pathVariables: [form === "directory" ? directoryVariable : fileVariable],
      },
    ];
  });
  const others = credentials.others.map(({ name, form, service, variable, path }, index): Credential => {
    const given = variable === undefined ? [] : [variable];
    return {
      ...{ name, form, service: service ?? platform.service, path: path ?? "" },
      variables: form === "env" ? given : [],
      pathVariables: form === "env" ? [] : given,
      place: ["credentials", "others", index],
    };
  });
  return [...named, ...others];
}

/** The folder inside the container in which a service finds a lent file. */
export function lentFolder(name: string): string {
  return `/run/credentials/${name}`;
}

/** The folder inside the container in which a service finds lent directories: each is a person's, whatever it is called on the host. */
export const directoryFolder = "/run/credential-directory";

/** Where a service finds what is lent by a path. */
export function lentTarget({ name, path, form }: { name: string; path: string; form: "file" | "directory" }): string {
  return form === "directory"
    ? `${directoryFolder}/${name}`
    : `${lentFolder(name)}/${path.slice(path.lastIndexOf("/") + 1)}`;
}

/** The folder in which the service that holds one file has it. */
export const sourceFolder = "/run/credential-source";

/** The service that holds the one file of a credential, and hands on what is in it. */
export function keeperOf(name: string): string {
  return `credential-${name}`;
}
