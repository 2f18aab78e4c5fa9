import { allowedImage } from "../decision/allowed-images.ts";
import type { BodyDecision } from "../decision/body-decision.ts";
import type { Facts } from "../decision/decision.ts";
import type { Policy } from "../policy/policy.ts";
import type { JsonObject, JsonValue } from "../request/json.ts";
import { quoted } from "../request/reading.ts";
import { type BodyDraft, type ContainerDraft, startDraft } from "./body-draft.ts";
import {
  readCommand,
  readEnvironment,
  readHealthcheck,
  readHostname,
  readStopSignal,
  readUser,
  readWorkingDirectory,
} from "./config-fields.ts";
import { applyRules, type FieldRule, type FieldRules, readField, refusedFields } from "./field-rules.ts";
import { readHostConfig } from "./host-config.ts";
import { familiarReference } from "./image-reference.ts";
import { readLabels } from "./labels.ts";
import { readNetworkingConfig } from "./networking-config.ts";
import { readExposedPorts } from "./ports.ts";
import { limitedStopTimeout } from "./resource-limits.ts";
import { isZero, readFlag, readMembers, readText } from "./typed-value.ts";

interface CreateContext {
  readonly draft: BodyDraft;
  readonly host: JsonObject;
  /** Where `HostConfig` mounts something. */
  readonly targets: ReadonlySet<string>;
}

const flat = "it belongs into HostConfig";

/** Fields of the top level that a sandbox has no use for; among them those of engines that took a flat HostConfig. */
const refusedTopFields: Readonly<Record<string, string>> = {
  ArgsEscaped: "it is for Windows",
  CpuShares: flat,
  Cpuset: flat,
  CpusetCpus: flat,
  Dns: flat,
  Domainname: "it is part of a name that others may trust",
  MacAddress: "with it the container could pass for another machine",
  Memory: flat,
  MemorySwap: flat,
  OnBuild: "it is for building images",
  PortSpecs: "it is for an engine that no longer exists",
  PublishService: "it is for an engine that no longer exists",
  Runtime: flat,
  SecurityOpt: flat,
  Shell: "it is for building images",
  VolumeDriver: flat,
  VolumesFrom: flat,
};

const read = (
  reader: (draft: BodyDraft, value: JsonValue | undefined) => JsonValue | undefined,
): FieldRule<CreateContext> => readField((value, { draft }) => reader(draft, value));

const flag = (name: string): [string, FieldRule<CreateContext>] => [
  name,
  read((draft, value) => readFlag(draft, name, value) || undefined),
];

/** Every field that the body of `POST /containers/create` has had from API 1.24 on, and what becomes of each. */
export const createRules: FieldRules<CreateContext> = new Map<string, FieldRule<CreateContext>>([
  ["Image", read(readImage)],
  ["Hostname", read(readHostname)],
  ["User", read((draft, value) => readUser(draft, "User", value))],
  flag("AttachStdin"),
  flag("AttachStdout"),
  flag("AttachStderr"),
  ["ExposedPorts", read(readExposedPorts)],
  flag("Tty"),
  flag("OpenStdin"),
  flag("StdinOnce"),
  ["Env", read((draft, value) => readEnvironment(draft, "Env", value))],
  ["Cmd", read((draft, value) => readCommand(draft, "Cmd", value))],
  ["Entrypoint", read((draft, value) => readCommand(draft, "Entrypoint", value))],
  ["Healthcheck", read(readHealthcheck)],
  ["Volumes", readField(readVolumes)],
  ["WorkingDir", read((draft, value) => readWorkingDirectory(draft, "WorkingDir", value))],
  flag("NetworkDisabled"),
  ["Labels", read((draft, value) => readLabels(draft, value, draft.policy))],
  ["StopSignal", read(readStopSignal)],
  ["StopTimeout", read(limitedStopTimeout)],
  // Always there: without it older engines take fields of the top level for it.
  ["HostConfig", readField((_value, { host }) => host)],
  ["NetworkingConfig", read(readNetworkingConfig)],
  ...refusedFields<CreateContext>(refusedTopFields),
]);

/**
 * What `POST /containers/create` becomes: a body built from the model, with the policy's limits and labels in it.
 * `name` is the one of the query; it is sent on as it is when the body is sent.
 */
