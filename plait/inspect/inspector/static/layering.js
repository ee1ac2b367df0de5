// Layers of a drawing: ranks by longest path, then an order in each layer with few crossings.

const ORDER_SWEEPS = 10;
/** Longer edges, and all edges when there are many bends, are not led around boxes. */
const MOST_BENDS = 3000;

/** The layer of each vertex: below its sources, and near its targets if that is shorter. */
function rankVertices(count, edges, bottom) {
  const sources = Array.from({ length: count }, () => []);
  const targets = Array.from({ length: count }, () => []);
  for (const edge of edges) {
    sources[edge.target].push(edge.source);
    targets[edge.source].push(edge.target);
  }
  const ranks = new Array(count).fill(0);
  for (let v = 0; v < count; v += 1) {
    for (const u of sources[v]) ranks[v] = Math.max(ranks[v], ranks[u] + 1);
  }
  const last = Math.max(0, ...ranks);
  for (const v of bottom) ranks[v] = last;
  for (let v = count - 1; v >= 0; v -= 1) {
    const below = new Set(targets[v].filter((t) => !bottom.has(t))).size;
    if (below > new Set(sources[v]).size || (targets[v].length && !sources[v].length)) {
      ranks[v] = Math.min(...targets[v].map((t) => ranks[t])) - 1;
    }
  }
  return ranks;
}

/** Vertices in layers, long edges cut at each layer by a bend: a vertex of their own. */
function layerVertices(count, edges, bottom) {
  const ranks = rankVertices(count, edges, bottom);
  const top = Math.min(0, ...ranks);
  for (let v = 0; v < count; v += 1) ranks[v] -= top;
  const layers = Array.from({ length: Math.max(-1, ...ranks) + 1 }, () => []);
  for (let v = 0; v < count; v += 1) layers[ranks[v]].push(v);
  const { chains, total } = cutEdges(count, edges, ranks, layers);
  const loose = edges.map((edge) => (edge.isFree ? { ...edge, into: 0.5 } : edge));
  const ordered = orderLayers(layers, linksOf(loose, chains), total);
  settlePorts(edges, chains, ordered);
  return { layers: ordered, chains, links: linksOf(edges, chains), total };
}

/** Gives lines into a box that does not care their ports from left to right. */
function settlePorts(edges, chains, layers) {
  const position = new Map(layers.flatMap((layer) => layer.map((v, i) => [v, i])));
  const incoming = new Map();
  edges.forEach((edge, i) => {
    if (!edge.isFree) return;
    if (!incoming.has(edge.target)) incoming.set(edge.target, []);
    incoming.get(edge.target).push([edge, position.get(chains[i].at(-2))]);
  });
  for (const found of incoming.values()) {
    const ports = found.map(([edge]) => edge.into).sort((a, b) => a - b);
    found.sort((a, b) => a[1] - b[1] || a[0].out - b[0].out);
    found.forEach(([edge], i) => { edge.into = ports[i]; });
  }
}

/** The lines from layer to layer, each once. */
function linksOf(edges, chains) {
  const links = new Map();
  edges.forEach((edge, i) => {
    const chain = chains[i];
    for (let k = 0; k + 1 < chain.length; k += 1) {
      const link = {
        source: chain[k], target: chain[k + 1],
        out: k === 0 ? edge.out : 0.5,
        into: k === chain.length - 2 ? edge.into : 0.5,
      };
      links.set(`${link.source} ${link.target} ${link.out} ${link.into}`, link);
    }
  });
  return [...links.values()];
}

/** The vertices that each edge goes through; edges from one port share their bends. */
function cutEdges(count, edges, ranks, layers) {
  let total = count;
  const bends = new Map();
  const chains = edges.map((edge) => {
    const chain = [edge.source];
    const first = ranks[edge.source] + 1;
    if (total - count + ranks[edge.target] - first <= MOST_BENDS) {
      for (let level = first; level < ranks[edge.target]; level += 1) {
        const key = `${edge.source} ${edge.out} ${level}`;
        if (!bends.has(key)) {
          bends.set(key, total);
          layers[level].push(total);
          total += 1;
        }
        chain.push(bends.get(key));
      }
    }
    chain.push(edge.target);
    return chain;
  });
  return { chains, total };
}

