// The state of the page, and what changes it: stages, choice, colors, search, keyboard.

const TABS = [["node", "Node"], ["changes", "Changes"], ["memory", "Memory"], ["text", "Text"]];
const OVERLAYS = [
  ["kind", "by kind of op"], ["flops", "by FLOPs"], ["bytes", "by bytes moved"], ["size", "by bytes of results"],
];
/** Graphs up to this many nodes are opened as a whole at first. */
const OPENED = 150;
const KEYS = [
  ["[ and ]", "stage before, next stage"], ["↑ ↓ or k j", "node before, next node"],
  ["Enter", "open or close what is chosen"], ["e, c", "open all, close all"], ["/", "search"],
  ["Enter, Shift+Enter", "next and previous match, in the search"], ["f", "fit the graph into the window"],
  ["+ and −", "zoom; also Ctrl and the wheel"], ["← →", "move sideways; also drag, or the wheel"],
  ["o", "next coloring"], ["1 2 3 4", "node, changes, memory, text"], ["t", "light or dark"],
  ["Esc", "choose nothing"], ["?", "this list"],
];
const byId = (id) => document.getElementById(id);

class App {
  constructor() {
    this.index = 0;
    this.tab = "node";
    this.overlay = "kind";
    this.open = new Set();
    this.seen = new Set();
    this.chosen = null;
    this.planned = -1;
    this.matches = [];
    this.match = -1;
    this.near = { keys: new Set(), values: null, graph: null };
    this.drawing = new Drawing(byId("canvas"), this.hooks());
    this.source = new SourcePane(byId("source"), {
      hover: (key) => this.hoverPlace(key), pick: (key) => this.pickPlace(key),
    });
  }

  hooks() {
    return {
      classOf: (box) => this.classOf(box), shadeOf: (box) => this.shadeOf(box),
      badgesOf: (box) => this.badgesOf(box), isNear: (edge) => this.isNear(edge),
      click: (box, isDouble) => this.click(box, isDouble), hover: (item, event) => this.hover(item, event),
    };
  }

  get stage() { return STAGES[this.index]; }
  get graph() { return graphOf(this.stage.graph); }

  // Stages.

  setStage(index) {
    const to = Math.max(0, Math.min(STAGES.length - 1, index));
    const kept = this.chosen ? this.follow(this.chosen, this.index, to) : null;
    const same = to !== this.index && STAGES[to].graph === this.stage.graph;
    this.index = to;
    this.chosen = kept;
    byId("slider").value = String(to);
    byId("stage-name").textContent = this.stage.name;
    [...byId("stops").children].forEach((b, i) => b.setAttribute("aria-current", String(i === to)));
    this.openAtFirst(this.graph);
    if (this.query) this.matches = searchNodes(this.graph, this.query);
    this.source.show(this.graph);
    this.rebuild(same ? null : "start");
    if (this.chosen) this.reveal();
    this.showTab();
  }

  /** The node in another stage that a node is; null where it is not. */
  follow({ graph, node }, from, to) {
    let [number, index] = [graph.number, node.index];
    const step = to > from ? 1 : -1;
    for (let at = from; at !== to; at += step) {
      const diffs = STAGES[step > 0 ? at + 1 : at].diffs;
      if (!diffs.length) continue;
      const diff = diffs.find((d) => (step > 0 ? d.before : d.after) === number);
      if (!diff) continue;
      index = step > 0 ? diff.pairs.indexOf(index) : diff.pairs[index];
      number = step > 0 ? diff.after : diff.before;
      if (index < 0) return null;
    }
    const found = graphOf(number);
    const isThere = [...walk(graphOf(STAGES[to].graph))].some((one) => one.graph === found);
    return isThere ? { graph: found, node: found.nodes[index] } : null;
  }

  /** Shows a node of a stage. */
  jump(at, graph, index, isMoving = true) {
    this.chosen = null;
    if (at !== this.index) this.setStage(at);
    this.choose(graph, index, isMoving);
  }

  openAtFirst(graph) {
    if (this.seen.has(graph.number)) return;
    this.seen.add(graph.number);
    const all = graph.nodes.reduce((sum, node) => sum + weight(node), 0);
    if (all <= OPENED) this.setAll(graph, true);
  }

  setAll(graph, isOpen) {
    const set = (key) => (isOpen ? this.open.add(key) : this.open.delete(key));
    graph.groups.forEach((group) => set(group.key));
    for (const node of graph.nodes) {
      if (!node.regions.length) continue;
      set(node.key);
      node.regions.forEach((r) => this.setAll(graphOf(r), isOpen));
    }
  }

