// Wires the page's controls to the state, and starts.

function fillControls(app) {
  byId("title").textContent = DATA.title;
  byId("slider").max = String(STAGES.length - 1);
  STAGES.forEach((stage, i) => {
    const stop = textElement("button", stage.name);
    stop.type = "button";
    stop.title = stage.note;
    const isSame = i > 0 && !stage.diffs.length;
    stop.classList.toggle("same", isSame);
    const by = i ? stage.count - STAGES[i - 1].count : 0;
    const change = by ? ` (${by > 0 ? "+" : "−"}${Math.abs(by)})` : "";
    stop.append(textElement("small", isSame ? "no change" : `${countText(stage.count)}${change}`));
    stop.addEventListener("click", () => app.setStage(i));
    byId("stops").append(stop);
  });
  const hasPhases = STAGES.some((stage) => DATA.graphs[stage.graph].phases);
  if (hasPhases) OVERLAYS.push(["phase", "forward and backward"]);
  for (const [value, text] of OVERLAYS) byId("overlay").append(new Option(text, value));
  for (const [tab, text] of TABS) {
    const button = textElement("button", text);
    button.type = "button";
    button.dataset.tab = tab;
    button.setAttribute("role", "tab");
    button.addEventListener("click", () => app.showTab(tab));
    byId("tabs").append(button);
  }
  fillHelp();
  if (hasPhases) app.setOverlay("phase");
}

function fillHelp() {
  const table = document.createElement("table");
  for (const [keys, text] of KEYS) {
    const row = document.createElement("tr");
    const cell = document.createElement("td");
    cell.append(textElement("kbd", keys));
    row.append(cell, textElement("td", text));
    table.append(row);
  }
  byId("help").append(textElement("h2", "Keyboard"), table);
  byId("help").addEventListener("click", () => byId("help").close());
}

function listen(app) {
  byId("slider").addEventListener("input", (event) => app.setStage(Number(event.target.value)));
  byId("stage-back").addEventListener("click", () => app.setStage(app.index - 1));
  byId("stage-next").addEventListener("click", () => app.setStage(app.index + 1));
  byId("overlay").addEventListener("change", (event) => app.setOverlay(event.target.value));
  byId("open-all").addEventListener("click", () => app.openAll(true));
  byId("close-all").addEventListener("click", () => app.openAll(false));
  byId("fit").addEventListener("click", () => app.drawing.fit());
  byId("theme").addEventListener("click", () => app.toggleTheme());
  byId("help-open").addEventListener("click", () => byId("help").showModal());
  byId("search").addEventListener("input", (event) => app.search(event.target.value));
  byId("search").addEventListener("keydown", (event) => {
    if (event.key === "Enter") app.nextMatch(event.shiftKey ? -1 : 1);
    if (event.key === "Escape") byId("search").blur();
    event.stopPropagation();
  });
  document.addEventListener("keydown", (event) => pressed(app, event));
  dragDivider();
}

function pressed(app, event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (byId("help").open) {
    if (event.key === "Escape" || event.key === "?") byId("help").close();
    return;
  }
  if (/^(input|select|textarea)$/i.test(event.target.tagName) && event.target.type !== "range") return;
  const chosen = app.pickedGroup ?? app.chosen?.node.key;
  const overlay = OVERLAYS.findIndex(([name]) => name === app.overlay);
  const actions = {
    "[": () => app.setStage(app.index - 1), "]": () => app.setStage(app.index + 1),
    ArrowUp: () => app.step(-1), k: () => app.step(-1), ArrowDown: () => app.step(1), j: () => app.step(1),
    ArrowLeft: () => app.drawing.pan(80, 0), ArrowRight: () => app.drawing.pan(-80, 0),
    e: () => app.openAll(true), c: () => app.openAll(false), f: () => app.drawing.fit(),
    "/": () => byId("search").focus(), "?": () => byId("help").showModal(), t: () => app.toggleTheme(),
    "+": () => app.drawing.zoom(1.25), "=": () => app.drawing.zoom(1.25), "-": () => app.drawing.zoom(0.8),
    o: () => app.setOverlay(OVERLAYS[(overlay + 1) % OVERLAYS.length][0]),
    Escape: () => app.choose(null),
  };
  TABS.forEach(([tab], i) => { actions[String(i + 1)] = () => app.showTab(tab); });
  if (app.pickedGroup || app.chosen?.node.regions.length) actions.Enter = () => app.toggle(chosen);
  if (event.target.tagName === "BUTTON" && event.key === "Enter") return;
  if (event.target.type === "range" && event.key.startsWith("Arrow")) return;
  if (event.target.id === "source" && event.key.startsWith("Arrow")) return;
  const action = actions[event.key];
  if (!action) return;
  event.preventDefault();
  action();
}

function dragDivider() {
  const divider = byId("divider");
  divider.addEventListener("pointerdown", (event) => divider.setPointerCapture(event.pointerId));
  divider.addEventListener("pointermove", (event) => {
    if (!divider.hasPointerCapture(event.pointerId)) return;
    const most = document.body.clientWidth - 200;
    byId("source").style.width = `${Math.max(80, Math.min(most, event.clientX))}px`;
  });
}

byId("app").hidden = false;
const app = new App();
fillControls(app);
listen(app);
app.setStage(DATA.start);
window.plaitInspector = app;
