import type { ConfigFile } from "../config/config.ts";
import type { Finding } from "../findings/finding.ts";
import { mayRead, type NumberedUser } from "../may-read.ts";
import { canonicalPath, isWithin, shownPath } from "../privileges/host-path.ts";
import type { PrivilegeContext } from "../privileges/privilege.ts";
import type { ComposeModel, ComposeService } from "../stack/model.ts";
import type { Stack } from "../stack/stack.ts";
import { copiedWord } from "../text/copied-word.ts";
import { keeperOf, type Lent, type PathFact } from "./credential.ts";

/** What the findings are about. */
export interface CredentialSituation {
  readonly lent: readonly Lent[];
  readonly model: ComposeModel;
  readonly stack: Pick<Stack, "excluded">;
  readonly context: PrivilegeContext;
  readonly positionOf: ConfigFile["positionOf"];
}

type OfForm<Form extends Lent["form"]> = Extract<Lent, { form: Form }>;
type Told = Omit<Finding, "severity" | "at"> & { readonly severity?: Finding["severity"] };

/** Everything that keeps a credential from arriving, or makes it reach more than its form promises; judged on the merged model. */
export function credentialFindings(situation: CredentialSituation): Finding[] {
  return situation.lent.flatMap((each) =>
    toldOf(each, situation).map((told) => ({
      severity: "error",
      ...told,
      at: situation.positionOf(each.place),
    })),
  );
}

function toldOf(lent: Lent, situation: CredentialSituation): Told[] {
  const service = situation.model.services[lent.service];
  if (service === undefined) return [];
  switch (lent.form) {
    case "env":
      return lent.chosen === undefined ? [unset(lent)] : sharedVariable(lent, lent.chosen.variable, situation);
    case "file":
      return [...fileTold(lent, situation.context), ...widerMounts(lent, situation)];
    case "directory":
      return [...directoryTold(lent, service, situation), ...widerMounts(lent, situation)];
  }
}

function unset({ name, variables, hidden }: OfForm<"env">): Told {
  const names = variables.join(", ");
  if (hidden !== undefined)
    return {
      code: "D140",
      message: `the login of ${name} is to come from ${hidden}, which is exported in this shell and empty; that hides a value in the environment file`,
      fix: `run unset ${hidden}`,
    };
  return {
    code: "D140",
    message: `the login of ${name} is to come from the environment, and ${variables.length === 1 ? `${names} has no value` : `none of ${names} has a value`}`,
    fix: `write ${variables[0]}=… into the environment file (mode 0600), or export it; or set this key to none`,
  };
}

/** Whoever else gets the value, under whatever name: an `env_file` hands out all of the environment file. */
function sharedVariable({ name, service }: Lent, variable: string, { model, stack }: CredentialSituation): Told[] {
  const value = model.services[service]?.environment[variable]?.reveal() ?? "";
  const others = Object.entries(model.services).filter(
    ([other, { environment }]) =>
      other !== service && !stack.excluded.includes(other) && holdsValue(environment, variable, value),
  );
  if (others.length === 0) return [];
  const names = others.map(([other]) => other).join(", ");
  return [
    {
      code: "D142",
      message: `the login of ${name} is for ${service} alone, and ${names} would get ${variable} as well`,
      fix: `give ${names} an empty one in an overlay (environment: { ${variable}: "" }), or take it out of the file that env_file: hands them and export it instead`,
    },
  ];
}

/** Short values are found everywhere, and prove nothing. */
const tellingLength = 12;

function holdsValue(environment: ComposeService["environment"], variable: string, value: string): boolean {
  return Object.entries(environment).some(([name, given]) => {
    const text = given?.reveal() ?? "";
    return text !== "" && (name === variable || (value.length >= tellingLength && text.includes(value)));
  });
}

