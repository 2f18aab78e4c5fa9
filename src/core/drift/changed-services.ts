import type { Container } from "../containers/container.ts";
import { allowanceOf, deviations } from "../containers/deviations.ts";
import type { Facts } from "../plan/facts.ts";
import { imageOf } from "../plan/plan-images.ts";
import type { ComposeService } from "../stack/model.ts";
import { type Compared, type Difference, differences, differencesText, isHashless, shortId } from "./drift.ts";
import { restartOf } from "./drift-confinement.ts";
import { limitRows } from "./drift-reach.ts";
import { row } from "./drift-rows.ts";

/** Why the containers of a service have to be made anew. */
export interface Change {
  readonly why: string;
  /** Compose sees no difference. */
  readonly forced: boolean;
}

/** Why containers are not what their service is to be: the files or the image changed, or somebody's hand. */
export function changeOf(
  name: string,
  mine: readonly Container[],
  facts: Facts,
  fresh: readonly string[],
): Change | undefined {
  const service = facts.model.services[name];
  if (service === undefined) return undefined;
  const image = imageChange(name, mine, facts);
  const found = mine.flatMap((container) => differences(comparedWith(name, service, container, facts)));
  if (isHashless(service)) {
    const changed = found.length > 0 || wasOther(name, mine, facts);
    // Compose sees only what the files changed.
    if (changed) return { why: configurationChange([...(image ?? []), ...found]), forced: true };
  } else if (mine.some(({ configHash }) => configHash !== facts.hashes.get(name))) {
    return { why: configurationChange([...(image ?? []), ...found]), forced: false };
  }
  if (fresh.includes(name)) return { why: "its image is made or pulled anew", forced: false };
  return image && { why: `its ${differencesText(image)}`, forced: false };
}

/** Why containers that Compose would leave as they are have to be made anew all the same: somebody changed them by hand. */
export function handChangeOf(
  name: string,
  mine: readonly Container[],
  facts: Facts,
  unplanned: readonly string[],
): Change | undefined {
  const service = facts.model.services[name];
  if (service === undefined) return undefined;
  const found = mine.flatMap((container) => handChanges(comparedWith(name, service, container, facts)));
  const more = mine.flatMap((container) =>
    deviations(
      container,
      { ...allowanceOf(service, facts.imageSettings.get(container.imageId), undefined), limits: {} },
      facts.enforced,
    ),
  );
  const texts = [
    ...(found.length > 0 ? [differencesText(found)] : []),
    ...new Set(more),
    ...unplanned.map((privilege) => `holds ${privilege}`),
  ];
  return texts.length === 0
    ? undefined
    : { why: `somebody changed it by hand and up puts it back: ${texts.join(", ")}`, forced: true };
}

function comparedWith(name: string, service: ComposeService, container: Container, facts: Facts): Compared {
  const { model, imageSettings, containers: all, enforced } = facts;
  return { name, service, container, model, image: imageSettings.get(container.imageId), all, enforced };
}

/** What `docker update` can do to a container that runs. One more network is left to the operator, and shown. */
function handChanges(compared: Compared): Difference[] {
  const { service, container } = compared;
  return [...limitRows(compared), ...row("restart policy", restartOf(service), container.access.RestartPolicy)];
}

/** Whether the last deployment from here made these containers from something else that they do not show. */
function wasOther(name: string, mine: readonly Container[], { deployed, hashes }: Facts): boolean {
  const hash = deployed?.hashes[name];
  const isOurs = mine.every(({ id }) => deployed?.containers.includes(id));
  return isOurs && hash !== undefined && hash !== hashes.get(name);
}

function imageChange(name: string, mine: readonly Container[], { model, images }: Facts): Difference[] | undefined {
  const reference = imageOf(model, name) ?? "";
  const imageId = images.get(reference);
  const other = mine.find((each) => (imageId === undefined ? each.image !== reference : each.imageId !== imageId));
  if (other === undefined) return undefined;
  const [from, to] = imageId === undefined ? [other.image, reference] : [shortId(other.imageId), shortId(imageId)];
  return [{ what: "image", change: "changed", from, to }];
}

function configurationChange(found: readonly Difference[]): string {
  return found.length === 0
    ? "its configuration changed in something that its container does not show"
    : `its configuration changed: ${differencesText(found)}`;
}
