import type { Mode } from "../detect/mode.ts";
import type { Privilege } from "../privileges/privilege.ts";

/** What a person wants to know of a stack that runs, at a glance. */
export interface Card {
  /** Left out where no port is published. */
  readonly url: string | undefined;
  readonly mode: Mode;
  readonly because: string;
  /** What its containers hold that reaches past them. */
  readonly held: readonly Privilege[];
  /** The key that clients send and the file that has it; neither is a secret. */
  readonly key: { readonly name: string; readonly file: string } | undefined;
  /** Further rows, each with its name. */
  readonly rows: readonly (readonly [string, string])[];
}

const heldMax = 6;

/** Where the code of agents runs in each mode. */
const places: Readonly<Record<Mode, string>> = {
  local: "code runs inside the gateway's container",
  aio: "code runs in sandbox containers on this engine",
  provisioner: "code runs in pods of a cluster",
};

/** The card as people read it: a row for each thing, without colour and without the value of any secret. */
export function cardText(card: Card): string {
  const { url, mode, because, key } = card;
  const rows: (readonly [string, string])[] = [
    ...(url === undefined ? [] : [["url", url] as const]),
    ["mode", `${mode} (${because})`],
    ["", places[mode]],
    ...under("touches", heldTexts(card.held)),
    ...(key === undefined ? [] : [["key", `${key.name} in ${key.file}`] as const]),
    ...card.rows,
    ...under("next", nextTexts(card)),
  ];
  return rows.map(([name, text]) => `${name.padEnd(10)}${text}`).join("\n");
}

/** What is held, in the words of plan and audit log; what reaches the host comes first, and is never among what is left out. */
function heldTexts(held: readonly Privilege[]): string[] {
  if (held.length === 0) return ["nothing past its containers"];
  const [reaching, others] = [held.filter(({ consent }) => consent), held.filter(({ consent }) => !consent)];
  const shown = [...reaching, ...others.slice(0, Math.max(heldMax - reaching.length, 0))];
  const rest = held.length - shown.length;
  const texts = shown.map(({ service, kind, detail, consent }) => {
    const reach = consent === undefined ? "" : `  reaches the host: ${consent}`;
    return `${service}: ${kind} ${detail}${reach}`;
  });
  return rest === 0 ? texts : [...texts, `and ${rest} more: ./deploy status`];
}

function nextTexts({ url, key }: Card): string[] {
  return [
    ...(url === undefined ? [] : ["./deploy open    the page"]),
    ...(key === undefined ? [] : ["./deploy key     the key"]),
    "./deploy status  what runs",
    "./deploy logs    what it says",
    "./deploy down    to remove it",
  ].slice(0, 3);
}

function under(name: string, texts: readonly string[]): (readonly [string, string])[] {
  return texts.map((text, index) => [index === 0 ? name : "", text]);
}