function orderLayers(layers, links, total) {
  const above = Array.from({ length: total }, () => []);
  const below = Array.from({ length: total }, () => []);
  for (const link of links) {
    above[link.target].push(link);
    below[link.source].push(link);
  }
  const first = improveOrder(layers, above, below, total);
  if (first.crossings === 0) return first.layers;
  const mirrored = layers.map((layer) => layer.slice().reverse());
  const second = improveOrder(mirrored, above, below, total);
  return second.crossings < first.crossings ? second.layers : first.layers;
}

/** Sweeps down and up, and keeps the best order that it sees. */
function improveOrder(start, above, below, total) {
  const layers = start.map((layer) => layer.slice());
  const position = new Array(total).fill(0);
  const lengths = new Array(total).fill(1);
  for (const layer of layers) for (const v of layer) lengths[v] = layer.length;
  const place = (layer) => layer.forEach((v, i) => { position[v] = i; });
  layers.forEach(place);
  let best = layers.map((layer) => layer.slice());
  let crossings = countCrossings(layers, below, position);
  for (let sweep = 0; sweep < ORDER_SWEEPS && crossings > 0; sweep += 1) {
    const down = sweep % 2 === 0;
    for (const layer of down ? layers : layers.slice().reverse()) {
      const keys = new Map();
      for (const v of layer) keys.set(v, barycenter(v, down ? above : below, down ? below : above, position, lengths));
      layer.sort((a, b) => keys.get(a) - keys.get(b) || position[a] - position[b]);
      place(layer);
    }
    exchangeNeighbors(layers, above, below, position);
    const found = countCrossings(layers, below, position);
    if (found < crossings) {
      best = layers.map((layer) => layer.slice());
      crossings = found;
    }
  }
  return { layers: best, crossings };
}

/** Exchanges neighbors in a layer where that uncrosses lines. */
function exchangeNeighbors(layers, above, below, position) {
  for (const layer of layers) {
    for (let i = 0; i + 1 < layer.length; i += 1) {
      const [u, v] = [layer[i], layer[i + 1]];
      if (gainOf(u, v, above, below, position) <= 0) continue;
      [layer[i], layer[i + 1]] = [v, u];
      [position[u], position[v]] = [position[v], position[u]];
    }
  }
}

/** How many crossings go when two neighbors are exchanged. */
function gainOf(u, v, above, below, position) {
  const upper = (link) => position[link.source] + link.out;
  const lower = (link) => position[link.target] + link.into;
  let gain = 0;
  for (const [links, end] of [[above, upper], [below, lower]]) {
    for (const a of links[u]) for (const b of links[v]) gain += Math.sign(end(a) - end(b));
  }
  return gain;
}

/** Where a vertex would be between its neighbors in the next layer, or else in the other one. */
function barycenter(v, near, far, position, lengths) {
  const links = near[v].length ? near[v] : far[v];
  let sum = 0;
  for (const { source, target, out, into } of links) {
    sum += target === v
      ? (position[source] + out) / lengths[source] : (position[target] + into) / lengths[target];
  }
  return links.length ? sum / links.length : (position[v] + 0.5) / lengths[v];
}

function countCrossings(layers, below, position) {
  let total = 0;
  for (const layer of layers) {
    const ends = [];
    for (const v of layer) {
      for (const link of below[v]) {
        ends.push([position[v] + link.out, position[link.target] + link.into]);
      }
    }
    ends.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    const seen = [];
    for (const [, end] of ends) {
      let low = 0;
      let high = seen.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (seen[middle] <= end) low = middle + 1; else high = middle;
      }
      total += seen.length - low;
      seen.splice(low, 0, end);
    }
  }
  return total;
}
