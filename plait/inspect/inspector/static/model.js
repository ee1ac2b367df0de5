// The document as objects: graphs with nodes, values and groups, decoded when first shown.

const DATA = JSON.parse(document.getElementById("plait-data").textContent);
const STRINGS = DATA.strings;
const PLACES = DATA.locations.map(([file, line, name]) => ({
  file: STRINGS[file], line, name: STRINGS[name], key: `${STRINGS[file]}:${line}`,
}));
const STAGES = DATA.stages;
const COMMUTATIVE = new Set(DATA.commutative);
const GRAPHS = new Map();

/** A graph of the document; the same object for the same number. */
function graphOf(number) {
  if (!GRAPHS.has(number)) GRAPHS.set(number, decodeGraph(number, DATA.graphs[number]));
  return GRAPHS.get(number);
}

function decodeGraph(number, raw) {
  const graph = { number, name: raw.name, values: [], nodes: [], inputs: [], outputs: raw.outputs };
  raw.inputs.forEach(([name, type]) => {
    graph.inputs.push(graph.values.length);
    graph.values.push(newValue(name, type, -1));
  });
  raw.nodes.forEach((one, index) => graph.nodes.push(decodeNode(graph, one, index)));
  graph.outputs.forEach((value) => { graph.values[value].isOutput = true; });
  graph.groups = raw.groups.map(([first, last, label, parent], index) => ({
    index, first, last, label, parent, children: [], key: `${number}:g${index}`,
  }));
  graph.roots = [];
  graph.groups.forEach((group) => {
    (group.parent < 0 ? graph.roots : graph.groups[group.parent].children).push(group);
  });
  graph.phases = raw.phases;
  graph.plan = raw.plan || null;
  return graph;
}

function newValue(name, type, node) {
  return { name: STRINGS[name], type: STRINGS[type], node, users: [], isOutput: false };
}

function decodeNode(graph, raw, index) {
  const [op, kind, operands, typed, attributes, place, regions, flops, bytes, known] = raw;
  const node = {
    index, op: STRINGS[op], kind: STRINGS[kind], operands, attributes: STRINGS[attributes],
    place: place < 0 ? null : PLACES[place], regions, flops, bytes, known: known === 1, results: [],
    key: `${graph.number}:${index}`,
  };
  operands.forEach((value) => {
    const users = graph.values[value].users;
    if (users[users.length - 1] !== index) users.push(index);
  });
  for (let i = 0; i < typed.length; i += 2) {
    node.results.push(graph.values.length);
    graph.values.push(newValue(typed[i], typed[i + 1], index));
  }
  return node;
}

/** All nodes of a graph, those of its regions after the node that holds them. */
function* walk(graph, path = []) {
  for (const node of graph.nodes) {
    yield { graph, node, path };
    for (const region of node.regions) yield* walk(graphOf(region), [...path, { graph, node }]);
  }
}

/** How many nodes a node stands for: itself and those of its regions. */
function weight(node) {
  if (node.weight === undefined) {
    node.weight = 1;
    for (const region of node.regions) {
      for (const inner of graphOf(region).nodes) node.weight += weight(inner);
    }
  }
  return node.weight;
}

/** A node as a line of the text form. */
function nodeLine(graph, node) {
  const name = (value) => graph.values[value].name;
  const left = node.results.map((v) => `${name(v)}: ${graph.values[v].type}`).join(", ");
  const operands = node.operands.map(name);
  const shown = operands.length > 12 ? [...operands.slice(0, 11), "…", operands.at(-1)] : operands;
  const attributes = node.attributes ? ` {${node.attributes}}` : "";
  return `${left}${left ? " = " : ""}${node.op}(${shown.join(", ")})${attributes}`;
}

function placeText(place) {
  if (!place) return "";
  return `${place.file}:${place.line}${place.name ? `, in ${place.name}` : ""}`;
}

/** The group of a graph that holds a node most closely, with all groups around it, outermost first. */
function groupsAround(graph, index) {
  const found = [];
  let level = graph.roots;
  for (;;) {
    const group = level.find((one) => one.first <= index && index < one.last);
    if (!group) return found;
    found.push(group);
    level = group.children;
  }
}

/** What a stage changed, by graph: states of its nodes ("added", "changed"), and what was there. */
function differencesOf(stage) {
  if (!stage.marks) {
    stage.marks = new Map();
    for (const diff of stage.diffs) {
      const states = new Map();
      diff.pairs.forEach((before, after) => {
        if (before < 0) states.set(after, "added");
        else if (after in diff.changed) states.set(after, "changed");
      });
      stage.marks.set(diff.after, { ...diff, states });
    }
  }
  return stage.marks;
}

/** What the next stage will remove, by graph. */
function losesOf(stage) {
  if (!stage.losses) {
    stage.losses = new Map();
    for (const diff of stage.diffs) {
      const kept = new Set(diff.pairs);
      const gone = new Set();
      DATA.graphs[diff.before].nodes.forEach((_, index) => { if (!kept.has(index)) gone.add(index); });
      stage.losses.set(diff.before, gone);
    }
  }
  return stage.losses;
}

function bytesText(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  const units = ["KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = -1;
  while (value >= 1024 && unit < units.length - 1) { value /= 1024; unit += 1; }
  return `${value >= 100 ? value.toFixed(0) : value.toFixed(1)} ${units[unit]}`;
}

function countText(count) { return count.toLocaleString("en"); }

function plural(count, noun) { return `${countText(count)} ${noun}${count === 1 ? "" : "s"}`; }
