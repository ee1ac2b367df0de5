// The memory plan over time: slots from top to bottom, steps from left to right.

const CURVE = 64;
const LEFT = 118;

/** The graphs of a stage that have a plan: the whole, then its regions. */
function plannedGraphs(graph, found = []) {
  if (graph.plan && !found.includes(graph)) {
    found.push(graph);
    for (const node of graph.nodes) node.regions.forEach((r) => plannedGraphs(graphOf(r), found));
  }
  return found;
}

function showMemory(page, app) {
  page.replaceChildren();
  const at = STAGES.findIndex((stage) => stage.name === "plan");
  if (at < 0) {
    page.append(textElement("p", "There is no plan here: a size is symbolic, or the graph is not planned as a whole.", "quiet"));
    return;
  }
  const graphs = plannedGraphs(graphOf(STAGES[at].graph));
  const graph = graphs.find((one) => one.number === app.planned) ?? graphs[0];
  if (graphs.length > 1) page.append(planChoice(graphs, graph, page, app));
  page.append(planSummary(graph.plan));
  const alive = textElement("div");
  const pick = (step) => {
    app.step = step;
    app.jump(at, graph, step, false);
    markStep(page, graph, step);
    showAlive(alive, graph, step, (index) => app.jump(at, graph, index));
  };
  page.append(planPicture(page, graph, pick), alive);
  const chosen = app.chosen && app.chosen.graph === graph ? app.chosen.node.index : null;
  const step = chosen ?? graph.plan.live.indexOf(Math.max(0, ...graph.plan.live));
  if (step >= 0) {
    markStep(page, graph, step);
    showAlive(alive, graph, step, (index) => app.jump(at, graph, index));
  }
}

function planChoice(graphs, graph, page, app) {
  const select = document.createElement("select");
  graphs.forEach((one, i) => {
    const label = i ? `region ${one.name}` : `graph ${one.name}`;
    select.append(new Option(`${label}: ${bytesText(one.plan.arena)}`, String(one.number)));
  });
  select.value = String(graph.number);
  select.addEventListener("change", () => {
    app.planned = Number(select.value);
    showMemory(page, app);
  });
  const made = textElement("p");
  made.append(select);
  return made;
}

function planSummary(plan) {
  const saved = plan.unplanned - plan.arena;
  const made = textElement("p");
  const inPlace = plan.steps.filter((step) => step[1] >= 0).length;
  made.append(
    `arena ${bytesText(plan.arena)} in ${plural(plan.slots.length, "slot")}, peak ${bytesText(plan.peak)}; `
    + `${bytesText(saved)} of ${bytesText(plan.unplanned)} saved; ${plural(inPlace, "step")} in place. `,
    textElement("span", "", "swatch-life"), "in a slot",
    textElement("span", "", "swatch-life in-place"), "in place of an operand",
  );
  return made;
}

function planPicture(page, graph, pick) {
  const { plan } = graph;
  const count = Math.max(1, plan.steps.length);
  const wide = Math.max(2, Math.min(46, ((page.clientWidth || 900) - LEFT - 40) / count));
  const rows = rowsOf(plan);
  const height = CURVE + 10 + rows.reduce((sum, row) => sum + row.height + 2, 0) + 18;
  const width = LEFT + count * wide + 10;
  const svg = svgElement("svg", { class: "memory", width, height, role: "img" });
  svg.append(...curve(plan, wide), ...rowParts(rows, plan, count * wide));
  const bySlot = new Map(rows.map((row) => [row.slot, row]));
  plan.lives.forEach(([value, slot, start, end, inPlace, bytes]) => {
    const row = bySlot.get(slot);
    const { name, type } = graph.values[value];
    const made = svgElement("rect", {
      class: `life${inPlace ? " in-place" : ""}`, x: LEFT + start * wide, y: row.y,
      width: (end - start + 1) * wide - Math.min(1, wide / 4), height: row.height, rx: wide > 6 ? 3 : 0,
    });
    made.dataset.life = `${start} ${end}`;
    made.append(svgElement("title", {}, `${name}: ${type}, ${bytesText(bytes)}, steps ${start} to ${end}`));
    made.addEventListener("click", () => pick(start));
    svg.append(made);
    if ((end - start + 1) * wide > name.length * 6.6 + 4) {
      svg.append(svgElement("text", { x: LEFT + start * wide + 4, y: row.y + row.height / 2 + 4 }, name));
    }
  });
  const shade = svgElement("rect", { class: "now", y: 0, width: Math.max(2, wide), height: height - 16 });
  const catcher = svgElement("rect", { class: "catch", x: LEFT, y: 0, width: count * wide, height: CURVE });
  catcher.addEventListener("click", (event) => {
    const x = event.clientX - svg.getBoundingClientRect().left - LEFT;
    pick(Math.max(0, Math.min(count - 1, Math.floor(x / wide))));
  });
  svg.append(shade, catcher, ...ticks(count, wide, height));
  svg.dataset.wide = wide;
  return svg;
}

