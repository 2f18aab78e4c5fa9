import { ownerLabel } from "../model/labels.ts";
import type { Policy } from "../policy/policy.ts";
import { absent, known, type Reading, read } from "../request/reading.ts";
import { deny } from "./body-decision.ts";
import type { ContainerFact, ExecFact, Facts } from "./decision.ts";

const identifier = /^[0-9a-f]{64}$/;

/**
 * The container that a client means, if it was created through this guard. Any other does not exist: the answer is the
 * same as for a name that nobody has, so nothing can be learned of what else runs on the host. `missing` is the
 * engine's text for that.
 */
export function ownContainer(reference: string, missing: string, policy: Policy, facts: Facts): Reading<ContainerFact> {
  const nobody = absent("container.not-ours", missing);
  // What cannot be a name or an id need not be asked for.
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/.test(reference)) return nobody;
  const container = known(facts.container(reference));
  if (container.kind !== "read") return container;
  if (container.value === undefined) return nobody;
  const { id, labels } = container.value;
  if (!Object.hasOwn(labels, ownerLabel) || labels[ownerLabel] !== policy.owner) return nobody;
  if (!identifier.test(id)) return deny("engine.answer", "the engine gave a container an id that is none", {}, 502);
  return read(container.value);
}

/** A command and the container that it was prepared in. */
export interface OwnExec {
  readonly exec: ExecFact;
  readonly container: ContainerFact;
}

/** An exec and its container, if both exist for this client. */
export function ownExec(id: string, policy: Policy, facts: Facts): Reading<OwnExec> {
  const missing = `No such exec instance: ${id}`;
  if (!identifier.test(id)) return absent("exec.not-ours", missing);
  const exec = known(facts.exec(id));
  if (exec.kind !== "read") return exec;
  if (exec.value === undefined) return absent("exec.not-ours", missing);
  const container = ownContainer(exec.value.containerId, missing, policy, facts);
  return container.kind === "read" ? read({ exec: exec.value, container: container.value }) : container;
}
