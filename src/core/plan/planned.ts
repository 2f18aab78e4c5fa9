import { type Allowance, allowanceOf } from "../containers/deviations.ts";
import type { Planned } from "../containers/live-excess.ts";
import type { SandboxAllowance } from "../containers/sandbox-allowance.ts";
import { type NamedSecret, plannedShownSecrets } from "../secrets/shown-secrets.ts";
import type { EnforcedLimits } from "../stack/limits.ts";
import type { ComposeModel } from "../stack/model.ts";
import type { ProgramSettings } from "../stack/program-settings.ts";
import { imageOf } from "./plan-images.ts";

/** What a plan is made of, beside its model. */
export interface PlannedParts extends Pick<Planned, "privileges" | "services"> {
  readonly images: ReadonlyMap<string, string>;
  readonly imageSettings: ReadonlyMap<string, ProgramSettings>;
  readonly sandbox: SandboxAllowance | undefined;
  readonly verdicts: Planned["verdicts"];
  readonly enforced: EnforcedLimits;
  readonly secrets: readonly NamedSecret[];
}

/** What the containers of a model are to be and to have. */
export function plannedBy(model: ComposeModel, parts: PlannedParts): Planned {
  const { images, imageSettings, ...rest } = parts;
  const allowances = parts.services.flatMap((name): [string, Allowance][] => {
    const service = model.services[name];
    const imageId = images.get(imageOf(model, name) ?? "");
    return service === undefined ? [] : [[name, allowanceOf(service, imageSettings.get(imageId ?? ""), imageId)]];
  });
  const shown = Object.entries(model.services).flatMap(([name, service]) =>
    plannedShownSecrets(service, parts.secrets).map(({ place, name: secret }) => `${name} ${place} ${secret}`),
  );
  const replicas = parts.services.flatMap((name): [string, number][] => {
    const count = model.services[name]?.replicas;
    return count === undefined ? [] : [[name, count]];
  });
  return { ...rest, allowances: new Map(allowances), replicas: new Map(replicas), shown: new Set(shown) };
}
