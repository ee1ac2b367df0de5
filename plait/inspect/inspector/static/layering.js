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
  let fresh = count;
  const chains = edges.map((edge) => {
    const chain = [edge.source];
    const first = ranks[edge.source] + 1;
    if (fresh - count + ranks[edge.target] - first <= MOST_BENDS) {
      for (let level = first; level < ranks[edge.target]; level += 1) {
        layers[level].push(fresh);
        chain.push(fresh);
        fresh += 1;
      }
    }
    chain.push(edge.target);
    return chain;
  });
  const links = [];
  edges.forEach((edge, i) => {
    const chain = chains[i];
    for (let k = 0; k + 1 < chain.length; k += 1) {
      links.push({
        source: chain[k], target: chain[k + 1],
        out: k === 0 ? edge.out : 0.5,
        into: k === chain.length - 2 ? edge.into : 0.5,
      });
    }
  });
  return { layers: orderLayers(layers, links, fresh), chains, links, total: fresh };
}

function orderLayers(layers, links, total) {
  const above = Array.from({ length: total }, () => []);
  const below = Array.from({ length: total }, () => []);
  for (const link of links) {
    above[link.target].push(link);
    below[link.source].push(link);
  }
  const position = new Array(total).fill(0);
  const place = (layer) => layer.forEach((v, i) => { position[v] = i; });
  layers.forEach(place);
  let best = layers.map((layer) => layer.slice());
  let fewest = countCrossings(layers, below, position);
  for (let sweep = 0; sweep < ORDER_SWEEPS && fewest > 0; sweep += 1) {
    const down = sweep % 2 === 0;
    for (const layer of down ? layers : layers.slice().reverse()) {
      const keys = new Map();
      for (const v of layer) keys.set(v, barycenter(v, down ? above : below, position));
      layer.sort((a, b) => keys.get(a) - keys.get(b) || position[a] - position[b]);
      place(layer);
    }
    const crossings = countCrossings(layers, below, position);
    if (crossings < fewest) {
      best = layers.map((layer) => layer.slice());
      fewest = crossings;
    }
  }
  return best;
}

function barycenter(v, neighbors, position) {
  let sum = 0;
  for (const link of neighbors[v]) {
    sum += link.target === v ? position[link.source] + link.out : position[link.target] + link.into;
  }
  return neighbors[v].length ? sum / neighbors[v].length : position[v] + 0.5;
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
