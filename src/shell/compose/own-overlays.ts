import type { ConfigFile } from "../../core/config/config.ts";
import { credentialsOf } from "../../core/credentials/credential.ts";
import { credentialOverlay, overlayText } from "../../core/credentials/credential-overlay.ts";
import { envValues, parseEnvFile } from "../../core/env/env-file.ts";
import { publicUrl } from "../../core/public/public-url.ts";
import { derivedValues, publicMapping } from "../../core/public/variables.ts";
import { joinPath, type Stack, type Territory } from "../../core/stack/stack.ts";
import { FileReadError, FileWriteError } from "../../files.ts";
import type { World } from "../../world.ts";
import { sha256 } from "../files/fingerprint.ts";
import { findCredentials } from "../observe/credentials.ts";

/**
 * Adds the overlays that follow from the configuration: logins that are lent, and what services learn of the public URL.
 * Compose can merge only files, so they are written, each under a name that follows from what is in it: one that another
 * command uses at this moment stays as it is. None holds a secret.
 */
export async function withOwnOverlays(
  world: World,
  { config }: ConfigFile,
  territory: Territory,
  stack: Stack,
): Promise<Stack> {
  const values = await variableValues(world, territory.envPath);
  const lent = await findCredentials(world, territory, values, credentialsOf(config));
  const ground = { toolRoot: world.toolRoot, isDefaultStack: config.compose.base === undefined };
  const url = publicUrl(config, values);
  const derived = derivedValues(publicMapping(config), url, config.public.origins);
  const services = config.public.services.length > 0 ? config.public.services : [config.platform.service];
  const texts = [
    ...(lent.length === 0 ? [] : [overlayText(credentialOverlay(lent, ground))]),
    ...(Object.keys(derived).length === 0 ? [] : [overlayText(publicOverlay(services, derived), publicHeading)]),
  ];
  const overlays = await Promise.all(texts.map((text) => writeOverlay(world, territory, text)));
  return {
    ...stack,
    files: [...stack.files, ...overlays],
    // Where a Compose file fills in one of them, it gets the same value.
    variables: { ...stack.variables, ...derived },
    ...(lent.length === 0 ? {} : { lent }),
    published: { url, values: derived },
  };
}

const publicHeading = ` Made by ./deploy from public: in deploy.config.yaml; another content has another name.
 Grants: nothing. It tells services under which URL people reach them.
`;

function publicOverlay(services: readonly string[], values: Readonly<Record<string, string>>) {
  const literal = Object.entries(values).map(([name, value]) => [name, value.replaceAll("$", () => "$$")]);
  const each = { environment: Object.fromEntries(literal) };
  return { services: Object.fromEntries(services.map((name) => [name, each])) };
}

/** Removes overlays of earlier configurations; what cannot be removed does no harm. */
export async function pruneOverlays(world: World, { statePath }: Territory, stack: Stack): Promise<void> {
  const folder = overlayFolder(statePath);
  const names = await world.files.list(folder).catch(ignored(FileReadError, []));
  const old = names.map((name) => joinPath(folder, name)).filter((path) => !stack.files.includes(path));
  await Promise.all(old.map((path) => world.files.remove(path).catch(ignored(FileWriteError, undefined))));
}

function ignored<T>(kind: typeof FileReadError | typeof FileWriteError, instead: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof kind) return instead;
    throw error;
  };
}

function overlayFolder(statePath: string): string {
  return joinPath(statePath, "overlays");
}

async function writeOverlay(world: World, { statePath }: Territory, text: string): Promise<string> {
  const folder = overlayFolder(statePath);
  const path = joinPath(folder, `${sha256(text).slice(0, 16)}.yaml`);
  if ((await world.files.read(path)) === text) return path;
  await world.files.makeDirectory(statePath, 0o700);
  await world.files.makeDirectory(folder, 0o700);
  await world.files.writeAtomic(path, text, { mode: 0o600, own: true });
  return path;
}

/** What Compose fills in for a variable: the shell's value before that of the environment file. */
async function variableValues(world: World, path: string): Promise<ReadonlyMap<string, string>> {
  const text = (await world.files.read(path)) ?? "";
  const exported = Object.entries(world.env).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, value] as const],
  );
  const parsed = parseEnvFile({ file: path, text }, new Map(exported));
  return new Map([...(parsed.ok ? envValues(parsed.value) : []), ...exported]);
}
