// Search: nodes whose op, names, types, attributes or place hold every word.

function searchText(graph, node) {
  if (node.text === undefined) {
    const names = [...node.results, ...node.operands].map((v) => graph.values[v].name);
    const types = node.results.map((v) => graph.values[v].type);
    node.text = [node.op, ...names, ...types, node.attributes, placeText(node.place)]
      .join(" ").toLowerCase();
  }
  return node.text;
}

/** All nodes of a graph, and of its regions, that match; in program order. */
function searchNodes(graph, query) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return [];
  const found = [];
  for (const one of walk(graph)) {
    const text = searchText(one.graph, one.node);
    if (words.every((word) => text.includes(word))) found.push(one);
  }
  return found;
}
