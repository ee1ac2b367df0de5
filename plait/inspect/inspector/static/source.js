// The source on the left: functions with their lines; lines of nodes are linked both ways.

class SourcePane {
  /** `hooks`: hover(place key or null), pick(place key). */
  constructor(container, hooks) {
    this.container = container;
    this.hooks = hooks;
    this.rows = new Map();
    this.counts = new Map();
    this.hot = [];
    this.picked = null;
    this.build();
    container.addEventListener("pointerover", (event) => {
      hooks.hover(event.target.closest?.(".row.used")?.dataset.place ?? null);
    });
    container.addEventListener("pointerleave", () => hooks.hover(null));
    container.addEventListener("click", (event) => {
      const row = event.target.closest?.(".row.used");
      if (row) hooks.pick(row.dataset.place);
    });
  }

  build() {
    let file = null;
    for (const [name, first, text] of DATA.sources) {
      if (name !== file) this.container.append(textElement("h2", name));
      file = name;
      const part = textElement("div", "", "part");
      text.split("\n").forEach((line, i) => part.append(this.row(name, first + i, line)));
      this.container.append(part);
    }
    this.addUnknown();
  }

  row(file, line, text) {
    const key = `${file}:${line}`;
    const made = textElement("div", "", "row");
    made.dataset.place = key;
    made.append(
      textElement("span", "", "count"), textElement("span", String(line), "number"),
      textElement("span", text || " ", "text"),
    );
    this.rows.set(key, made);
    return made;
  }

  /** Lines of nodes whose source is not at hand. */
  addUnknown() {
    const missing = PLACES.filter((place) => !this.rows.has(place.key));
    if (!PLACES.length) {
      this.container.append(textElement("div", "The nodes of this graph carry no lines of source.", "note"));
    } else if (missing.length) {
      this.container.append(textElement("h2", "lines without source"));
      const part = textElement("div", "", "part");
      for (const place of missing) {
        if (!this.rows.has(place.key)) part.append(this.row(place.file, place.line, placeText(place)));
      }
      this.container.append(part);
    }
  }

  /** Counts the nodes of each line in the graph that is shown. */
  show(graph) {
    this.counts.clear();
    for (const { node } of walk(graph)) {
      if (node.place) this.counts.set(node.place.key, (this.counts.get(node.place.key) ?? 0) + 1);
    }
    for (const [key, row] of this.rows) {
      const count = this.counts.get(key) ?? 0;
      row.classList.toggle("used", count > 0);
      row.firstChild.textContent = count > 1 ? `×${count}` : "";
      row.title = count ? plural(count, "node") : "";
    }
  }

  /** Marks lines that the pointer is at, here or in the graph. */
  light(keys, isScrolling = false) {
    for (const row of this.hot) row.classList.remove("hot");
    this.hot = keys.map((key) => this.rows.get(key)).filter(Boolean);
    for (const row of this.hot) row.classList.add("hot");
    if (isScrolling) this.scrollTo(this.hot[0]);
  }

  /** Marks the line of the node that is chosen. */
  pick(key) {
    this.picked?.classList.remove("picked");
    this.picked = (key && this.rows.get(key)) || null;
    this.picked?.classList.add("picked");
    this.scrollTo(this.picked);
  }

  scrollTo(row) {
    if (!row) return;
    const [own, outer] = [row.getBoundingClientRect(), this.container.getBoundingClientRect()];
    if (own.top < outer.top + 30 || own.bottom > outer.bottom) {
      this.container.scrollTop += own.top - outer.top - outer.height / 3;
    }
  }
}

/** An element with text; text is never read as HTML. */
function textElement(name, text = "", kind = "") {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  if (kind) made.className = kind;
  return made;
}
