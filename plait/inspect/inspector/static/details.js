// The panel's pages about one node, and the graph as text.

/** A page that tells all of a node. `go(graph, index)` chooses another one. */
function showNode(page, chosen, app) {
  page.replaceChildren();
  if (!chosen) {
    page.append(textElement("p", "Click a box or a line of source. Press ? for the keyboard.", "quiet"));
    return;
  }
  const { graph, node } = chosen;
  const table = document.createElement("table");
  const add = (head, ...cells) => table.append(detailRow(head, cells));
  add("node", nodeLine(graph, node));
  if (node.place) {
    add("source", link(placeText(node.place), () => app.pickPlace(node.place.key)));
  }
  add("operands", ...node.operands.map((value) => valueLink(graph, value, app)));
  add("used by", ...usersOf(graph, node, app));
  const known = node.known ? "" : " (a size or a number of trips is not known)";
  add("cost", `${plural(node.flops, "FLOP")}, ${bytesText(node.bytes)} read and written${known}`);
  const phase = graph.phases ? graph.phases[node.index] : "";
  if (phase) add("part", phase === "f" ? "forward" : "backward");
  const state = app.stateOf(graph, node.index);
  if (state) add("stage", stateText(graph, node, state, app));
  if (graph.plan) addStorage(add, graph, node);
  if (node.regions.length) {
    const names = node.regions.map((r) => graphOf(r).name).join(", ");
    add("regions", link(`${names}: open or close`, () => app.toggle(node.key)));
  }
  page.append(table);
}

function detailRow(head, cells) {
  const row = document.createElement("tr");
  const cell = document.createElement("td");
  (cells.length ? cells : ["–"]).forEach((one, i) => {
    if (i) cell.append(", ");
    cell.append(one);
  });
  row.append(textElement("th", head), cell);
  return row;
}

function link(text, go) {
  const made = textElement("button", text, "link");
  made.type = "button";
  made.addEventListener("click", go);
  return made;
}

function valueLink(graph, value, app) {
  const { name, type, node } = graph.values[value];
  const text = `${name}: ${type}`;
  return node < 0 ? text : link(text, () => app.choose(graph, node, true));
}

function usersOf(graph, node, app) {
  const users = new Set(node.results.flatMap((v) => graph.values[v].users));
  const found = [...users].slice(0, 40).map((index) => {
    const user = graph.nodes[index];
    const name = user.results.length ? ` ${graph.values[user.results[0]].name}` : "";
    return link(user.op + name, () => app.choose(graph, index, true));
  });
  if (users.size > 40) found.push(`and ${users.size - 40} more`);
  if (node.results.some((v) => graph.values[v].isOutput)) found.push("the results");
  return found;
}

function stateText(graph, node, state, app) {
  if (state === "added") return `made by ${app.stage.name}`;
  const diff = differencesOf(app.stage).get(graph.number);
  const before = graphOf(diff.before);
  return `${diff.changed[node.index]} changed by ${app.stage.name}; before: `
    + nodeLine(before, before.nodes[diff.pairs[node.index]]);
}

function addStorage(add, graph, node) {
  const [slots, , , frees, decisions] = graph.plan.steps[node.index];
  const shown = node.results.map((value, i) => {
    const slot = graph.plan.slots.find(([index]) => index === slots[i]);
    const where = slot ? `slot ${slot[0]}, from byte ${countText(slot[1])}` : "outside the arena";
    return `${graph.values[value].name} in ${where}`;
  });
  add("storage", `step ${node.index}: ${shown.join("; ")}`);
  if (frees.length) add("last use of", frees.map((v) => graph.values[v].name).join(", "));
  for (const [kind, taken, reason] of decisions) {
    add(`${STRINGS[kind]} ${taken ? "taken" : "refused"}`, STRINGS[reason]);
  }
}

/** The graph as lines of text; a click chooses a node. */
function showText(page, app) {
  page.replaceChildren();
  const rows = textElement("div", "", "rows");
  const add = (graph, indent, inner) => {
    const typed = graph.inputs.map((v) => `${graph.values[v].name}: ${graph.values[v].type}`);
    rows.append(textElement("div", `${indent}${inner}${graph.name}(${typed.join(", ")}) {`, "line"));
    for (const node of graph.nodes) {
      const line = textElement("div", `${indent}  ${nodeLine(graph, node)}`, "line");
      line.dataset.line = node.key;
      const state = app.stateOf(graph, node.index);
      if (state) line.classList.add(state);
      if (node.place) line.title = placeText(node.place);
      line.addEventListener("click", () => app.choose(graph, node.index, true));
      rows.append(line);
      for (const region of node.regions) add(graphOf(region), `${indent}    `, "");
    }
    const results = graph.outputs.map((v) => graph.values[v].name).join(", ");
    rows.append(textElement("div", `${indent}  return ${results}`, "line"));
    rows.append(textElement("div", `${indent}}`, "line"));
  };
  add(app.graph, "", "graph ");
  page.append(rows);
  markText(page, app);
}

function markText(page, app) {
  for (const line of page.querySelectorAll(".line.picked")) line.classList.remove("picked");
  if (!app.chosen) return;
  const line = page.querySelector(`[data-line="${app.chosen.node.key}"]`);
  line?.classList.add("picked");
  line?.scrollIntoView({ block: "nearest" });
}
