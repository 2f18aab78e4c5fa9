import type { Container } from "../core/containers/container.ts";
import type { Finding } from "../core/findings/finding.ts";
import { suggest } from "../core/findings/suggest.ts";
import { DeployError } from "../errors.ts";

/** Names of the services that have a container, sorted. */
export function servicesOf(containers: readonly Container[]): string[] {
  return [...new Set(containers.flatMap(({ service }) => service ?? []))].toSorted();
}

/** Stops when the command line names a service that is not there: Compose would do nothing, or fail in words of its own. */
export function stopOnUnknownServices(asked: readonly string[], known: readonly string[], project: string): void {
  const unknown = asked.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new DeployError(unknown.map((name) => unknownService(name, known, project)));
}

function unknownService(name: string, known: readonly string[], project: string): Finding {
  const near = suggest(name, known);
  const fix =
    known.length === 0
      ? "nothing of it runs: ./deploy up starts it"
      : `${near ? `did you mean ${near}? ` : ""}its services are ${known.join(", ")}`;
  return { code: "D033", severity: "error", message: `${project} has no service ${name}`, fix };
}
