// The panel's page about a stage: what came, what went, what changed, by which rule at which line.

const MOST_LINES = 400;

function showChanges(page, app) {
  page.replaceChildren();
  const { stage } = app;
  page.append(textElement("p", `${stage.name}: ${stage.note}`));
  if (app.index > 0) page.append(countsOf(stage, app));
  if (stage.firings.length) showRules(page, stage, app);
  showDifferences(page, stage, app);
}

function countsOf(stage, app) {
  const before = STAGES[app.index - 1];
  if (!stage.diffs.length) return textElement("p", "No change.", "quiet");
  let [added, changed, removed] = [0, 0, 0];
  for (const { states } of differencesOf(stage).values()) {
    for (const state of states.values()) if (state === "added") added += 1; else changed += 1;
  }
  for (const gone of losesOf(stage).values()) removed += gone.size;
  const nodes = `${countText(before.count)} → ${plural(stage.count, "node")}`;
  if (!added && !changed && !removed) return textElement("p", `${nodes}; the same nodes.`, "quiet");
  return textElement("p", `${nodes}: ${added} new, ${changed} changed, ${removed} gone`);
}

/** Rules with their equations, and the lines of each. */
function showRules(page, stage, app) {
  page.append(textElement("h3", "Rules"));
  const found = new Map();
  for (const [rule, place] of stage.firings) {
    const name = STRINGS[rule];
    if (!found.has(name)) found.set(name, new Map());
    found.get(name).set(place, (found.get(name).get(place) ?? 0) + 1);
  }
  const table = document.createElement("table");
  const total = (places) => [...places.values()].reduce((a, b) => a + b, 0);
  const order = [...found].sort((a, b) => total(b[1]) - total(a[1]) || (a[0] < b[0] ? -1 : 1));
  for (const [name, places] of order) {
    const row = document.createElement("tr");
    const where = document.createElement("td");
    [...places].slice(0, 12).forEach(([place, count], i) => {
      if (i) where.append(", ");
      const times = count > 1 ? ` ×${count}` : "";
      if (place < 0) return where.append(`no line${times}`);
      return where.append(link(`${PLACES[place].key}${times}`, () => app.pickPlace(PLACES[place].key)));
    });
    if (places.size > 12) where.append(`, and ${places.size - 12} more lines`);
    row.append(
      textElement("td", `${name} ×${total(places)}`),
      textElement("td", DATA.rules[name] ?? "", "equation"), where,
    );
    table.append(row);
  }
  page.append(table);
}

/** A line for each node that came, went or changed; a click shows it, in the stage where it is. */
function showDifferences(page, stage, app) {
  const lines = [];
  for (const diff of differencesOf(stage).values()) {
    const [before, after] = [graphOf(diff.before), graphOf(diff.after)];
    for (const index of losesOf(stage).get(diff.before)) {
      lines.push(["removed", "− ", before, index, app.index - 1]);
    }
    for (const [index, state] of diff.states) {
      if (state === "changed") {
        lines.push(["removed", "− ", before, diff.pairs[index], app.index - 1]);
        lines.push(["changed", `+ `, after, index, app.index, diff.changed[index]]);
      } else {
        lines.push(["added", "+ ", after, index, app.index]);
      }
    }
  }
  if (!lines.length) return;
  page.append(textElement("h3", "Nodes"));
  const rows = textElement("div", "", "rows");
  for (const [kind, sign, graph, index, at, what] of lines.slice(0, MOST_LINES)) {
    const node = graph.nodes[index];
    const note = what ? `   # ${what} changed` : "";
    const place = node.place ? `   @ ${node.place.key}` : "";
    const line = textElement("div", `${sign}${nodeLine(graph, node)}${place}${note}`, `line ${kind}`);
    line.addEventListener("click", () => app.jump(at, graph, index));
    rows.append(line);
  }
  if (lines.length > MOST_LINES) {
    rows.append(textElement("div", `and ${countText(lines.length - MOST_LINES)} more`, "line quiet"));
  }
  page.append(rows);
}
