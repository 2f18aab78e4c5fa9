// The page of the sandbox gateway. What the gateway sends is shown as text only, never as markup.

const keyName = "sandbox-gateway-key";
const examples = {
  bash: 'echo "Hello from $(hostname)"\nid\nuname -sr',
  python: 'import platform\nprint("Hello from Python", platform.python_version())',
  node: 'console.log("Hello from Node.js", process.version)',
};

const byId = (id) => document.getElementById(id);
const show = (id, visible) => {
  byId(id).hidden = !visible;
};
const setText = (id, text) => {
  byId(id).textContent = text;
};

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

async function ask(path, body) {
  const headers = { authorization: `Bearer ${sessionStorage.getItem(keyName)}` };
  const options = { headers, cache: "no-store" };
  if (body !== undefined) {
    headers["content-type"] = "application/json";
    options.method = "POST";
    options.body = JSON.stringify(body);
  }
  const answer = await fetch(path, options).catch(() => {
    throw new Error("The gateway does not answer. Is it running?");
  });
  const content = await answer.json().catch(() => ({}));
  if (answer.ok) return content;
  const error = new Error(content.error || `The gateway answered with HTTP ${answer.status}.`);
  error.status = answer.status;
  throw error;
}

function showProblem(error) {
  setText("problem", error ? sentence(error.message) : "");
  show("problem", Boolean(error));
}

function sentence(text) {
  const start = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(start) ? start : `${start}.`;
}

function lock() {
  sessionStorage.removeItem(keyName);
  for (const id of ["workspace", "mode", "lock", "result"]) show(id, false);
  show("key-card", true);
  byId("key").value = "";
  byId("key").focus();
}

async function unlock() {
  try {
    showSandbox(await ask("api/sandbox"));
    show("key-card", false);
    for (const id of ["workspace", "mode", "lock"]) show(id, true);
    showProblem();
    await refreshHistory();
  } catch (error) {
    if (error.status === 401) {
      lock();
      showProblem(new Error("This key is not the gateway's key."));
      return;
    }
    if (byId("workspace").hidden) show("key-card", true);
    showProblem(error);
  }
}

function showSandbox(sandbox) {
  setText("mode", sandbox.mode);
  byId("mode").classList.toggle("off", !sandbox.canRun);
  setText("isolation", sandbox.isolation);
  setText("because", sandbox.because);
  setText("cannot-run", sandbox.canRun ? "" : `No code can run now: ${sentence(sandbox.reason)}`);
  show("cannot-run", !sandbox.canRun);
  byId("run").disabled = !sandbox.canRun;
  byId("timeout").max = sandbox.limits.timeoutSecondsMax;
  const { dockerSocket } = sandbox.holds;
  const docker = element("dd", "", dockerSocket.reachable ? `reachable at ${dockerSocket.address}` : "not reachable");
  // Only containers on this machine need a Docker engine; in every other mode a reachable one is too much.
  docker.classList.toggle("alarm", dockerSocket.reachable && sandbox.mode !== "aio");
  byId("facts").replaceChildren(
    element("dt", "", "Network"),
    element("dd", "", sandbox.network),
    element("dt", "", "Docker API"),
    docker,
    ...limitFacts(sandbox.limits).flatMap(([name, value]) => [element("dt", "", name), element("dd", "", value)]),
  );
}

function limitFacts(limits) {
  const facts = [];
  if (limits.memoryBytes) facts.push(["Memory", bytes(limits.memoryBytes)]);
  if (limits.cpus) facts.push(["CPUs", String(limits.cpus)]);
  if (limits.processes) facts.push(["Processes", String(limits.processes)]);
  if (limits.image) facts.push(["Image", limits.image]);
  if (limits.provisioner) facts.push(["Provisioner", limits.provisioner]);
  facts.push(["Time", `up to ${limits.timeoutSecondsMax} s`]);
  facts.push(["Output", `${bytes(limits.outputBytesMax)} per stream`]);
  facts.push(["At a time", `${limits.concurrencyMax} runs`]);
  return facts;
}

function bytes(count) {
  for (const [unit, size] of [
    ["GiB", 2 ** 30],
    ["MiB", 2 ** 20],
    ["KiB", 2 ** 10],
  ]) {
    if (count >= size) return `${Number((count / size).toFixed(1))} ${unit}`;
  }
  return `${count} bytes`;
}

function duration(ms) {
  return ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`;
}

function exitText(run) {
  if (run.timedOut) return "timed out";
  if (run.outOfMemory) return "out of memory";
  return run.exitCode === null ? "ended" : `exit ${run.exitCode}`;
}

function isGood(run) {
  return run.exitCode === 0 && !run.timedOut;
}

function showResult(run) {
  setText("exit-code", exitText(run));
  byId("exit-code").className = `chip ${isGood(run) ? "good" : "bad"}`;
  setText("duration", duration(run.durationMs));
  setText("stdout", run.stdout);
  setText("stderr", run.stderr);
  show("stderr-part", run.stderr !== "");
  setText("ran-in", run.ranIn.description);
  const notes = [];
  if (run.timedOut) notes.push("The time limit was reached and everything in the sandbox was killed.");
  if (run.outOfMemory) notes.push("The sandbox ran out of memory.");
  if (run.truncated) notes.push("The output was longer than the limit; the rest was dropped.");
  setText("result-note", notes.join(" "));
  show("result-note", notes.length > 0);
  show("result", true);
}

async function refreshHistory() {
  const { runs } = await ask("api/history");
  show("history-empty", runs.length === 0);
  byId("history").replaceChildren(...runs.slice(0, 25).map(historyItem));
}

function historyItem(run) {
  const item = element("li");
  item.dataset.testid = "history-item";
  const details = element("details");
  const summary = element("summary", "line");
  summary.append(
    element("span", `chip ${isGood(run) ? "good" : "bad"}`, exitText(run)),
    element("span", "snippet mono", run.code.split("\n").find((line) => line.trim() !== "") ?? ""),
    element("span", "muted", new Date(run.startedAt).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })),
  );
  const entry = element("div", "entry");
  entry.append(element("pre", "", run.code), element("pre", "", run.stdout));
  if (run.stderr !== "") entry.append(element("pre", "stderr", run.stderr));
  entry.append(
    element("p", "muted where", `${run.language}, ${duration(run.durationMs)}, ran in ${run.ranIn.description}`),
  );
  details.append(summary, entry);
  item.append(details);
  return item;
}

async function run(event) {
  event.preventDefault();
  const button = byId("run");
  button.disabled = true;
  button.textContent = "Running…";
  try {
    const timeoutSeconds = Number(byId("timeout").value);
    showResult(await ask("api/run", { language: byId("language").value, code: byId("code").value, timeoutSeconds }));
    showProblem();
    await refreshHistory();
  } catch (error) {
    if (error.status === 401) lock();
    showProblem(error);
  } finally {
    button.disabled = false;
    button.textContent = "Run";
  }
}

let example = examples.bash;
byId("code").value = example;
byId("language").addEventListener("change", () => {
  // Only an untouched example is replaced, never what somebody wrote.
  if (byId("code").value.trim() !== "" && byId("code").value !== example) return;
  example = examples[byId("language").value];
  byId("code").value = example;
});
byId("code").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !byId("run").disabled)
    byId("run-form").requestSubmit();
});
byId("run-form").addEventListener("submit", run);
byId("lock").addEventListener("click", () => {
  lock();
  showProblem();
});
byId("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem(keyName, byId("key").value.trim());
  unlock();
});

if (sessionStorage.getItem(keyName)) unlock();
else lock();
