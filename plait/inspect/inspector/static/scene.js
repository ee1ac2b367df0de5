// Nested boxes of what is open: a level is a graph, or a group of it, laid out on its own.

const HEAD_WIDTH = 7.35;
const SMALL_WIDTH = 6.4;
const LINE_HEIGHT = 15;
const PADDING = 14;
const HEADER = 24;
/** Inputs and outputs beyond this are drawn together where they go to one box. */
const MOST_ENDS = 24;
const LONGEST = 54;

function cut(text, limit = LONGEST) {
  if (text.length <= limit) return text;
  const head = Math.floor((limit - 1) * 2 / 3);
  return `${text.slice(0, head)}…${text.slice(text.length - (limit - 1 - head))}`;
}

/** Values that a group takes from outside, and those that it gives. */
function endsOf(graph, group) {
  if (!group.ends) {
    const ins = new Set();
    const outs = new Set();
    for (let i = group.first; i < group.last; i += 1) {
      const node = graph.nodes[i];
      for (const value of node.operands) {
        const maker = graph.values[value].node;
        if (maker < group.first || maker >= group.last) ins.add(value);
      }
      for (const value of node.results) {
        const { users, isOutput } = graph.values[value];
        if (isOutput || users.some((u) => u < group.first || u >= group.last)) outs.add(value);
      }
    }
    group.ends = { ins: [...ins], outs: [...outs] };
  }
  return group.ends;
}

/** The groups and lone nodes that a level shows, in program order. */
function membersOf(graph, holder) {
  const groups = holder ? holder.children : graph.roots;
  const found = [];
  let next = 0;
  for (let i = holder ? holder.first : 0; i < (holder ? holder.last : graph.nodes.length);) {
    const group = groups[next];
    if (group && group.first === i) {
      found.push({ group });
      next += 1;
      i = group.last;
    } else {
      found.push({ node: graph.nodes[i] });
      i += 1;
    }
  }
  return found;
}

/** Builds levels for what is open. `fate` is "added" inside of what is new, else null. */
class Builder {
  constructor(open) { this.open = open; }

  level(graph, holder, path, fate) {
    const level = { graph, boxes: [], edges: [], stubs: [], ports: new Map(), exits: new Map() };
    const made = new Map();
    const bottom = new Set();
    const members = membersOf(graph, holder);
    const starts = holder ? endsOf(graph, holder).ins.map((v) => [v]) : this.inputs(graph, members);
    for (const values of starts) {
      for (const value of values) made.set(value, [level.boxes.length, 0.5]);
      if (holder) level.ports.set(values[0], level.boxes.length);
      level.boxes.push(holder ? portBox(graph, values[0]) : endBox(graph, values, "input"));
    }
    for (const member of members) {
      const box = member.group
        ? this.groupBox(graph, member.group, path, fate)
        : this.nodeBox(graph, member.node, path, fate);
      this.connect(level, box, made);
      for (const [value, port] of box.outs) made.set(value, [level.boxes.length, port]);
      level.boxes.push(box);
    }
    const outs = holder ? endsOf(graph, holder).outs.map((v) => [v]) : outputsOf(graph, made);
    for (const values of outs) {
      const box = holder ? portBox(graph, values[0]) : endBox(graph, values, "output");
      box.ins = values.map((value) => [value, 0.5]);
      bottom.add(level.boxes.length);
      if (holder) level.exits.set(values[0], level.boxes.length);
      this.connect(level, box, made);
      level.boxes.push(box);
    }
    return place(level, bottom);
  }

  /** Inputs one by one; those of many that go to the same box together. */
  inputs(graph, members) {
    if (graph.inputs.length <= MOST_ENDS) return graph.inputs.map((v) => [v]);
    const places = new Map();
    members.forEach(({ group, node }, i) => {
      for (const value of group ? endsOf(graph, group).ins : node.operands) {
        if (graph.values[value].node < 0) places.set(value, `${places.get(value) ?? ""},${i}`);
      }
    });
    return bundled(graph.inputs, (value) => places.get(value) ?? "");
  }

  connect(level, box, made) {
    const seen = new Set();
    for (const [value, into, kind] of box.ins) {
      if (!made.has(value)) continue;
      const [source, out] = made.get(value);
      const key = box.group && !box.level ? source : `${source}:${value}:${into}`;
      if (seen.has(key)) continue;
      seen.add(key);
      const { graph } = level;
      const from = level.boxes[source];
      const crossing = phaseOf(graph, from) === "f" && phaseOf(graph, box) === "b";
      const token = graph.values[value].type === "token";
      level.edges.push({
        source, target: level.boxes.length, out, into, value, graph,
        isFree: (box.node && COMMUTATIVE.has(box.node.op)) || (box.group && !box.level),
        kind: kind || (crossing ? "crossing" : token ? "token" : ""),
      });
    }
  }

