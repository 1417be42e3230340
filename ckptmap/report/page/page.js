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

  // command, verdict and facts are in the page already
  function showHead() {
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
      const path = make("td", { class: "name", "data-label": "" }, one.line ? one.path + " (line " + one.line + ")" : one.path);
      const values = [["old", one.old], ["new", one.new || "(remove)"]].map(([label, text]) => make("td", { class: "name", "data-label": label }, text));
      byId("edits").querySelector("tbody").append(make("tr", {}, ...[path, ...values, make("td", { "data-label": "why" }, one.reason)].filter((_, place) => used[place])));
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

  // ---- the treemap: area is the number of parameters, color the fate

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
      const tell = () => { byId("hint").textContent = describe(whole.name, node); };
      for (const event of ["focus", "pointerenter", "pointerdown"]) cell.addEventListener(event, tell);
      cell.addEventListener("click", () => { tell(); enter(whole.name, node); });
      box.append(cell);
    });
    showPath();
    showModules(items);
  }

  // look inside a module, or search for a variable; what had the focus is gone then: the last step of the path gets it
  function enter(name, node) {
    if (node.row) byId("search").value = node.row.name;
    else { trail.push({ name, node }); showMap(); byId("path").lastChild.focus(); }
    remember(!node.row);
    if (node.row) showVariables();
  }

  // the same as a list: narrow tiles have no room for a name
  function showModules(items) {
    const sorted = items.slice().sort((a, b) => b.size - a.size);
    byId("modules").querySelector("ul").replaceChildren(...sorted.map((node) => {
      const whole = merged(node);
      const button = make("button", { type: "button" }, make("span", { class: "name" }, whole.name), make("span", { class: "soft" }, parameters(node.size)));
      button.addEventListener("click", () => enter(whole.name, node));
      return make("li", {}, button);
    }));
  }

  // ---- the address: #module=backbone&module=block_1&find=kernel leads there again

  function remember(step) {
    const state = new URLSearchParams(trail.map((one) => ["module", one.name]));
    if (byId("search").value) state.set("find", byId("search").value);
    const address = "#" + state;
    if (address === (location.hash || "#")) return;
    if (step) history.pushState(null, "", address);
    else history.replaceState(null, "", address);
  }

  function recall() {
    const state = new URLSearchParams(location.hash.slice(1));
    trail = [];
    for (const name of state.getAll("module")) {
      const inside = merged(trail.length ? trail[trail.length - 1].node : data.tree).children;
      const node = inside.find((one) => merged(one).name === name);
      if (!node) break;
      trail.push({ name, node });
    }
    byId("search").value = state.get("find") || "";
  }

  function showPath() {
    const nav = byId("path");
    nav.replaceChildren();
    ["all", ...trail.map((step) => step.name)].forEach((name, depth) => {
      const button = make("button", { type: "button" }, name);
      if (depth === trail.length) button.setAttribute("aria-current", "true");
      button.addEventListener("click", () => { trail = trail.slice(0, depth); showMap(); remember(true); byId("path").lastChild.focus(); });
      if (depth) nav.append(" / ");
      nav.append(button);
    });
  }

  // ---- the folded table

  const chosen = new Set();
  const opened = new Set();
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
    const line = (row) => make("tr", {}, ...used.map((name) => {
      const value = row.record[name];
      const cell = make("td", { "data-label": words(name) }, value === null ? "" : String(value));
      if (name === "name" || name === "key" || name === "source") cell.className = "name";
      return cell;
    }));
    const body = make("tbody", {}, ...rows.map(line));
    const heads = used.map((name) => make("th", { scope: "col" }, make("button", { type: "button" }, words(name))));
    heads.forEach((head, place) => head.firstChild.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      for (const one of heads) one.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const sorted = rows.slice().sort((a, b) => compare(a.record[used[place]], b.record[used[place]]) * (down ? -1 : 1));
      body.replaceChildren(...sorted.map(line));
    }));
    return make("div", { class: "wide" }, make("table", {}, make("thead", {}, make("tr", {}, ...heads)), body));
  }

  // numbers by their value, texts as people count in them (conv_2 before conv_10), nothing last
  function compare(a, b) {
    if (a === b) return 0;
    if (a === null || a === "") return 1;
    if (b === null || b === "") return -1;
    return typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true });
  }

  const sum = (rows) => rows.reduce((total, row) => total + (row.parameters || 0), 0);
  const worstOf = (rows) => Math.min(...rows.map((row) => row.level));
  const orders = {
    level: (a, b) => worstOf(a[1]) - worstOf(b[1]),
    name: (a, b) => compare(a[0].label, b[0].label),
    count: (a, b) => b[1].length - a[1].length,
    parameters: (a, b) => sum(b[1]) - sum(a[1]),
  };

  function showVariables() {
    const rows = matching();
    const grouped = new Map();
    for (const row of rows) {
      if (!grouped.has(row.group)) grouped.set(row.group, []);
      grouped.get(row.group).push(row);
    }
    byId("shown").textContent = number(rows.length) + " of " + number(data.rows.length) + " " + data.unit + "s" + (data.folded ? ", " + number(grouped.size) + (grouped.size === 1 ? " group" : " groups") : "");
    const ordered = [...grouped].map(([group, members]) => [data.groups[group], members]);
    ordered.sort(orders[byId("order").value]);
    byId("groups").replaceChildren(...ordered.slice(0, limit).map(([group, members]) => folded(group, members)));
    if (ordered.length > limit) {
      const more = make("button", { type: "button", class: "more" }, number(ordered.length - limit) + " more");
      more.addEventListener("click", () => {
        const before = limit;
        limit += STEP;
        showVariables();
        byId("groups").children[before].querySelector("summary").focus();
      });
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
    const fill = () => { if (details.children.length === 1) details.append(table(members)); };
    details.addEventListener("toggle", () => {
      if (details.open) { opened.add(group); fill(); } else opened.delete(group);
    });
    if (opened.has(group)) { fill(); details.open = true; }
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
    recall();
    showVariables();
    byId("search").addEventListener("input", () => { limit = STEP; showVariables(); remember(false); });
    byId("order").addEventListener("change", () => { limit = STEP; showVariables(); });
    addEventListener("popstate", () => { recall(); limit = STEP; showVariables(); if (data.tree.size) showMap(); });
    byId("map").hidden = data.tree.size === 0;
    if (data.tree.size) {
      showMap();
      let width = byId("treemap").clientWidth;
      addEventListener("resize", () => {
        if (byId("treemap").clientWidth === width) return;
        width = byId("treemap").clientWidth;
        const place = [...byId("treemap").children].indexOf(document.activeElement);
        showMap();
        if (place >= 0) byId("treemap").children[place]?.focus();
      });
    }
    document.documentElement.dataset.ready = "true";
  }

  start();
})();