  openAll(isOpen) {
    this.setAll(this.graph, isOpen);
    this.rebuild("start");
  }

  toggle(key) {
    if (!this.open.delete(key)) this.open.add(key);
    const anchor = this.boxes.get(key);
    const [x, y] = anchor ? [anchor.left, anchor.top] : [0, 0];
    this.rebuild(null);
    const box = this.boxes.get(key);
    const { scale } = this.drawing;
    if (anchor && box) this.drawing.pan((x - box.left) * scale, (y - box.top) * scale);
  }

  /** Lays out what is open. `view` is "start", "fit" or null to leave the view. */
  rebuild(view) {
    const level = new Builder(this.open).level(this.graph, null, [], null);
    const scene = flatten(level);
    this.boxes = new Map(scene.boxes.filter((box) => box.key).map((box) => [box.key, box]));
    this.most = 0;
    for (const box of scene.boxes) {
      if (!(box.level || box.panels)) this.most = Math.max(this.most, this.amount(box));
    }
    this.updateNear();
    this.drawing.show(scene);
    if (view) this.drawing[view]();
    this.showLegend();
  }

  // What boxes look like.

  /** "added" or "changed" where this stage made or changed a node; "removed" where the next one drops it. */
  stateOf(graph, index) {
    if (this.index > 0) {
      const state = differencesOf(this.stage).get(graph.number)?.states.get(index);
      if (state) return state;
    }
    return this.isLost(graph, index) ? "removed" : "";
  }

  isLost(graph, index) {
    const next = STAGES[this.index + 1];
    return Boolean(next && losesOf(next).get(graph.number)?.has(index));
  }

  classOf(box) {
    const found = [box.kind];
    if (box.level || box.panels) found.push("open");
    if (box.node) {
      const state = this.stateOf(box.graph, box.node.index);
      if (state) found.push(state);
      if (this.chosen?.node === box.node) found.push("picked");
      if (this.near.keys.has(box.node.place?.key)) found.push("hot");
      if (this.match >= 0 && this.matchSet.has(box.node)) found.push("found");
    } else if (box.group) {
      if (!box.level && this.holdsNear(box)) found.push("hot");
      if (this.pickedGroup === box.key) found.push("picked");
    }
    const phase = phaseOf(box.graph, box);
    if (phase && this.overlay === "phase") found.push(`phase-${phase}`);
    if (this.isShaded(box)) found.push("shaded");
    return found.join(" ");
  }

  holdsNear(box) {
    if (!this.near.keys.size) return false;
    for (let i = box.group.first; i < box.group.last; i += 1) {
      if (this.near.keys.has(box.graph.nodes[i].place?.key)) return true;
    }
    return false;
  }

  isShaded(box) {
    return (box.node || box.group) && !box.level && !box.panels && !["kind", "phase"].includes(this.overlay);
  }

  /** What the overlay counts of a box. */
  amount(box) {
    if (!box.node && !box.group) return 0;
    const [first, last] = box.node ? [box.node.index, box.node.index + 1] : [box.group.first, box.group.last];
    let sum = 0;
    for (let i = first; i < last; i += 1) sum += this.amountOf(box.graph, box.graph.nodes[i]);
    return sum;
  }

  amountOf(graph, node) {
    if (this.overlay === "size") {
      return node.results.reduce((sum, v) => sum + typeBytes(graph.values[v].type), 0);
    }
    return this.overlay === "bytes" ? node.bytes : this.overlay === "flops" ? node.flops : 0;
  }

  shadeOf(box) {
    if (!this.isShaded(box)) return "";
    const part = this.most ? Math.round(100 * Math.sqrt(this.amount(box) / this.most)) : 0;
    return `color-mix(in srgb, var(--heat) ${Math.min(part, 100)}%, var(--raised))`;
  }

  badgesOf(box) {
    if (!box.group || box.level) return [];
    const counts = { removed: 0, changed: 0, added: 0 };
    for (let i = box.group.first; i < box.group.last; i += 1) {
      const state = this.stateOf(box.graph, i);
      if (state) counts[state] += 1;
    }
    const signs = { removed: "−", changed: "~", added: "+" };
    return Object.entries(counts).filter(([, n]) => n).map(([kind, n]) => [kind, signs[kind] + n]);
  }

