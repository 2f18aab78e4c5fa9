import type { ConfigFile } from "../../core/config/config.ts";
import { modes } from "../../core/detect/mode.ts";
import { coherenceFindings } from "../../core/env/env-coherence.ts";
import { type EnvFile, envValues, parseEnvFile } from "../../core/env/env-file.ts";
import { accessFindings, buildContexts, buildFindings, gitFindings } from "../../core/env/env-protection.ts";
import type { EnvSituation, ReadServiceFile } from "../../core/env/env-situation.ts";
import { weaknessFindings } from "../../core/env/env-weakness.ts";
import type { Finding } from "../../core/findings/finding.ts";
import type { Source } from "../../core/findings/source.ts";
import { serviceEnvFiles } from "../../core/stack/compose-references.ts";
import type { ComposeModel } from "../../core/stack/model.ts";
import { composeFiles, folderOf, joinPath, relativePath, type Stack, type Territory } from "../../core/stack/stack.ts";
import { FileReadError } from "../../files.ts";
import type { World } from "../../world.ts";
import { readGit } from "../files/git.ts";
import { isUnfinished } from "../records/rotation-journal.ts";

/** What the environment and its secrets look like, before Compose has said what it makes of them. */
export interface EnvReading {
  readonly envFile: EnvFile;
  readonly composeFiles: readonly Source[];
  readonly examples: EnvSituation["examples"];
  /** What is wrong with the file itself: who may read it, and where else it is. */
  readonly findings: readonly Finding[];
}

/** Reads what can be read while Compose merges the model; it needs no engine. */
export async function readEnvironment(
  world: World,
  config: ConfigFile,
  territory: Territory,
  stack: Stack,
): Promise<EnvReading> {
  const [envFile, texts, examples, findings] = await Promise.all([
    readEntries(world, territory.envPath, envName(territory)),
    readComposeFiles(world, config, territory, stack),
    readExamples(world, territory),
    fileFindings(world, territory),
  ]);
  return { envFile, composeFiles: texts, examples, findings };
}

/** Everything that is wrong with the environment and its secrets; the values themselves are in no finding. */
export async function environmentFindings(
  world: World,
  territory: Territory,
  stack: Stack,
  model: ComposeModel,
  reading: EnvReading,
): Promise<Finding[]> {
  const situation = await environmentSituation(world, territory, stack, model, reading);
  const built = await builtFindings(world, territory, model);
  const unfinished = (await isUnfinished(world, territory.statePath)) ? [unfinishedFinding()] : [];
  return [
    ...unfinished,
    ...reading.findings,
    ...built,
    ...coherenceFindings(situation),
    ...weaknessFindings(situation),
  ];
}

function unfinishedFinding(): Finding {
  return {
    code: "D116",
    severity: "warning",
    message: "a rotation of secrets was interrupted, so that services may run with different values",
    fix: "./deploy up brings the old values back first, as every command does that changes something",
  };
}

async function environmentSituation(
  world: World,
  territory: Territory,
  stack: Stack,
  model: ComposeModel,
  { envFile, composeFiles, examples }: EnvReading,
): Promise<EnvSituation> {
  const exported = new Map(
    Object.entries(world.env).flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const])),
  );
  const values = envValues(envFile);
  const resolve = (name: string) => stack.variables[name] ?? exported.get(name) ?? values.get(name);
  const own = composeFiles.filter(({ file }) => stack.files.includes(file));
  const named = own.flatMap((source) => serviceEnvFiles(source, stack.files[0] ?? "/", resolve));
  const serviceFiles = await Promise.all(
    named.map(async ({ service, path }): Promise<ReadServiceFile> => {
      const file = relativePath(territory.root, path);
      const isEnvFile = path === territory.envPath;
      return { service, file, isEnvFile, envFile: isEnvFile ? envFile : await readEntries(world, path, file) };
    }),
  );
  const shown = composeFiles.map(({ file, text }) => ({ file: relativePath(territory.root, file), text }));
  return {
    ...{ file: envName(territory), envFile, exported, model, composeFiles: shown, serviceFiles, examples },
    readElsewhere: stack.tls?.reads ?? [],
  };
}

