import { shortId } from "../drift/drift.ts";
import { containerCapabilities } from "../privileges/grant-rules.ts";
import { type EnforcedLimits, type Limits, limitKeys, limitNames, limitText } from "../stack/limits.ts";
import type { ComposeService } from "../stack/model.ts";
import type { ProgramSettings } from "../stack/program-settings.ts";
import type { Container } from "./container.ts";

/** What a container may be and have at most. */
export interface Allowance {
  readonly limits: Limits;
  readonly readOnly: boolean;
  /** Names of security options that confine. */
  readonly confined: readonly string[];
  readonly capabilities: ReadonlySet<string>;
  /** Undefined where nobody knows whose rights the program is to have. */
  readonly user: string | undefined;
  readonly imageId: string | undefined;
}

/** What the model allows a service's container. */
export function allowanceOf(
  service: ComposeService,
  image: ProgramSettings | undefined,
  imageId: string | undefined,
): Allowance {
  return {
    limits: service.settings.limits,
    readOnly: service.readOnly,
    confined: service.securityOpt.flatMap((option) => confiningName(option) ?? []),
    capabilities: containerCapabilities(service.capAdd, service.capDrop),
    user: service.user ?? image?.user,
    imageId,
  };
}

/** Everything in which a container is more, or less confined, than allowed, as far as that is known; each as what it does: `runs as root instead of 1000`. */
export function deviations(container: Container, allowed: Partial<Allowance>, enforced: EnforcedLimits): string[] {
  const { access, settings, imageId } = container;
  const options = access.SecurityOpt.flatMap((option) => confiningName(option) ?? []);
  const capabilities = [...containerCapabilities(access.CapAdd, access.CapDrop)].filter(
    (name) => allowed.capabilities !== undefined && !allowed.capabilities.has(name),
  );
  return [
    ...(allowed.user !== undefined && !isRoot(allowed.user) && isRoot(settings.user)
      ? [`runs as root instead of ${allowed.user}`]
      : []),
    ...exceededLimits(container.limits, allowed.limits ?? {}, enforced),
    ...(allowed.readOnly && !access.ReadonlyRootfs ? ["has a writable root file system"] : []),
    ...(allowed.confined ?? [])
      .filter((name) => !options.includes(name))
      .map((name) => `lacks the security option ${name}`),
    // A privileged container has all of them, which is told as a privilege.
    ...(capabilities.length > 0 && !access.Privileged
      ? [`has capabilities beyond the plan: ${some(capabilities.toSorted())}`]
      : []),
    ...(allowed.imageId !== undefined && allowed.imageId !== imageId
      ? [`runs the image ${shortId(imageId)} instead of ${shortId(allowed.imageId)}`]
      : []),
  ];
}

function some(names: readonly string[]): string {
  const most = 4;
  return names.length > most ? `${names.slice(0, most).join(", ")} and ${names.length - most} more` : names.join(", ");
}

/** Limits that are higher than planned, or gone; what the kernel cannot enforce nobody took away. */
export function exceededLimits(found: Limits, planned: Limits, enforced: EnforcedLimits): string[] {
  return limitKeys.flatMap((key) => {
    const [most, has] = [planned[key], found[key]];
    if (most === undefined || (has !== undefined && has <= most) || (has === undefined && !enforced[key])) return [];
    return [`has the ${limitNames[key]} ${limitText(key, has)} instead of ${limitText(key, most)}`];
  });
}

/** Users that are root by name or number; without a name it is root. */
function isRoot(user: string): boolean {
  return /^(root|0+)?(:|$)/.test(user);
}

/** The name of an option that takes something away from a container; others give, and are privileges. */
function confiningName(option: string): string | undefined {
  const [, name = option, value = ""] = /^([a-z-]+)[=:](.*)$/s.exec(option) ?? [];
  const gives = value === "unconfined" || value === "false" || (name === "label" && value === "disable");
  return gives || !/^(no-new-privileges|seccomp|apparmor|label)$/.test(name) ? undefined : name;
}