  showLegend() {
    const legend = byId("legend");
    legend.replaceChildren();
    const add = (color, text, border) => {
      const swatch = textElement("span", "", "swatch");
      if (color) swatch.style.background = `var(--${color})`;
      if (border) swatch.style.borderColor = `var(--${border})`;
      legend.append(swatch, text);
    };
    if (this.overlay === "phase") {
      add("forward", "forward");
      add("backward", "backward");
    } else if (this.overlay !== "kind") {
      const text = this.overlay === "flops" ? `${countText(this.most)} FLOPs` : bytesText(this.most);
      legend.append("0", textElement("span", "", "scale"), text);
    }
    const states = new Set(this.index ? [...differencesOf(this.stage).values()].flatMap((d) => [...d.states.values()]) : []);
    if (states.has("added")) add("", "new here", "added");
    if (states.has("changed")) add("", "changed here", "changed");
    if (this.graph.plan) add("inplace", "in place of the operand");
    if (this.graph.phases) add("paper", "dotted: kept for the backward pass", "inplace");
    const next = STAGES[this.index + 1];
    if (next && [...losesOf(next).values()].some((gone) => gone.size)) add("", "gone in the next stage", "removed");
    legend.hidden = !legend.childNodes.length;
  }

  // Pointing and choosing.

  hover(item, event) {
    const tip = byId("tip");
    if (item === this.hovered && item) return this.moveTip(event);
    this.hovered = item;
    const text = item ? tipText(item) : "";
    tip.hidden = !text;
    tip.textContent = text;
    if (text) this.moveTip(event);
    const place = item?.box?.node?.place;
    this.near.keys = new Set(place ? [place.key] : []);
    this.source.light(place ? [place.key] : item?.box?.group ? placesOf(item.box) : []);
    this.updateNear();
    this.drawing.refresh();
    return undefined;
  }

  moveTip(event) {
    const bounds = byId("canvas").getBoundingClientRect();
    const tip = byId("tip");
    const x = Math.min(event.clientX - bounds.left + 14, bounds.width - tip.offsetWidth - 6);
    const below = event.clientY - bounds.top + 16;
    const isRoom = below + tip.offsetHeight < bounds.height;
    tip.style.left = `${Math.max(4, x)}px`;
    tip.style.top = `${isRoom ? below : Math.max(4, below - tip.offsetHeight - 28)}px`;
  }

  hoverPlace(key) {
    if (key === (this.overPlace ?? null)) return;
    this.overPlace = key;
    this.near.keys = new Set(key ? [key] : []);
    this.source.light(key ? [key] : []);
    this.drawing.refresh();
  }

  /** Which lines are drawn strong: those of the box that is pointed at, or chosen. */
  updateNear() {
    const box = this.hovered?.box ?? (this.chosen ? this.boxes?.get(this.chosen.node.key) : null);
    this.near.box = box && !box.level ? box : null;
    this.near.edge = this.hovered?.edge ?? null;
  }

  isNear(edge) {
    if (this.near.edge) return edge.value === this.near.edge.value && edge.graph === this.near.edge.graph;
    const { box } = this.near;
    if (!box || box.kind === "port") return false;
    if (edge.from === box || edge.to === box) return true;
    return Boolean(box.node) && edge.graph === box.graph
      && (box.node.results.includes(edge.value));
  }

  click(box, isDouble) {
    this.pickedGroup = box?.group ? box.key : null;
    if (box?.group) return this.toggle(box.key);
    if (!box?.node) return this.choose(null);
    if (isDouble && box.node.regions.length) this.toggle(box.key);
    return this.choose(box.graph, box.node.index);
  }

  choose(graph, index, isMoving = false) {
    this.chosen = graph ? { graph, node: graph.nodes[index] } : null;
    if (this.chosen) this.pickedGroup = null;
    if (isMoving) this.reveal();
    this.updateNear();
    this.drawing.refresh();
    this.source.pick(this.chosen?.node.place?.key ?? null);
    if (this.tab === "text") markText(byId("page"), this);
    else if (this.tab === "node") this.showTab();
    else if (this.tab === "memory" && this.chosen?.graph.plan) this.markMemory();
  }

  markMemory() {
    const { graph, node } = this.chosen;
    if (byId("page").querySelector("svg.memory") && (this.planned < 0 || this.planned === graph.number)) {
      markStep(byId("page"), graph, node.index);
    }
  }