export function decideCreate(name: string | undefined, body: JsonObject, policy: Policy, facts: Facts): BodyDecision {
  const image = body.get("Image");
  const about = {
    ...(name === undefined ? {} : { container: name }),
    ...(typeof image === "string" ? { image } : {}),
  };
  const draft: ContainerDraft = { ...startDraft(policy, about), facts };
  checkName(draft, name);
  const host = readHostConfig(draft, readMembers(draft, "HostConfig", body.get("HostConfig")));
  const context = { draft, host: host.sent, targets: host.targets };
  const sent = applyRules(createRules, body, context, { prefix: "", rule: "config" });
  checkImage(draft, typeof image === "string" ? image : "");
  checkQuotas(draft);
  return draft.obstacle() ?? { kind: "send", rule: "create.allowed", body: sent, notes: draft.notes() };
}

function checkName(draft: BodyDraft, name: string | undefined): void {
  if (name === undefined) {
    if (draft.policy.unnamed) return;
    const what = "a container without a name; the policy wants one";
    draft.refuse({ rule: "name.missing", field: "name", what });
  } else if (name.length > 128 || !/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name) || !draft.policy.names.test(name)) {
    draft.refuse({
      rule: "name.not-allowed",
      field: "name",
      what: `the policy does not allow the name ${quoted(name)}`,
    });
  } else if (/^[0-9a-f]{12,}$/.test(name)) {
    const what = `the name ${quoted(name)} could be taken for the id of a container`;
    draft.refuse({ rule: "name.like-an-id", field: "name", what });
  }
}

/** What is sent is what the client wrote, so that `docker ps` shows the same as without a guard. */
function readImage(draft: BodyDraft, value: JsonValue | undefined): JsonValue | undefined {
  return readText(draft, "Image", value);
}

function checkImage(draft: ContainerDraft, image: string): void {
  const field = "Image";
  const entry = allowedImage(draft.policy, image);
  if (entry === undefined) {
    draft.refuse({ rule: "image.not-allowed", field, what: `the policy does not allow the image ${quoted(image)}` });
    return;
  }
  const id = draft.fact(draft.facts.image(image));
  if (id === undefined) return;
  if (id.value === undefined) {
    // Docker's own text: clients take it as the sign to pull.
    const message = `No such image: ${familiarReference(image) ?? image}`;
    draft.refuse({ rule: "image.missing", field, what: message, status: 404, message });
    return;
  }
  const pinned = draft.facts.pinnedImages.get(entry);
  if (pinned === undefined) {
    const what = `the image ${entry} appeared only now, and this guard has not taken it in yet; try again`;
    draft.refuse({ rule: "image.unpinned", field, what });
  } else if (id.value !== pinned) {
    const what = `the image ${entry} is not the one that this guard saw first; restart the guard if the new one is meant`;
    draft.refuse({ rule: "image.retagged", field, what });
  }
}

function checkQuotas(draft: ContainerDraft): void {
  const count = draft.fact(draft.facts.sandboxes());
  if (count === undefined) return;
  const { alive, createsPerMinute } = draft.policy.sandboxes;
  if (count.value.alive >= alive) {
    const what = `there are ${count.value.alive} sandboxes, and the policy allows ${alive}; remove one first`;
    draft.refuse({ rule: "limit.sandboxes", field: "name", what, status: 429 });
  } else if (count.value.createdLastMinute >= createsPerMinute) {
    const what = `the policy allows ${createsPerMinute} new sandboxes a minute; try again later`;
    draft.refuse({ rule: "limit.creates", field: "name", what, status: 429 });
  }
}

/**
 * `Volumes`: docker-py repeats the targets of mounts here, which says nothing new. Any other is an anonymous volume: it
 * would stay on the host without a limit when its container is gone. Nothing of it is sent.
 */
function readVolumes(value: JsonValue | undefined, { draft, targets }: CreateContext): undefined {
  for (const [path, nothing] of readMembers(draft, "Volumes", value)) {
    if (targets.has(path.length > 1 ? path.replace(/\/$/, "") : path) && isZero(nothing)) continue;
    const what = `Volumes: ${quoted(path)} would be a volume without a name; mount a tmpfs there`;
    draft.refuse({ rule: "mount.anonymous", field: "Volumes", what });
  }
}