/** Slots by their place in the arena, higher the more bytes they have. */
function rowsOf(plan) {
  let y = CURVE + 10;
  const most = Math.max(1, ...plan.slots.map((slot) => slot[2]));
  const slots = plan.slots.slice().sort((a, b) => a[1] - b[1] || a[0] - b[0]);
  return slots.map(([slot, offset, bytes]) => {
    const row = { slot, offset, bytes, y, height: 15 + 17 * Math.sqrt(bytes / most) };
    y += row.height + 2;
    return row;
  });
}

function rowParts(rows, plan, width) {
  return rows.flatMap((row) => [
    svgElement("rect", { class: "row", x: LEFT, y: row.y, width, height: row.height }),
    svgElement("text", { x: LEFT - 8, y: row.y + row.height / 2 + 4, "text-anchor": "end" },
      `slot ${row.slot} ${bytesText(row.bytes)}`),
  ]);
}

/** Live bytes over the steps, and the peak. */
function curve(plan, wide) {
  const most = Math.max(1, plan.peak, ...plan.live);
  const y = (bytes) => CURVE - (CURVE - 14) * (bytes / most);
  let path = `M${LEFT} ${CURVE}`;
  plan.live.forEach((bytes, i) => {
    path += `V${y(bytes)}H${LEFT + (i + 1) * wide}`;
  });
  const right = LEFT + plan.live.length * wide;
  return [
    svgElement("path", { class: "live", d: `${path}V${CURVE}Z` }),
    svgElement("line", { class: "peak", x1: LEFT, x2: right, y1: y(plan.peak), y2: y(plan.peak) }),
    svgElement("text", { x: LEFT - 8, y: y(plan.peak) + 4, "text-anchor": "end" }, `peak ${bytesText(plan.peak)}`),
    svgElement("text", { x: LEFT - 8, y: CURVE, "text-anchor": "end" }, "live bytes"),
  ];
}

function ticks(count, wide, height) {
  const every = Math.max(1, Math.ceil(60 / wide));
  const found = [];
  for (let i = 0; i < count; i += every) {
    found.push(svgElement("text", { x: LEFT + i * wide, y: height - 4 }, i ? String(i) : "step 0"));
  }
  return found;
}

function markStep(page, graph, step) {
  const svg = page.querySelector("svg.memory");
  if (!svg) return;
  svg.querySelector("rect.now").setAttribute("x", LEFT + step * Number(svg.dataset.wide));
  for (const rect of svg.querySelectorAll("rect.life")) {
    const [start, end] = rect.dataset.life.split(" ").map(Number);
    rect.classList.toggle("alive", start <= step && step <= end);
  }
}

/** What lives in the arena at a step. */
function showAlive(box, graph, step, go) {
  const { plan } = graph;
  const alive = plan.lives.filter(([, , start, end]) => start <= step && step <= end);
  const node = graph.nodes[step];
  box.replaceChildren(textElement("h3", `Step ${step}: ${node.op}, ${bytesText(plan.live[step])} alive`));
  const table = document.createElement("table");
  for (const [value, slot, start, end, inPlace, bytes] of alive) {
    const { name, type } = graph.values[value];
    const row = document.createElement("tr");
    const cell = document.createElement("td");
    cell.append(link(`${name}: ${type}`, () => go(graph.values[value].node)));
    const note = inPlace ? ", in place of an operand" : "";
    row.append(cell, ...[bytesText(bytes), `slot ${slot}`, `steps ${start} to ${end}${note}`]
      .map((text) => textElement("td", text)));
    table.append(row);
  }
  box.append(alive.length ? table : textElement("p", "Nothing lives in the arena here.", "quiet"));
}
