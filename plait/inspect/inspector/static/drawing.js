// The graph as SVG. Of large scenes only what is in sight is in the document.

const SVG = "http://www.w3.org/2000/svg";
/** Scenes up to this many boxes and lines are in the document as a whole. */
const ALWAYS = 1200;

function svgElement(name, attributes = {}, text = null) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== null) made.textContent = text;
  return made;
}

function edgePath(points) {
  const round = (x) => Math.round(x * 10) / 10;
  let path = `M${round(points[0][0])} ${round(points[0][1])}`;
  for (let i = 1; i < points.length; i += 1) {
    const [[x0, y0], [x1, y1]] = [points[i - 1], points[i]].map((p) => p.map(round));
    const middle = round((y0 + y1) / 2);
    path += x0 === x1 ? `V${y1}` : `C${x0} ${middle} ${x1} ${middle} ${x1} ${y1}`;
  }
  return path;
}

class Drawing {
  /** `hooks`: classOf, shadeOf, badgesOf, isNear, click(box or null, isDouble), hover(item or null). */
  constructor(container, hooks) {
    this.container = container;
    this.hooks = hooks;
    this.svg = svgElement("svg", { role: "img" });
    this.world = svgElement("g");
    this.svg.append(this.world);
    container.prepend(this.svg);
    this.scene = { boxes: [], items: [], edges: [], width: 0, height: 0 };
    this.x = 0;
    this.y = 0;
    this.scale = 1;
    this.shown = new Map();
    this.isPending = false;
    this.listen();
    new ResizeObserver(() => this.moved()).observe(container);
  }

  /** Draws a scene in the place of the one before. */
  show(scene) {
    this.scene = scene;
    this.world.replaceChildren();
    this.shown.clear();
    // Lines lie above all boxes, as they also run inside of open ones.
    const lines = scene.edges.map((edge) => ({ edge, bounds: boundsOf(edge.points) }));
    this.layers = [scene.items, lines].map((items) => {
      const layer = svgElement("g");
      this.world.append(layer);
      return { items, layer };
    });
    this.apply();
  }

  size() { return [this.container.clientWidth || 1, this.container.clientHeight || 1]; }

  fit() {
    const [width, height] = this.size();
    const { scene } = this;
    const scale = Math.min((width - 40) / (scene.width || 1), (height - 40) / (scene.height || 1), 1.15);
    this.scale = Math.max(scale, 0.0005);
    this.x = (width - scene.width * this.scale) / 2;
    this.y = Math.max(20, (height - scene.height * this.scale) / 2);
    this.moved();
  }

  /** Fits what is small; of what is large shows the top at a size that can be read. */
  start() {
    this.fit();
    if (this.scale >= 0.5) return;
    const [width] = this.size();
    this.scale = Math.min(0.75, Math.max(0.5, (width - 40) / (this.scene.width || 1)));
    this.x = (width - this.scene.width * this.scale) / 2;
    this.y = 20;
    this.moved();
  }

  zoom(factor, x = this.size()[0] / 2, y = this.size()[1] / 2) {
    const scale = Math.min(4, Math.max(0.0005, this.scale * factor));
    this.x = x - (x - this.x) * (scale / this.scale);
    this.y = y - (y - this.y) * (scale / this.scale);
    this.scale = scale;
    this.moved();
  }

  pan(dx, dy) {
    this.x += dx;
    this.y += dy;
    this.moved();
  }

  /** Brings a box into sight, unless it is there and can be read. */
  reveal(box, isForced = false) {
    const [width, height] = this.size();
    const left = this.x + box.left * this.scale;
    const top = this.y + box.top * this.scale;
    const isInside = left > 0 && top > 0 && left + box.width * this.scale < width
      && top + Math.min(box.height, 60) * this.scale < height;
    if (isInside && this.scale > 0.4 && !isForced) return;
    this.scale = Math.max(this.scale, 0.7);
    this.x = width / 2 - (box.left + box.width / 2) * this.scale;
    this.y = height / 2 - (box.top + Math.min(box.height / 2, 100)) * this.scale;
    this.moved();
  }

  moved() {
    if (this.isPending) return;
    this.isPending = true;
    requestAnimationFrame(() => { if (this.isPending) this.apply(); });
  }

  /** Puts what is in sight into the document, and takes out what is not. */
  apply() {
    this.isPending = false;
    this.world.setAttribute("transform", `translate(${this.x} ${this.y}) scale(${this.scale})`);
    this.svg.classList.toggle("far", this.scale < 0.28);
    if (!this.layers) return;
    const [width, height] = this.size();
    const margin = 200 / this.scale;
    const left = -this.x / this.scale - margin;
    const top = -this.y / this.scale - margin;
    const right = left + width / this.scale + 2 * margin;
    const bottom = top + height / this.scale + 2 * margin;
    const isWhole = this.scene.items.length + this.scene.edges.length <= ALWAYS;
    for (const { items, layer } of this.layers) {
      let before = null;
      for (const item of items) {
        const [x, y, w, h] = item.bounds;
        const isSeen = isWhole || (x < right && x + w > left && y < bottom && y + h > top);
        let element = this.shown.get(item);
        if (isSeen && !element) {
          element = this.make(item);
          this.shown.set(item, element);
          if (before) before.after(element); else layer.prepend(element);
        } else if (!isSeen && element) {
          element.remove();
          this.shown.delete(item);
          element = null;
        }
        if (element) before = element;
      }
    }
  }