  /** Opens what holds the chosen node, and brings it into sight. */
  reveal() {
    const { graph, node } = this.chosen;
    const one = [...walk(this.graph)].find((x) => x.graph === graph && x.node === node);
    if (!one) return;
    const steps = [...one.path, { graph, node }];
    const keys = steps.flatMap((step) => groupsAround(step.graph, step.node.index).map((g) => g.key));
    keys.push(...one.path.map((step) => step.node.key));
    const isClosed = keys.some((key) => !this.open.has(key));
    keys.forEach((key) => this.open.add(key));
    if (isClosed) this.rebuild(null);
    const box = this.boxes.get(node.key);
    if (box) this.drawing.reveal(box, isClosed);
  }

  /** Chooses the first node of a line; the next one when one of its nodes is chosen. */
  pickPlace(key) {
    const found = [...walk(this.graph)].filter((one) => one.node.place?.key === key);
    if (!found.length) return this.source.pick(key);
    const at = found.findIndex((one) => one.node === this.chosen?.node);
    const next = found[(at + 1) % found.length];
    return this.choose(next.graph, next.node.index, true);
  }

  step(by) {
    const all = [...walk(this.graph)];
    if (!all.length) return;
    const at = all.findIndex((one) => one.node === this.chosen?.node);
    const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : (at + by + all.length) % all.length];
    this.choose(next.graph, next.node.index, true);
  }

  // Search.

  get matchSet() {
    if (this.matchesOf !== this.matches) {
      this.matchesOf = this.matches;
      this.held = new Set(this.matches.map((one) => one.node));
    }
    return this.held;
  }

  search(query) {
    this.query = query;
    this.matches = searchNodes(this.graph, query);
    this.match = this.matches.length ? 0 : -1;
    this.showMatch();
  }

  nextMatch(by) {
    if (!this.matches.length) return;
    this.match = (this.match + by + this.matches.length) % this.matches.length;
    this.showMatch();
  }

  showMatch() {
    const count = this.matches.length;
    byId("search-count").textContent = this.query ? `${count ? this.match + 1 : 0}/${count}` : "";
    const one = this.matches[this.match];
    if (one) this.choose(one.graph, one.node.index, true); else this.drawing.refresh();
  }

  // Panel, colors, theme.

  showTab(tab = this.tab) {
    this.tab = tab;
    for (const button of byId("tabs").children) {
      button.setAttribute("aria-selected", String(button.dataset.tab === tab));
    }
    const page = byId("page");
    if (tab === "node") showNode(page, this.chosen, this);
    else if (tab === "changes") showChanges(page, this);
    else if (tab === "memory") showMemory(page, this);
    else showText(page, this);
  }

  setOverlay(name) {
    this.overlay = name;
    byId("overlay").value = name;
    this.rebuild(null);
  }

  toggleTheme() {
    const root = document.documentElement;
    const isDark = root.dataset.theme
      ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = isDark ? "light" : "dark";
  }

  /** How many nodes the stage has, and how many are drawn: for tests. */
  counts() {
    return {
      nodes: [...walk(this.graph)].length,
      boxes: [...this.boxes.values()].filter((box) => box.node).length,
      inSight: document.querySelectorAll("#canvas [data-node]").length,
    };
  }
}

/** Bytes of a tensor type as its text says; nothing for symbolic sizes. */
function typeBytes(text) {
  const parts = /^(?:bool|[a-z]+?(\d+))\[([\d,]*)\]$/.exec(text);
  if (!parts) return 0;
  const bytes = parts[1] ? Number(parts[1]) / 8 : 1;
  return parts[2].split(",").filter(Boolean).reduce((size, n) => size * Number(n), bytes);
}

function placesOf(box) {
  const nodes = box.graph.nodes.slice(box.group.first, box.group.last);
  return [...new Set(nodes.map((node) => node.place?.key).filter(Boolean))];
}

function tipText({ box, edge }) {
  if (edge) return `${edge.graph.values[edge.value].name}: ${edge.graph.values[edge.value].type}`;
  if (box.node) {
    const place = box.node.place ? `\n${placeText(box.node.place)}` : "";
    return nodeLine(box.graph, box.node) + place;
  }
  if (box.group) return `${box.group.label}: ${plural(box.count, "node")}; click to ${box.level ? "close" : "open"}`;
  const values = box.values ?? [box.value];
  return values.slice(0, 12).map((v) => `${box.graph.values[v].name}: ${box.graph.values[v].type}`).join("\n");
}
