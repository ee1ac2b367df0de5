// Places for the boxes and lines of a layered drawing.

const BEND_WIDTH = 4;
const BOX_GAP = 18;
const BEND_GAP = 11;
const LAYER_GAP = 30;
const PLACE_SWEEPS = 20;

/**
 * Places boxes of the given sizes in layers, from top to bottom along the edges.
 * Boxes are numbered in an order that respects the edges; `bottom` go to the last layer.
 */
function layOut(sizes, edges, bottom = new Set()) {
  const { layers, chains, links, total } = layerVertices(sizes.length, edges, bottom);
  const widths = sizes.map(([width]) => width);
  while (widths.length < total) widths.push(BEND_WIDTH);
  const centers = findCenters(layers, links, chains, widths, sizes.length);
  let left = Infinity;
  let right = 0;
  centers.forEach((c, v) => { left = Math.min(left, c - widths[v] / 2); });
  for (let v = 0; v < total; v += 1) {
    centers[v] -= left;
    right = Math.max(right, centers[v] + widths[v] / 2);
  }
  const level = new Array(total).fill(0);
  layers.forEach((layer, i) => layer.forEach((v) => { level[v] = i; }));
  const { tops, heights } = findTops(layers, links, level, sizes, centers, widths);
  const corners = sizes.map(([width], v) => [centers[v] - width / 2, tops[level[v]]]);
  const routes = edges.map((edge, i) => {
    const [x, y] = corners[edge.source];
    const [width, height] = sizes[edge.source];
    const start = x + width * edge.out;
    const points = [[start, y + height]];
    const floor = tops[level[edge.source]] + heights[level[edge.source]];
    if (y + height < floor) points.push([start, floor]);
    for (const v of chains[i].slice(1, -1)) {
      points.push([centers[v], tops[level[v]]], [centers[v], tops[level[v]] + heights[level[v]]]);
    }
    points.push([corners[edge.target][0] + sizes[edge.target][0] * edge.into, corners[edge.target][1]]);
    return points;
  });
  const height = tops.length ? tops.at(-1) + heights.at(-1) : 0;
  return { corners, routes, width: sizes.length ? right : 0, height };
}

function findTops(layers, links, level, sizes, centers, widths) {
  const heights = layers.map((layer) => layer.reduce(
    (most, v) => (v < sizes.length ? Math.max(most, sizes[v][1]) : most), 0));
  const spans = new Array(layers.length).fill(0);
  for (const link of links) {
    const start = centers[link.source] + (link.out - 0.5) * widths[link.source];
    const end = centers[link.target] + (link.into - 0.5) * widths[link.target];
    const i = level[link.source];
    spans[i] = Math.max(spans[i], Math.abs(end - start));
  }
  const tops = [];
  let y = 0;
  heights.forEach((height, i) => {
    tops.push(y);
    y += height + LAYER_GAP + Math.min(spans[i] * 0.06, 40);
  });
  return { tops, heights };
}

/** Centers such that lines are short and straight: isotonic regression, layer by layer. */
function findCenters(layers, links, chains, widths, count) {
  const above = widths.map(() => []);
  const below = widths.map(() => []);
  for (const { source, target, out, into } of links) {
    const shift = (out - 0.5) * widths[source] - (into - 0.5) * widths[target];
    const pull = [1, 2, 8][(source >= count) + (target >= count)];
    above[target].push([source, shift, pull]);
    below[source].push([target, -shift, pull]);
  }
  const both = widths.map((_, v) => [...above[v], ...below[v]]);
  const chainOf = new Map();
  for (const chain of chains) {
    for (const v of chain.slice(1, -1)) {
      if (!chainOf.has(v) || chainOf.get(v).length < chain.length) chainOf.set(v, chain);
    }
  }
  const centers = new Array(widths.length).fill(0);
  for (const layer of layers) placeLayer(layer, widths, count, centers, () => [0, 1]);
  for (let sweep = 0; sweep < PLACE_SWEEPS; sweep += 1) {
    const down = sweep % 2 === 0;
    const pulls = sweep >= PLACE_SWEEPS - 4 ? both : down ? above : below;
    const straight = sweep >= PLACE_SWEEPS / 2;
    const wish = (v) => {
      if (straight && chainOf.has(v)) {
        const inner = chainOf.get(v).slice(1, -1);
        return [inner.reduce((sum, u) => sum + centers[u], 0) / inner.length, 4];
      }
      let sum = 0;
      let total = 0;
      for (const [u, shift, pull] of pulls[v]) {
        sum += (centers[u] + shift) * pull;
        total += pull;
      }
      return total ? [sum / total, total] : [centers[v], 0.05];
    };
    for (const layer of down ? layers : layers.slice().reverse()) {
      placeLayer(layer, widths, count, centers, wish);
    }
  }
  return centers;
}

/** Pool adjacent violators: the least squares fit of wishes minus offsets by a rising sequence. */
function placeLayer(layer, widths, count, centers, wish) {
  const offsets = [];
  let offset = 0;
  layer.forEach((v, i) => {
    if (i) {
      const u = layer[i - 1];
      offset += (widths[u] + widths[v]) / 2 + (u >= count || v >= count ? BEND_GAP : BOX_GAP);
    }
    offsets.push(offset);
  });
  const blocks = [];
  layer.forEach((v, i) => {
    const [target, pull] = wish(v);
    let block = { mean: target - offsets[i], total: pull, size: 1 };
    while (blocks.length && blocks.at(-1).mean > block.mean) {
      const other = blocks.pop();
      const total = block.total + other.total;
      block = {
        mean: (block.mean * block.total + other.mean * other.total) / total,
        total, size: block.size + other.size,
      };
    }
    blocks.push(block);
  });
  let i = 0;
  for (const block of blocks) {
    for (let k = 0; k < block.size; k += 1, i += 1) centers[layer[i]] = block.mean + offsets[i];
  }
}