/** A file that is missing, or that Compose refuses, has no entries here: others tell what is wrong with it. */
async function readEntries(world: World, path: string, file: string): Promise<EnvFile> {
  const text = await readIfPossible(world, path);
  if (text === undefined) return { entries: [] };
  const exported = Object.entries(world.env).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, value] as const],
  );
  const parsed = parseEnvFile({ file, text }, new Map(exported));
  return parsed.ok ? parsed.value : { entries: [] };
}

/** Those of every mode, and whatever else this stack is made of. */
async function readComposeFiles(
  world: World,
  { config }: ConfigFile,
  territory: Territory,
  stack: Stack,
): Promise<Source[]> {
  const all = modes.flatMap((mode) => composeFiles(config, mode, territory, world.toolRoot, world.home));
  const paths = [...new Set([...stack.files, ...all])];
  const texts = await Promise.all(paths.map((path) => readIfPossible(world, path)));
  return paths.flatMap((file, index) => {
    const text = texts[index];
    return text === undefined ? [] : [{ file, text }];
  });
}

const exampleNames = ["example", "sample", "template", "dist"];

/** What lies beside the environment file for people to copy. */
async function readExamples(world: World, { root, envPath }: Territory): Promise<EnvSituation["examples"]> {
  const folder = folderOf(envPath);
  const names = [...exampleNames.map((name) => `${envPath}.${name}`), joinPath(folder, "env.example")];
  const examples = new Map<string, { readonly file: string; readonly value: string }>();
  const present = new Set((await listIfPossible(world, folder)).map((name) => joinPath(folder, name)));
  for (const path of names.filter((each) => present.has(each))) {
    const file = relativePath(root, path);
    const { entries } = await readEntries(world, path, file);
    for (const { key, fileValue } of entries) if (fileValue !== "") examples.set(key, { file, value: fileValue });
  }
  return examples;
}

async function fileFindings(world: World, territory: Territory): Promise<Finding[]> {
  const [stat, folder, git] = await Promise.all([
    world.files.stat(territory.envPath),
    world.files.stat(territory.root),
    readGit(world, territory.envPath),
  ]);
  if (stat?.kind !== "file") return [];
  const access = { mode: stat.mode, uid: stat.uid, ownUid: world.uid, folderUid: folder?.uid };
  return [...accessFindings(envName(territory), access), ...gitFindings(envName(territory), git)];
}

async function builtFindings(world: World, territory: Territory, model: ComposeModel): Promise<Finding[]> {
  const secrets = [territory.envPath, territory.secretsPath];
  const near = buildContexts(model).filter(({ path }) => secrets.some((each) => relativePath(path, each) !== each));
  const stats = await Promise.all(secrets.map((path) => world.files.stat(path)));
  const present = secrets.filter((_, index) => stats[index] !== undefined);
  const contexts = await Promise.all(
    near.map(async ({ service, path, dockerfile }) => ({
      service,
      path,
      // One beside the Dockerfile takes the place of the one of the context.
      ignore:
        (await readIfPossible(world, `${joinPath(path, dockerfile)}.dockerignore`)) ??
        (await readIfPossible(world, joinPath(path, ".dockerignore"))),
    })),
  );
  return buildFindings(envName(territory), present, contexts);
}

function envName({ root, envPath }: Territory): string {
  return relativePath(root, envPath);
}

async function readIfPossible(world: World, path: string): Promise<string | undefined> {
  try {
    return await world.files.read(path);
  } catch (error) {
    if (error instanceof FileReadError) return undefined;
    throw error;
  }
}

async function listIfPossible(world: World, folder: string): Promise<readonly string[]> {
  try {
    return await world.files.list(folder);
  } catch (error) {
    if (error instanceof FileReadError) return [];
    throw error;
  }
}
