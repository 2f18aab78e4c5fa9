import type { Plan } from "../core/plan/plan.ts";
import { planDocument } from "../core/plan/plan-document.ts";
import { droppedText } from "../core/privileges/dropped-privileges.ts";
import { clientKeys } from "../core/secrets/client-key.ts";
import { relativePath } from "../core/stack/stack.ts";
import { cardText } from "../core/text/card.ts";
import type { Purpose } from "../shell/records/deployment.ts";
import type { World } from "../world.ts";
import type { Situation } from "./prepare.ts";
import type { Verified } from "./recorded.ts";

/** Shows how a deployment ended well: the card of what runs now. */
export function report(
  world: World,
  { facts, stack, territory }: Situation,
  plan: Plan,
  purpose: Purpose,
  { url, live, dropped }: Verified,
): void {
  const changed = plan.steps.length > 0;
  const head = changed ? "the stack is up and healthy" : "nothing to change: the stack runs as planned";
  const [keyName] = clientKeys(facts.model);
  const key =
    keyName === undefined ? undefined : { name: keyName, file: relativePath(territory.root, territory.envPath) };
  const { mode, because } = stack.detection;
  const rows: (readonly [string, string])[] = [
    ...("of" in purpose
      ? [["runs", `deployment ${purpose.of} again; ./deploy plan shows what the files here would change`] as const]
      : []),
    ...dropped.map((each) => ["gone", droppedText(each)] as const),
  ];
  const card = { url, mode, because: because.text, held: live, key, rows };
  world.reporter.result(`${head}\n${cardText(card)}`, {
    version: 1,
    exitCode: 0,
    url: url ?? null,
    key: key ?? null,
    changed,
    dropped: dropped.map(({ service, kind, detail, provenOn }) => ({ service, kind, detail, provenOn })),
    plan: planDocument(plan),
  });
}