  make(item) {
    if (item.frame) return frameElement(item.frame);
    const element = item.box ? boxElement(item.box, this.hooks) : edgeElement(item.edge);
    element.plaitItem = item;
    this.dress(item, element);
    return element;
  }

  /** Gives an element the classes of the present state. */
  dress(item, element) {
    if (item.edge) {
      const { edge } = item;
      const isNear = this.hooks.isNear(edge);
      element.setAttribute("class", `edge ${edge.kind}${isNear ? " near" : ""}`);
    } else if (item.box) {
      element.setAttribute("class", `box ${this.hooks.classOf(item.box)}`);
      const shade = this.hooks.shadeOf(item.box);
      if (shade) element.style.setProperty("--shade", shade); else element.removeAttribute("style");
    }
  }

  /** After a change of selection, search or colors. */
  refresh() { for (const [item, element] of this.shown) this.dress(item, element); }

  listen() {
    const { svg } = this;
    let drag = null;
    let last = { time: -1e9, item: null };
    svg.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      drag = { x: event.clientX, y: event.clientY, isMoved: false, target: event.target };
      svg.setPointerCapture(event.pointerId);
    });
    svg.addEventListener("pointermove", (event) => {
      if (!drag) return this.pointAt(event);
      const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y];
      if (!drag.isMoved && Math.abs(dx) + Math.abs(dy) < 4) return undefined;
      drag = { ...drag, isMoved: true, x: event.clientX, y: event.clientY };
      svg.classList.add("dragging");
      this.pan(dx, dy);
      return undefined;
    });
    svg.addEventListener("pointerup", (event) => {
      svg.classList.remove("dragging");
      if (drag && !drag.isMoved) {
        const isDouble = event.timeStamp - last.time < 400 && last.item === this.itemAt(drag.target);
        last = { time: isDouble ? -1e9 : event.timeStamp, item: this.itemAt(drag.target) };
        this.click(drag.target, event, isDouble);
      }
      drag = null;
    });
    svg.addEventListener("pointercancel", () => { drag = null; });
    svg.addEventListener("pointerleave", () => this.hooks.hover(null, null));
    svg.addEventListener("wheel", (event) => {
      event.preventDefault();
      const bounds = svg.getBoundingClientRect();
      if (!event.ctrlKey && !event.metaKey) return this.pan(-event.deltaX, -event.deltaY);
      const factor = Math.exp(-event.deltaY * (event.deltaMode ? 0.06 : 0.004));
      return this.zoom(factor, event.clientX - bounds.left, event.clientY - bounds.top);
    }, { passive: false });
  }

  itemAt(target) {
    const element = target.closest?.(".box, .edge");
    return element?.plaitItem ?? null;
  }

  /** Whether a pointer is on the head of a box, not on what is inside of it. */
  isOnHead(box, event) {
    const y = (event.clientY - this.svg.getBoundingClientRect().top - this.y) / this.scale;
    return !(box.level || box.panels) || y < box.top + box.header;
  }

  pointAt(event) {
    const item = this.itemAt(event.target);
    const isHead = item && (!item.box || this.isOnHead(item.box, event));
    this.hooks.hover(isHead ? item : null, event);
  }

  click(target, event, isDouble = false) {
    const box = this.itemAt(target)?.box;
    this.hooks.click(box && this.isOnHead(box, event) ? box : null, isDouble);
  }
}

function boundsOf(points) {
  const xs = points.map((p) => p[0]);
  const ys = points.map((p) => p[1]);
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  return [left, top, Math.max(...xs) - left, Math.max(...ys) - top];
}

function frameElement(frame) {
  const made = svgElement("g");
  made.append(
    svgElement("rect", { class: "frame", x: frame.x, y: frame.y, width: frame.width, height: frame.height }),
    svgElement("text", { class: "frame-label", x: frame.x + 9, y: frame.y + 15 }, frame.label),
  );
  return made;
}

function boxElement(box, hooks) {
  const made = svgElement("g", { transform: `translate(${box.left} ${box.top})` });
  if (box.kind === "port") {
    made.append(svgElement("circle", { cx: 3.5, cy: 3.5, r: 3.5 }));
    return made;
  }
  if (box.node) made.dataset.node = box.key;
  if (box.group) made.dataset.group = box.key;
  made.append(svgElement("rect", { width: box.width, height: box.height }));
  const isOpen = box.level || box.panels;
  box.lines.forEach((line, i) => {
    const where = isOpen ? { x: 10 } : { x: box.width / 2, "text-anchor": "middle" };
    made.append(svgElement("text", { ...where, y: 17.5 + i * LINE_HEIGHT, class: i ? "small" : "" }, line));
  });
  let x = box.width - 4;
  for (const [kind, text] of hooks.badgesOf(box)) {
    made.append(svgElement("text", { x, y: -4, "text-anchor": "end", class: `badge-${kind}` }, text));
    x -= text.length * 7 + 6;
  }
  return made;
}

function edgeElement(edge) {
  return svgElement("path", { d: edgePath(edge.points) });
}
