"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const SVG = "http://www.w3.org/2000/svg";
  const words = { sure: "sure", doubtful: "doubtful", left: "left over" };
  const pressed = new Set();
  const rows = { old: [], new: [] };
  const lines = [];
  let chosen = null;

  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }

  const certainty = (pair) => (pair === null ? "left" : data.pairs[pair].sure ? "sure" : "doubtful");

  // ---- the trees: a scope for each part of a name that several layers share

  function tree(side) {
    const root = { children: new Map(), rows: [] };
    data[side].forEach((layer, at) => {
      let node = root;
      const parts = layer.name.split("/");
      for (const part of parts.slice(0, -1)) {
        if (!node.children.has(part)) node.children.set(part, { children: new Map(), rows: [] });
        node = node.children.get(part);
      }
      node.rows.push({ label: parts[parts.length - 1], at });
    });
    return root;
  }

  function show(side, node, box) {
    for (const row of node.rows) box.append(layerRow(side, row.at, row.label));
    for (const [name, child] of node.children) {
      let label = name;
      let inner = child;
      while (inner.children.size + inner.rows.length === 1) {
        if (inner.rows.length) break;
        const [part, next] = inner.children.entries().next().value;
        label += "/" + part;
        inner = next;
      }
      if (inner.rows.length === 1 && inner.children.size === 0) {
        box.append(layerRow(side, inner.rows[0].at, label + "/" + inner.rows[0].label));
        continue;
      }
      const scope = make("details", { class: "scope", open: "" }, make("summary", {}, label));
      scope.addEventListener("toggle", draw);
      show(side, inner, scope);
      box.append(scope);
    }
  }

  function layerRow(side, at, label) {
    const layer = data[side][at];
    const pair = layer.pair;
    const row = make("button", { class: "layer " + certainty(pair), type: "button", title: layer.name }, label + " ", make("small", {}, layer.shapes));
    if (pair !== null) {
      const other = side === "old" ? data.new[data.pairs[pair].new] : data.old[data.pairs[pair].old];
      row.append(make("span", { class: "partner" }, (side === "old" ? "→ " : "← ") + other.name));
    }
    row.addEventListener("click", () => choose(side, at));
    rows[side][at] = row;
    return row;
  }

  // ---- lines between the trees; what is folded away is where its scope is

  function anchor(row) {
    let place = row;
    for (let scope = row.closest("details"); scope; scope = scope.parentElement.closest("details")) {
      if (!scope.open) place = scope.querySelector("summary");
    }
    const box = place.getBoundingClientRect();
    return box.height ? box.top + box.height / 2 : null;
  }

  function draw() {
    const canvas = byId("lines").getBoundingClientRect();
    if (!canvas.width) return;
    data.pairs.forEach((pair, at) => {
      const line = lines[at];
      const [one, other] = [rows.old[pair.old], rows.new[pair.new]];
      const [start, end] = one.hidden || other.hidden ? [null, null] : [anchor(one), anchor(other)];
      if (start === null || end === null) {
        line.setAttribute("d", "");
        return;
      }
      const [a, b, middle] = [start - canvas.top, end - canvas.top, canvas.width / 2];
      line.setAttribute("d", `M0 ${a}C${middle} ${a} ${middle} ${b} ${canvas.width} ${b}`);
    });
  }

  function choose(side, at) {
    for (const element of document.querySelectorAll(".chosen")) element.classList.remove("chosen");
    const layer = data[side][at];
    const same = chosen === layer;
    chosen = same ? null : layer;
    const box = byId("evidence");
    box.hidden = same;
    if (same) return;
    rows[side][at].classList.add("chosen");
    box.className = certainty(layer.pair);
    if (layer.pair === null) {
      box.replaceChildren(make("p", {}, layer.name + " is left over: nothing on the other side is like it."));
      return;
    }
    const pair = data.pairs[layer.pair];
    rows.old[pair.old].classList.add("chosen");
    rows.new[pair.new].classList.add("chosen");
    lines[layer.pair].classList.add("chosen");
    const told = [data.old[pair.old].name + " → " + data.new[pair.new].name, words[certainty(layer.pair)] + ": " + pair.why];
    if (pair.rival) told.push("runner-up: " + pair.rival);
    box.replaceChildren(...told.map((text) => make("p", {}, text)));
  }

  // ---- search and filters

  function text(side, at) {
    const layer = data[side][at];
    const pair = layer.pair === null ? null : data.pairs[layer.pair];
    const others = pair ? [data.old[pair.old].name, data.new[pair.new].name, pair.why] : [];
    return [layer.name, layer.shapes, ...others].join(" ").toLowerCase();
  }

  function filter() {
    const wanted = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const side of ["old", "new"]) {
      data[side].forEach((layer, at) => {
        const found = wanted.every((word) => text(side, at).includes(word));
        const visible = found && (pressed.size === 0 || pressed.has(certainty(layer.pair)));
        rows[side][at].hidden = !visible;
        shown += visible;
      });
    }
    for (const scope of [...document.querySelectorAll("details.scope")].reverse()) {
      scope.hidden = !scope.querySelector(".layer:not([hidden])");
    }
    byId("shown").textContent = `${shown} of ${data.old.length + data.new.length} layers`;
    draw();
  }

  function count(kind) {
    if (kind !== "left") return data.pairs.filter((pair) => pair.sure === (kind === "sure")).length;
    return [...data.old, ...data.new].filter((layer) => layer.pair === null).length;
  }

  function start() {
    byId("head").textContent = data.title;
    for (const line of data.summary) byId("summary").append(make("li", {}, line));
    byId("table").textContent = data.table;
    for (const kind of ["sure", "doubtful", "left"]) {
      const number = count(kind);
      const button = make("button", { type: "button", class: kind, "aria-pressed": "false" }, `${number} ${words[kind]}`);
      button.disabled = number === 0;
      button.addEventListener("click", () => {
        if (!pressed.delete(kind)) pressed.add(kind);
        button.setAttribute("aria-pressed", String(pressed.has(kind)));
        filter();
      });
      byId("counts").append(button);
    }
    for (const side of ["old", "new"]) show(side, tree(side), byId(side));
    data.pairs.forEach((pair, at) => {
      const line = document.createElementNS(SVG, "path");
      line.setAttribute("class", certainty(at));
      lines.push(line);
      byId("lines").append(line);
    });
    byId("search").addEventListener("input", filter);
    addEventListener("resize", draw);
    byId("draft").addEventListener("toggle", draw);
    filter();
    document.documentElement.dataset.ready = "true";
  }

  start();
})();