function fileTold({ name, path, fact }: OfForm<"file">, context: PrivilegeContext): Told[] {
  const shown = shownPath(path, context);
  if (fact === undefined)
    return [
      { code: "D140", message: `the login of ${name} is to come from ${shown}, which does not exist`, fix: logIn },
    ];
  if (fact.kind !== "file")
    return [
      {
        code: "D140",
        message: `the login of ${name} is to come from the file ${shown}, which is ${fact.kind === "directory" ? "a directory" : "no regular file"}`,
        fix: "name one file, or set the form to directory and read what that shows",
      },
    ];
  if (fact.size === 0)
    return [{ code: "D140", message: `the login of ${name} is to come from ${shown}, which is empty`, fix: logIn }];
  if (fact.size > largestBytes)
    return [
      {
        code: "D140",
        message: `the login of ${name} is to come from ${shown}, which is too large for one: ${fact.size} bytes`,
        fix: "name the one file in which that program keeps its login",
      },
    ];
  return openTold(shown, fact, 0o044);
}

/** The keeper's memory holds the copy of before and the new one at the same time. */
const largestBytes = 400 * 1024;

const logIn = "log in with that program on this host first, as the user whose login is meant; or set this key to none";

/** Who may write it chooses the login; who may read it has it already. */
function openTold(shown: string, { mode }: PathFact, readable: number): Told[] {
  const text = mode.toString(8).padStart(4, "0");
  if ((mode & 0o022) !== 0)
    return [
      {
        code: "D141",
        message: `others on this machine may change ${shown} (mode ${text})`,
        fix: `chmod go-w ${copiedWord(shown)}`,
      },
    ];
  if ((mode & readable) === 0) return [];
  return [
    {
      ...{ code: "D141", severity: "warning", message: `others on this machine may read ${shown} (mode ${text})` },
      fix: `chmod 0600 ${copiedWord(shown)}`,
    },
  ];
}

function directoryTold(lent: OfForm<"directory">, service: ComposeService, { context }: CredentialSituation): Told[] {
  const { name, path, fact } = lent;
  const shown = shownPath(path, context);
  if (fact?.kind !== "directory")
    return [
      {
        code: "D140",
        message: `the login of ${name} is to come from the directory ${shown}, which ${fact === undefined ? "does not exist" : "is none"}`,
        fix: logIn,
      },
    ];
  const reader = service.user ?? "";
  return [...openTold(shown, fact, 0), ...(mayEnter(fact, reader) ? [] : [unreadable(lent, shown, fact, reader)])];
}

function mayEnter(fact: NumberedUser & { readonly mode: number }, user: string): boolean {
  return mayRead(fact, user) && mayRead({ ...fact, mode: fact.mode << 2 }, user);
}

function unreadable(
  { service, name }: OfForm<"directory">,
  shown: string,
  { mode, uid, gid }: PathFact,
  user: string,
): Told {
  const owner = `${uid}:${gid}`;
  const asOwner =
    uid === 0
      ? "that user is root, whom this service should not be"
      : `set CLI_AUTH_USER=${owner} in the environment file (another stack: user: "${owner}" in an overlay)`;
  return {
    code: "D143",
    message: `${service} runs as user ${user}, who may not read ${shown} (mode ${mode.toString(8).padStart(4, "0")}, owner ${owner})`,
    fix: `set the form of ${name} to file, which needs no right on the directory; else ${asOwner}`,
  };
}

/** Another mount that shows the same, or all around it, makes the narrow form a lie. */
function widerMounts(lent: OfForm<"file" | "directory">, { model, stack, context }: CredentialSituation): Told[] {
  const { name, form, path, service } = lent;
  const own = canonicalPath(path, context);
  const holder = form === "file" ? keeperOf(name) : service;
  const wider = Object.entries(model.services)
    .filter(([other]) => !stack.excluded.includes(other))
    .flatMap(([other, { volumes }]) =>
      volumes.flatMap(({ type, source }) => {
        if (type !== "bind" || source === undefined) return [];
        const mounted = canonicalPath(source, context);
        const isOwn = other === holder && mounted === own;
        return !isOwn && isWithin(own, mounted) ? [`${other} mounts ${shownPath(mounted, context)}`] : [];
      }),
    );
  if (wider.length === 0) return [];
  return [
    {
      code: "D142",
      message: `the login of ${name} is lent as one ${form}, and besides that ${[...new Set(wider)].join(", ")}`,
      fix: "take that mount out of the Compose files or overlays, so that nothing but what was asked for is shown",
    },
  ];
}
