import { auditWords } from "../core/deployment/audit.ts";
import type { Finding } from "../core/findings/finding.ts";
import { suggest } from "../core/findings/suggest.ts";
import { clientKeys } from "../core/secrets/client-key.ts";
import { modelSecrets } from "../core/secrets/secret-values.ts";
import type { ComposeModel } from "../core/stack/model.ts";
import { joinPath, relativePath, type Territory } from "../core/stack/stack.ts";
import { DeployError } from "../errors.ts";
import { modelOf, readModelText } from "../shell/compose/compose.ts";
import type { World } from "../world.ts";
import { audited } from "./change.ts";
import { type GlobalFlags, readStack } from "./prepare.ts";

const onScreen =
  "the key is on this screen now and in what it scrolled; a pipe keeps it off, as in ./deploy key | xclip";

/**
 * Prints the key that clients send, and nothing else, on standard output; the audit log tells who asked. It is the one that
 * containers mount: after a rollback the environment file may have another one.
 */
export async function key(world: World, flags: GlobalFlags, asked: string | undefined): Promise<void> {
  const { territory, stack, project } = await readStack(world, flags);
  const model = modelOf(await readModelText(world, stack));
  world.reporter.hide(modelSecrets(model));
  const name = chosen(clientKeys(model), asked);
  const { file, value } = await mountedValue(world, territory, model, name);
  const words = auditWords("key", flags, asked === undefined ? [] : [name]);
  await audited(world, { ...territory, project, words, changes: true }, async () => {
    const shownFile = relativePath(territory.root, file);
    const document = { version: 1, exitCode: 0, name, file: shownFile, key: value };
    world.reporter.reveal(value, document, onScreen);
  });
}

function chosen(names: readonly string[], asked: string | undefined): string {
  const [only, ...others] = names;
  if (only === undefined) throw noKey("no Compose file of this stack says which secret its clients send", marking);
  if (asked === undefined && others.length === 0) return only;
  if (asked !== undefined && names.includes(asked)) return asked;
  const near = asked === undefined ? undefined : suggest(asked, names);
  const fix =
    near === undefined
      ? `name one: ${names.map((each) => `./deploy key ${each}`).join(", ")}`
      : `did you mean ${near}?`;
  throw noKey(
    asked === undefined ? "clients of this stack have several keys" : `${asked} is no key that clients send`,
    fix,
  );
}

const marking =
  "write clientKey: true beside that secret, below secrets: of an x-sandbox-deploy extension, in a Compose file of yours";

/** Where the key is that containers have, and its value; before the first `up` only the environment file has it. */
async function mountedValue(world: World, { secretsPath, envPath }: Territory, model: ComposeModel, name: string) {
  const secret = model.generatedSecrets[name];
  const mounted = secret?.file === undefined ? undefined : joinPath(secretsPath, secret.file);
  const text = mounted === undefined ? undefined : await world.files.read(mounted);
  const written = secret?.value.reveal() ?? "";
  world.reporter.hide([text ?? ""]);
  if (mounted !== undefined && text !== undefined && text !== "") {
    if (written !== "" && written !== text)
      world.reporter.note(`the stack has another ${name} than ${envPath} says: this is the stack's, until the next up`);
    return { file: mounted, value: text };
  }
  if (written === "") throw noKey(`${name} has no value yet`, "./deploy up generates it");
  return { file: envPath, value: written };
}

function noKey(message: string, fix: string): DeployError {
  const finding: Finding = { code: "D170", severity: "error", message, fix };
  return new DeployError([finding]);
}
