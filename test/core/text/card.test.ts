import { describe, expect, it } from "vitest";
import type { Privilege } from "../../../src/core/privileges/privilege.ts";
import { type Card, cardText } from "../../../src/core/text/card.ts";
import { fitText } from "../../../src/core/text/fitted-text.ts";

const port: Privilege = { service: "proxy", kind: "published-port", detail: "127.0.0.1:2026 -> 8080/tcp" };
const socket: Privilege = {
  service: "gateway",
  kind: "runtime-socket",
  detail: "/var/run/docker.sock (rw)",
  consent: "host-root",
};
const card: Card = {
  url: "http://127.0.0.1:2026",
  mode: "local",
  because: "config.yaml:2 sandbox.use",
  held: [port],
  key: { name: "GATEWAY_API_KEY", file: ".env" },
  rows: [["gone", "gateway no longer holds host-root"]],
};

describe("the card of a stack", () => {
  it("says where it is, what it may touch, where the key is, and what comes next", () => {
    expect(cardText(card)).toMatchInlineSnapshot(`
      "url       http://127.0.0.1:2026
      mode      local (config.yaml:2 sandbox.use)
                code runs inside the gateway's container
      touches   proxy: published-port 127.0.0.1:2026 -> 8080/tcp
      key       GATEWAY_API_KEY in .env
      gone      gateway no longer holds host-root
      next      ./deploy open    the page
                ./deploy key     the key
                ./deploy status  what runs"
    `);
  });

  it("names of many things held everything that reaches the host, and how many more there are", () => {
    const many = Array.from({ length: 9 }, (_, index) => ({ ...port, service: `proxy-${index}` }));
    const text = cardText({ ...card, held: [...many, socket] });
    expect(text).toContain(
      "touches   gateway: runtime-socket /var/run/docker.sock (rw)  reaches the host: host-root\n",
    );
    expect(text).toContain("          and 4 more: ./deploy status\n");
  });

  it("offers neither page nor key where there is none", () => {
    const text = cardText({ ...card, url: undefined, key: undefined, held: [] });
    expect(text).not.toMatch(/open|key|url/);
    expect(text).toContain("touches   nothing past its containers\n");
    expect(text).toContain("next      ./deploy status  what runs\n          ./deploy logs  ");
  });

  it("has room in 40 columns", () => {
    const lines = fitText(cardText({ ...card, held: [port, socket] }), 40).split("\n");
    expect(lines.filter((line) => line.length > 40)).toEqual([]);
  });
});
