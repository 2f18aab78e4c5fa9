import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttps } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { makeCertificate } from "./support/certificates.ts";
import { type JobRun, runGitlabJob, runJob } from "./support/job-run.ts";
import { readGitlab, readWorkflow } from "./support/workflow.ts";

/** What a platform is asked, and the comments that it has then. */
interface Asked {
  readonly method: string;
  readonly path: string;
  readonly token: string;
  readonly body: string;
}

const token = "ghs_Sentinel0000000000000000000000000000";
const marker = "<!-- sandbox-deploy plan shop -->\n### plan\n";
let folder: string;
let server: Server;
let asked: Asked[];
let comments: { readonly id: number; readonly user: { readonly login: string }; body: string }[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "sandbox-deploy-comments-"));
  asked = [];
  comments = [];
});
afterEach(async () => {
  server.close();
  await rm(folder, { recursive: true, force: true });
});

async function textOf(request: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) text += chunk;
  return text;
}

/** One comment a page, as platforms part long lists. */
async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", `https://${request.headers.host}`);
  const { authorization, "private-token": privateToken } = request.headers;
  const body = await textOf(request);
  const method = request.method ?? "";
  asked.push({ method, path: url.pathname, token: String(authorization ?? privateToken), body });
  response.setHeader("content-type", "application/json");
  if (method !== "GET") return void response.end("{}");
  const page = Number(url.searchParams.get("page") ?? 1);
  url.searchParams.set("page", String(page + 1));
  if (page < comments.length) response.setHeader("link", `<${url}>; rel="next"`);
  response.end(JSON.stringify(comments.slice(page - 1, page)));
}

async function listen(one: Server): Promise<number> {
  server = one;
  await new Promise<void>((resolve) => one.listen(0, "127.0.0.1", resolve));
  return (one.address() as AddressInfo).port;
}

/** The job that comments on GitHub, with GitHub's own program and a server in GitHub's place. */
async function comment(body: string): Promise<JobRun> {
  await makeCertificate(folder, "api", { addresses: ["127.0.0.1"] });
  const [key, cert] = await Promise.all(["api.key", "api.pem"].map((name) => readFile(join(folder, name))));
  const port = await listen(createHttps({ key, cert }, (request, response) => void answer(request, response)));
  const job = readWorkflow("templates/ci/github.yaml").jobs["comment"];
  if (job === undefined) throw new Error("the template has no job comment");
  const env = { ...process.env, GH_HOST: `127.0.0.1:${port}`, GH_ENTERPRISE_TOKEN: token, GH_CONFIG_DIR: folder };
  return runJob(
    job,
    {},
    {
      ...{ folder, temp: join(folder, "runner"), env: { ...env, SSL_CERT_FILE: join(folder, "api.pem") } },
      expressions: {
        "github.token": token,
        "github.repository": "shop/deploy",
        "github.event.pull_request.number": "7",
        "needs.plan.outputs.body": body,
      },
    },
  );
}

const bot = { login: "github-actions[bot]" };
const changes = () => asked.filter(({ method }) => method !== "GET");

it("a pull request gets a comment with the page as it is, whatever is in it", async () => {
  const body = `${marker}@octocat \`$(id)\` "quoted" \\n true 🙂 ${"é".repeat(20_000)}`;
  const { exitCode, log } = await comment(body);
  expect(`${exitCode}\n${log}`).toBe("0\n");
  expect(changes()).toMatchObject([
    { method: "POST", path: "/api/v3/repos/shop/deploy/issues/7/comments", token: `token ${token}` },
  ]);
  expect(JSON.parse(changes()[0]?.body ?? "")).toEqual({ body: `${body}\n` });
});

it("the next plan takes the place of the bot's last one, and of nobody else's", async () => {
  comments = [
    { id: 1, user: { login: "mallory" }, body: marker },
    { id: 2, user: bot, body: marker },
    { id: 3, user: bot, body: "another comment of the bot" },
    { id: 4, user: { login: "mallory" }, body: marker },
  ];
  const { exitCode, log } = await comment(marker);
  expect(`${exitCode}\n${log}`).toBe("0\n");
  expect(asked.filter(({ method }) => method === "GET")).toHaveLength(4);
  expect(changes()).toMatchObject([{ method: "PATCH", path: "/api/v3/repos/shop/deploy/issues/comments/2" }]);
});

it("a merge request on GitLab gets the page too, and the token stands in no log", async () => {
  const port = await listen(createHttp((request, response) => void answer(request, response)));
  const job = readGitlab("templates/ci/gitlab.yaml").jobs["comment"];
  if (job === undefined) throw new Error("the template has no job comment");
  await writeFile(join(folder, "plan.md"), `${marker}a=b&c=d 🙂\n`);
  const env = {
    DEPLOY_COMMENT_TOKEN: token,
    CI_API_V4_URL: `http://127.0.0.1:${port}/api/v4`,
    CI_PROJECT_ID: "5",
    CI_MERGE_REQUEST_IID: "7",
  };
  const { exitCode, log } = await runGitlabJob(job, env, {
    ...{ folder, temp: join(folder, "runner"), env: process.env, expressions: {} },
  });
  expect(`${exitCode}\n${log}`).toBe("0\n");
  expect(asked).toMatchObject([{ method: "POST", path: "/api/v4/projects/5/merge_requests/7/notes", token }]);
  expect(new URLSearchParams(asked[0]?.body).get("body")).toBe(`${marker}a=b&c=d 🙂\n`);
});
