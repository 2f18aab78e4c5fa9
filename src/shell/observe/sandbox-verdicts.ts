import * as z from "zod";
import type { Container } from "../../core/containers/container.ts";
import { isImageKnown, knownImageIds, type SandboxImages } from "../../core/containers/sandbox-images.ts";
import type { ComposeModel } from "../../core/stack/model.ts";
import type { Stack, Territory } from "../../core/stack/stack.ts";
import { visibleLine } from "../../core/text/visible-text.ts";
import type { World } from "../../world.ts";
import { askGuard, type GuardReport, guardImages } from "./guard.ts";

const answerSchema = z.object({
  beyond: z.array(z.object({ container: z.string(), what: z.string() })),
});

/** What is known of the images of sandboxes: what the running guard says, and what is remembered of earlier ones. */
export function sandboxImages(remembered: SandboxImages["remembered"], report: GuardReport | undefined): SandboxImages {
  return { remembered, guard: report && { pinned: report.images.pinned, since: report.startedAt } };
}

/**
 * In what sandboxes go beyond the policy of a stack's guard, by their ids, as the guard's own program judges it: nothing is
 * asked without a guard or without a sandbox. What nobody could judge is beyond it as well.
 */
export async function readVerdicts(
  world: World,
  { socketPath }: Pick<Territory, "socketPath">,
  { guardPolicy }: Pick<Stack, "guardPolicy">,
  model: ComposeModel,
  sandboxes: readonly Container[],
  asked: Promise<SandboxImages>,
): Promise<ReadonlyMap<string, string>> {
  if (guardPolicy === undefined || sandboxes.length === 0) return new Map();
  const [, named] = /^unix:\/\/(.+)$/.exec(world.env["DOCKER_HOST"] ?? "") ?? [];
  const images = await asked;
  const known = JSON.stringify(knownImageIds(images));
  const words = ["judge", "--text", guardPolicy, "--upstream", `unix:${named ?? socketPath}`];
  const isKnown = (sandbox: Container) => isImageKnown(sandbox, images);
  const groups: [string[], Container[]][] = [
    [[...words, "--pinned", known], sandboxes.filter(isKnown)],
    [words, sandboxes.filter((sandbox) => !isKnown(sandbox))],
  ];
  const judged = await Promise.all(groups.map(([start, group]) => judge(world, start, group, guardImages(model))));
  return new Map(judged.flat());
}

async function judge(
  world: World,
  words: readonly string[],
  sandboxes: readonly Container[],
  images: string | undefined,
): Promise<[id: string, what: string][]> {
  if (sandboxes.length === 0) return [];
  const ids = sandboxes.map(({ id }) => id);
  const { exitCode, stdout, stderr } = await askGuard(world, [...words, ...ids], { GUARD_IMAGES: images });
  const answer = exitCode === 0 ? answerSchema.safeParse(JSON.parse(stdout)) : undefined;
  if (answer?.success) return answer.data.beyond.map(({ container, what }) => [container, beyond(what)]);
  const why = visibleLine(
    stderr
      .trim()
      .split("\n")
      .at(-1)
      ?.replace(/^guard: /, "") ?? "",
  );
  return ids.map((id) => [id, `could not be held against the guard's policy: ${why}`]);
}

function beyond(what: string): string {
  return `has more than the guard's policy allows: ${visibleLine(what)}`;
}
