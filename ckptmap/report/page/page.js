"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const levels = new Map(data.counts.map((one) => [one.side + "/" + one.fate, one.level]));
  const words = (text) => text.replaceAll("_", " ");
  const byId = (id) => document.getElementById(id);
  const number = (value) => value.toLocaleString("en");

  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }

  function parameters(count) {
    if (count < 1000) return String(count);
    return count < 1e6 ? (count / 1e3).toFixed(1) + " k" : (count / 1e6).toFixed(1) + " M";
  }

  // ---- head, messages, edits

  function showHead() {
    byId("command").textContent = data.title + ": " + data.subject;
    const verdict = byId("verdict");
    verdict.textContent = data.verdict;
    if (!data.passed) verdict.className = "failed";
    for (const [label, value] of data.facts) byId("facts").append(make("dt", {}, label), make("dd", {}, value));
    for (const one of data.messages) {
      const item = make("li", { class: "level-" + one.level });
      if (one.where) item.append(make("code", { class: "where" }, one.where + ": "));
      item.append(one.text);
      if (one.hint) item.append(make("span", { class: "soft" }, " (" + one.hint + ")"));
      byId("messages").querySelector("ul").append(item);
    }
    byId("messages").hidden = data.messages.length === 0;
    const used = ["path", "old", "new", "reason"].map((name) => data.edits.some((one) => one[name]));
    byId("edits").querySelectorAll("th").forEach((head, place) => { head.hidden = !used[place]; });
    for (const one of data.edits) {
      const path = make("td", { class: "name" }, one.line ? one.path + " (line " + one.line + ")" : one.path);
      const values = [one.old, one.new || "(remove)"].map((text) => make("td", { class: "name" }, text));
      byId("edits").querySelector("tbody").append(make("tr", {}, ...[path, ...values, make("td", {}, one.reason)].filter((_, place) => used[place])));
    }
    byId("edits").querySelector(".wide").hidden = data.edits.length === 0;
    for (const line of data.advice) byId("advice").append(make("li", {}, line));
    byId("edits").hidden = data.edits.length + data.advice.length === 0;
    for (const one of data.pictures) {
      const image = make("img", { src: encodeURI(one.file), alt: one.caption, loading: "lazy" });
      byId("pictures").append(make("figure", {}, image, make("figcaption", {}, one.caption)));
    }
    byId("pictures").hidden = data.pictures.length === 0;
    byId("units").textContent = data.unit[0].toUpperCase() + data.unit.slice(1) + "s";
  }

  // ---- the treemap: area is the number of parameters, colour the fate

  function tree() {
    const root = { name: "", size: 0, children: new Map(), row: null };
    for (const row of data.rows) {
      if (!row.parameters || row.side === "source") continue;
      let node = root;
      root.size += row.parameters;
      const parts = row.name.split("/");
      if (row.record.part) parts.unshift(words(row.record.part));
      for (const part of parts) {
        if (!node.children.has(part)) node.children.set(part, { name: part, size: 0, children: new Map(), row: null });
        node = node.children.get(part);
        node.size += row.parameters;
      }
      node.row = row;
    }
    return root;
  }

  // one path of modules that each hold a single other one is a single step
  function merged(node) {
    let here = node;
    let name = node.name;
    while (here.children.size === 1 && !here.row) {
      here = here.children.values().next().value;
      name = name ? name + "/" + here.name : here.name;
    }
    return { name, size: here.size, row: here.row, children: [...here.children.values()] };
  }

  function worst(aspect, row, side, sum) {
    const area = sum * sum;
    return Math.max((side * side * row[0]) / area, area / (side * side * row[row.length - 1])) * aspect;
  }

  // squarified treemap (Bruls, Huizing, van Wijk 2000): rectangles as near to squares as they get
  function squarify(items, x, y, width, height, place) {
    const total = items.reduce((sum, item) => sum + item.size, 0);
    if (!total || width <= 0 || height <= 0) return;
    const scale = (width * height) / total;
    const rest = items.slice().sort((a, b) => b.size - a.size);
    while (rest.length) {
      const side = Math.min(width, height);
      const row = [];
      let sum = 0;
      while (rest.length) {
        const area = rest[0].size * scale;
        const areas = row.map((item) => item.size * scale);
        if (row.length && worst(1, [...areas, area], side, sum + area) > worst(1, areas, side, sum)) break;
        row.push(rest.shift());
        sum += area;
      }
      const depth = side ? sum / side : 0;
      let along = 0;
      for (const item of row) {
        const length = depth ? (item.size * scale) / depth : 0;
        if (width >= height) place(item, x, y + along, depth, length);
        else place(item, x + along, y, length, depth);
        along += length;
      }
      if (width >= height) { x += depth; width -= depth; } else { y += depth; height -= depth; }
    }
  }

  function paintLeaves(box, node, x, y, width, height) {
    if (width < 2 || height < 2) return;
    if (node.row) {
      const leaf = make("i", { class: "level-" + node.row.level });
      Object.assign(leaf.style, { left: x + "px", top: y + "px", width: width + "px", height: height + "px", background: "var(--tone)" });
      box.append(leaf);
    }
    squarify([...node.children.values()], x, y, width, height, (child, ...at) => paintLeaves(box, child, ...at));
  }

  function fates(node, met = new Map()) {
    if (node.row) met.set(node.row.fate, (met.get(node.row.fate) || 0) + 1);
    for (const child of node.children.values()) fates(child, met);
    return met;
  }

  function describe(name, node) {
    const met = [...fates(node)].map(([fate, count]) => number(count) + " " + words(fate)).join(", ");
    return name + ": " + parameters(node.size) + " parameters, " + met;
  }

  let trail = [];

  function showMap() {
    const root = trail.length ? trail[trail.length - 1].node : data.tree;
    const shown = merged(root);
    const box = byId("treemap");
    box.replaceChildren();
    const items = shown.row ? [{ name: shown.name, size: shown.size, row: shown.row, children: new Map() }] : shown.children;
    squarify(items, 0, 0, box.clientWidth, box.clientHeight, (node, x, y, width, height) => {
      const whole = merged(node);
      const cell = make("button", { type: "button", title: describe(whole.name, node), class: node.row ? "level-" + node.row.level : "" });
      Object.assign(cell.style, { left: x + "px", top: y + "px", width: width + "px", height: height + "px" });
      cell.style.background = node.row ? "var(--tone)" : "var(--soft)";
      paintLeaves(cell, node, 0, 0, width - 2, height - 2);
      if (width > 46 && height > 18) {
        cell.append(make("span", {}, whole.name));
      } else cell.setAttribute("aria-label", whole.name);
      cell.addEventListener("click", () => {
        byId("hint").textContent = describe(whole.name, node);
        if (!node.row) { trail.push({ name: whole.name, node }); showMap(); }
        else { byId("search").value = node.row.name; showVariables(); }
      });
      box.append(cell);
    });
    showPath();
  }

  function showPath() {
    const nav = byId("path");
    nav.replaceChildren();
    ["all", ...trail.map((step) => step.name)].forEach((name, depth) => {
      const button = make("button", { type: "button" }, name);
      button.addEventListener("click", () => { trail = trail.slice(0, depth); showMap(); });
      if (depth) nav.append(" / ");
      nav.append(button);
    });
  }

  // ---- the folded table

  const chosen = new Set();
  const STEP = 100;
  let limit = STEP;

  function showCounts() {
    for (const one of data.counts) {
      const label = [one.side, words(one.fate)].filter(Boolean).join(" ");
      const button = make("button", { type: "button", class: "level-" + one.level, "aria-pressed": "false" }, number(one.count) + " " + label);
      button.disabled = one.count === 0;
      button.addEventListener("click", () => {
        const key = one.side + "/" + one.fate;
        if (!chosen.delete(key)) chosen.add(key);
        button.setAttribute("aria-pressed", String(chosen.has(key)));
        limit = STEP;
        showVariables();
      });
      byId("counts").append(button);
    }
  }

  function matching() {
    const wanted = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    return data.rows.filter((row) => {
      if (chosen.size && !chosen.has(row.side + "/" + row.fate)) return false;
      return wanted.every((word) => row.text.includes(word));
    });
  }

  function table(rows) {
    const used = data.columns.filter((name) => name !== "side" && rows.some((row) => row.record[name] !== null && row.record[name] !== ""));
    const head = make("tr", {}, ...used.map((name) => make("th", {}, words(name))));
    const body = rows.map((row) => make("tr", {}, ...used.map((name) => {
      const value = row.record[name];
      const cell = make("td", { "data-label": words(name) }, value === null ? "" : String(value));
      if (name === "name" || name === "key" || name === "source") cell.className = "name";
      return cell;
    })));
    return make("div", { class: "wide" }, make("table", {}, make("thead", {}, head), make("tbody", {}, ...body)));
  }

  function showVariables() {
    const rows = matching();
    const grouped = new Map();
    for (const row of rows) {
      if (!grouped.has(row.group)) grouped.set(row.group, []);
      grouped.get(row.group).push(row);
    }
    byId("shown").textContent = number(rows.length) + " of " + number(data.rows.length) + " " + data.unit + "s" + (data.folded ? ", " + number(grouped.size) + (grouped.size === 1 ? " group" : " groups") : "");
    const ordered = [...grouped].map(([group, members]) => [data.groups[group], members]);
    ordered.sort((a, b) => Math.min(...a[1].map((row) => row.level)) - Math.min(...b[1].map((row) => row.level)));
    byId("groups").replaceChildren(...ordered.slice(0, limit).map(([group, members]) => folded(group, members)));
    if (ordered.length > limit) {
      const more = make("button", { type: "button", class: "more" }, number(ordered.length - limit) + " more");
      more.addEventListener("click", () => { limit += STEP; showVariables(); });
      byId("groups").append(more);
    }
  }

  function folded(group, members) {
    const met = new Map();
    for (const row of members) met.set(row.fate, (met.get(row.fate) || 0) + 1);
    const counts = [...met].map(([fate, count]) => (data.folded ? number(count) + " " : "") + words(fate)).join(", ");
    const level = Math.min(...members.map((row) => row.level));
    const summary = make("summary", {}, make("span", { class: "name" }, group.label), make("span", { class: "count" }, (group.side ? group.side + ": " : "") + counts));
    const details = make("details", { class: "level-" + level }, summary);
    details.addEventListener("toggle", () => {
      if (details.open && details.children.length === 1) details.append(table(members));
    });
    return details;
  }

  function start() {
    for (const row of data.rows) {
      row.record = Object.fromEntries(data.columns.map((name, place) => [name, row.cells[place]]));
      row.level = row.level ?? levels.get(row.side + "/" + row.fate);
      row.text = row.cells.filter((cell) => typeof cell === "string").join(" ").toLowerCase();
    }
    data.tree = tree();
    showHead();
    showCounts();
    showVariables();
    byId("search").addEventListener("input", () => { limit = STEP; showVariables(); });
    byId("map").hidden = data.tree.size === 0;
    if (data.tree.size) {
      showMap();
      let width = byId("treemap").clientWidth;
      addEventListener("resize", () => {
        if (byId("treemap").clientWidth !== width) { width = byId("treemap").clientWidth; showMap(); }
      });
    }
    document.documentElement.dataset.ready = "true";
  }

  start();
})();