  nodeBox(graph, node, path, fate) {
    const isOpen = node.regions.length > 0 && this.open.has(node.key);
    const mark = node.regions.length ? (isOpen ? "▾ " : "▸ ") : "";
    const shown = node.attributes && node.attributes.length <= 34 ? ` ${node.attributes}` : "";
    const lines = [mark + node.op + shown];
    const names = node.results.map((v) => graph.values[v].name);
    if (names.length) {
      const types = [...new Set(node.results.map((v) => graph.values[v].type))];
      const left = names.length > 2 ? `${names[0]} … ${names.at(-1)}` : names.join(", ");
      lines.push(cut(`${left}: ${types.join(", ")}`));
    }
    const step = graph.plan ? graph.plan.steps[node.index] : null;
    lines.push(...storageLines(graph, node, step));
    if (node.regions.length && !isOpen) lines.push(plural(weight(node) - 1, "node") + " inside");
    const box = { kind: node.kind, graph, node, path, lines, fate, key: node.key, outs: new Map() };
    const count = node.operands.length;
    box.ins = node.operands.map((value, i) => [
      value, (i + 1) / (count + 1), step && step[1] === i ? "in-place" : "",
    ]);
    node.results.forEach((v, i) => box.outs.set(v, (i + 1) / (node.results.length + 1)));
    measure(box);
    if (isOpen) this.addPanels(box, path);
    return box;
  }

  /** The regions of a node, side by side below its text. */
  addPanels(box, path) {
    const inner = [...path, { graph: box.graph, node: box.node }];
    box.header = box.height;
    box.panels = box.node.regions.map((number) => {
      const region = graphOf(number);
      const level = this.level(region, null, inner, fateIn(box));
      const label = region.name;
      const width = Math.max(level.width, label.length * SMALL_WIDTH) + 2 * PADDING;
      return { label, level, width, height: level.height + PADDING + HEADER };
    });
    const wide = box.panels.reduce((sum, p) => sum + p.width + PADDING, PADDING);
    let x = PADDING + Math.max(0, box.width - wide) / 2;
    box.width = Math.max(box.width, wide);
    for (const panel of box.panels) {
      panel.x = x;
      panel.y = box.header;
      x += panel.width + PADDING;
    }
    box.height += Math.max(...box.panels.map((p) => p.height)) + PADDING;
  }

  groupBox(graph, group, path, fate) {
    const isOpen = this.open.has(group.key);
    let count = 0;
    for (let i = group.first; i < group.last; i += 1) count += weight(graph.nodes[i]);
    const lines = [`${isOpen ? "▾" : "▸"} ${cut(group.label)}`];
    if (!isOpen) lines.push(`${plural(count, "node")}: ${cut(opsText(graph, group), 60)}`);
    const box = {
      kind: "group", graph, group, path, lines, fate, key: group.key, outs: new Map(), ins: [], count,
    };
    measure(box);
    const { ins, outs } = endsOf(graph, group);
    if (!isOpen) {
      box.ins = ins.map((value, i) => [value, (i + 1) / (ins.length + 1)]);
      outs.forEach((v, i) => box.outs.set(v, (i + 1) / (outs.length + 1)));
      return box;
    }
    const level = this.level(graph, group, path, fate);
    box.header = HEADER;
    box.level = level;
    const text = box.width;
    box.width = Math.max(text, level.width + 2 * PADDING);
    box.shift = (box.width - level.width) / 2;
    box.height = level.height + HEADER + 2 * PADDING;
    const port = (i) => {
      const inner = level.boxes[i];
      return (box.shift + inner.x + inner.width / 2) / box.width;
    };
    box.ins = ins.map((value) => [value, port(level.ports.get(value))]);
    for (const value of outs) box.outs.set(value, port(level.exits.get(value)));
    return box;
  }
}

function fateIn(box) { return box.fate || null; }

/** "f" or "b" for a box of a gradient; "fb" where a group holds both. */
function phaseOf(graph, box) {
  const outer = box.path?.[0];
  if (outer) return outer.graph.phases ? outer.graph.phases[outer.node.index] : "";
  if (!graph.phases) return "";
  if (box.node) return graph.phases[box.node.index];
  if (!box.group) return "";
  const part = graph.phases.slice(box.group.first, box.group.last);
  return (part.includes("f") ? "f" : "") + (part.includes("b") ? "b" : "");
}

