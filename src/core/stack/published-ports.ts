import type { Finding } from "../findings/finding.ts";
import { visibleLine } from "../text/visible-text.ts";
import type { ComposeModel } from "./model.ts";

const portMax = 65_535;

/** Whether the engine can publish this: a port, 0 for any free one, or a range from which it takes one. */
export function isPublishable(published: string): boolean {
  const [, first = "", last = first] = /^(\d+)(?:-(\d+))?$/.exec(published) ?? [];
  return first !== "" && Number(first) <= Number(last) && Number(last) <= portMax;
}

/** Ports that are none, D012: Compose merges whatever a variable holds, and only the start of the container would fail. */
export function portNumberFindings(model: ComposeModel, excluded: readonly string[]): Finding[] {
  const active = Object.entries(model.services).filter(([service]) => !excluded.includes(service));
  return active.flatMap(([service, { ports }]) =>
    ports.flatMap(({ published = "" }): Finding[] => {
      if (published === "" || isPublishable(published)) return [];
      const message = `${service} publishes the port ${visibleLine(published)}, but ports are whole numbers up to ${portMax}`;
      const fix =
        "correct it in the Compose file, or in the variable that it comes from (PORT in the environment file)";
      return [{ code: "D012", severity: "error", message, fix }];
    }),
  );
}