function opsText(graph, group) {
  const counts = new Map();
  for (let i = group.first; i < group.last; i += 1) {
    const { op } = graph.nodes[i];
    counts.set(op, (counts.get(op) ?? 0) + 1);
  }
  const order = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  const shown = order.slice(0, 4).map(([op, n]) => (n > 1 ? `${op} ×${n}` : op)).join(", ");
  return order.length > 4 ? `${shown}, …` : shown;
}

function storageLines(graph, node, step) {
  if (!step) return [];
  const [slots, inPlace, view] = step;
  const found = [];
  if (inPlace >= 0) found.push(`in place of ${graph.values[node.operands[inPlace]].name}`);
  if (view >= 0) found.push(`view of ${graph.values[node.operands[view]].name}`);
  const held = slots.filter((s) => s >= 0);
  if (held.length) found.push(cut(`slot ${held.join(", ")}`));
  return found.length ? [found.join(", ")] : [];
}

function measure(box) {
  const widths = box.lines.map((line, i) => line.length * (i ? SMALL_WIDTH : HEAD_WIDTH));
  box.width = Math.max(46, ...widths.map((w) => w + 20));
  box.height = 11 + LINE_HEIGHT * box.lines.length;
  box.header = box.height;
}

function portBox(graph, value) {
  return {
    kind: "port", graph, value, lines: [], width: 7, height: 7, header: 7, key: "",
    ins: [], outs: new Map([[value, 0.5]]),
  };
}

function endBox(graph, values, kind) {
  const first = graph.values[values[0]];
  const lines = values.length === 1
    ? [kind === "input" ? first.name : `return ${first.name}`, first.type]
    : [plural(values.length, kind), cut(values.slice(0, 4).map((v) => graph.values[v].name).join(", "))];
  const box = {
    kind, graph, values, lines, ins: [], key: `${graph.number}:${kind}${values[0]}`,
    outs: new Map(values.map((v) => [v, 0.5])),
  };
  measure(box);
  return box;
}

function bundled(values, keyOf) {
  const found = new Map();
  for (const value of values) {
    const key = keyOf(value);
    if (!found.has(key)) found.set(key, []);
    found.get(key).push(value);
  }
  return [...found.values()];
}

function outputsOf(graph, made) {
  if (graph.outputs.length <= MOST_ENDS) return graph.outputs.map((v) => [v]);
  return bundled(graph.outputs, (value) => made.get(value)[0]);
}

/** Gives the boxes of a level their places. */
function place(level, bottom) {
  const sizes = level.boxes.map((box) => [box.width, box.height]);
  const found = layOut(sizes, level.edges, bottom);
  level.boxes.forEach((box, i) => { [box.x, box.y] = found.corners[i]; });
  level.edges.forEach((edge, i) => { edge.points = found.routes[i]; });
  level.width = found.width;
  level.height = found.height;
  return level;
}

/** Everything of a level with its place on the page; what is outer stands before what is in it. */
function flatten(level) {
  const scene = { boxes: [], items: [], edges: [], width: level.width, height: level.height };
  const visit = (one, x, y) => {
    for (const edge of one.edges) {
      scene.edges.push({
        ...edge, points: edge.points.map(([px, py]) => [px + x, py + y]),
        from: one.boxes[edge.source], to: one.boxes[edge.target],
      });
    }
    for (const box of one.boxes) {
      box.left = box.x + x;
      box.top = box.y + y;
      scene.boxes.push(box);
      scene.items.push({ box, bounds: [box.left, box.top, box.width, box.height] });
      for (const panel of box.panels ?? []) {
        const frame = { ...panel, x: box.left + panel.x, y: box.top + panel.y };
        scene.items.push({ frame, bounds: [frame.x, frame.y, frame.width, frame.height] });
        const inset = (panel.width - panel.level.width) / 2;
        visit(panel.level, frame.x + inset, frame.y + HEADER);
      }
      if (box.level) visitGroup(scene, box, visit);
    }
  };
  visit(level, 0, 0);
  return scene;
}

/** The inside of an open group, and the short lines from its border to its ports. */
function visitGroup(scene, box, visit) {
  const x = box.left + box.shift;
  const y = box.top + HEADER + PADDING;
  visit(box.level, x, y);
  const stub = (port, isIn, value) => {
    const middle = port.left + port.width / 2;
    const ends = isIn ? [box.top, port.top] : [port.top + port.height, box.top + box.height];
    scene.edges.push({
      points: ends.map((end) => [middle, end]), kind: "", value, graph: box.graph, from: port, to: port,
    });
  };
  for (const [value, i] of box.level.ports) stub(box.level.boxes[i], true, value);
  for (const [value, i] of box.level.exits) stub(box.level.boxes[i], false, value);
}
