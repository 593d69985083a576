"use strict";
// Names are foreign text: they reach the page through textContent and fillText only.
(() => {
  const $ = (id) => document.getElementById(id);
  const D = JSON.parse($("data").textContent);
  const bytes = (s) => Uint8Array.from(atob(s), (c) => c.charCodeAt(0));
  const u2 = (s) => new Uint16Array(bytes(s).buffer);
  const i4 = (s) => new Int32Array(bytes(s).buffer);
  const N = D.texts.length, XY = u2(D.xy), CLUSTER = i4(D.cluster), NEAR = i4(D.near);
  for (const t of D.tasks) { t.said = u2(t.said); t.answered = bytes(t.answered); t.score = bytes(t.score); }
  for (const c of D.columns) { if (c.kinds) c.codes = u2(c.codes); else c.scaled = bytes(c.scaled); }
  const X = new Float32Array(N), Y = new Float32Array(N);
  for (let i = 0; i < N; i++) { X[i] = XY[2 * i] / 65535; Y[i] = 1 - XY[2 * i + 1] / 65535; }
  const fresh = new Set(D.fresh);

  // Where we look: the map point in the middle of the screen, and pixels per map unit.
  const view = { x: 0.5, y: 0.5, k: 1 };
  let W = 1, H = 1, ratio = 1, base = 1, target = null, lasso = null, lassoOn = false;
  let hover = -1, selected = [], marked = [], query = "", drag = null, frame = 0;
  const chosen = new Uint8Array(N);
  const points = $("points"), overlay = $("overlay"), pen = overlay.getContext("2d");
  const sx = (x) => (x - view.x) * view.k + W / 2, sy = (y) => (y - view.y) * view.k + H / 2;
  const mx = (x) => (x - W / 2) / view.k + view.x, my = (y) => (y - H / 2) / view.k + view.y;
  const size = () => Math.min(9, Math.max(1.6, 2.1 * Math.sqrt(view.k / base) * Math.pow(2e4 / Math.max(N, 500), 0.22)));
  const say = (text) => { $("say").textContent = text; };
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const node = (tag, text, cls) => { const e = document.createElement(tag); if (text !== undefined) e.textContent = text; if (cls) e.className = cls; return e; };

  // Colours.
  const dark = () => document.documentElement.dataset.theme === "dark";
  const hex = (s) => [1, 3, 5].map((i) => parseInt(s.slice(i, i + 2), 16));
  const KINDS = ["#3b6fe0", "#e0672f", "#2f9e63", "#c43d6b", "#8a5bd6", "#c79a14", "#1e9fb4", "#8c6242", "#5f7d1d", "#d458b4", "#4f5ba6", "#b5483a"].map(hex);
  const RAMP = ["#414487", "#2a788e", "#22a884", "#7ad151", "#f0d32c"].map(hex);
  const ramp = (t) => { const p = t * (RAMP.length - 1), i = Math.min(RAMP.length - 2, p | 0), f = p - i; return RAMP[i].map((v, c) => Math.round(v + (RAMP[i + 1][c] - v) * f)); };
  const spin = (i) => { // one hue a cluster, neighbours in number far apart on the wheel
    const h = ((i * 0.61803398875) % 1) * 6, s = 0.62, l = (dark() ? 0.66 : 0.5) - 0.06 * (i % 3), a = s * Math.min(l, 1 - l);
    return [0, 8, 4].map((n) => { const k = (n + h * 2) % 12; return Math.round(255 * (l - a * Math.max(-1, Math.min(k - 3, 9 - k, 1)))); });
  };
  const WAYS = [{ name: "cluster", kind: "cluster" }];
  for (const t of D.tasks) { WAYS.push({ name: t.name, kind: "label", of: t }); WAYS.push({ name: t.name + " score", kind: "score", of: t }); }
  for (const c of D.columns) WAYS.push({ name: c.name, kind: c.kinds ? "kinds" : "number", of: c });
  const coded = (codes, names, absent) => {
    const counts = new Map();
    for (let i = 0; i < N; i++) { const c = codes(i); if (c >= 0) counts.set(c, (counts.get(c) || 0) + 1); }
    const other = names.length - 1;
    const order = [...counts.keys()].filter((c) => !(absent === "other" && c === other)).sort((a, b) => counts.get(b) - counts.get(a)).slice(0, KINDS.length);
    const paint = new Map(order.map((c, i) => [c, KINDS[i]]));
    let rest = N; for (const c of order) rest -= counts.get(c);
    return { at: (i) => paint.get(codes(i)), legend: order.map((c) => [paint.get(c), names[c], counts.get(c)]).concat(rest ? [[null, absent, rest]] : []) };
  };
  const scheme = () => {
    const way = WAYS[$("by").selectedIndex] || WAYS[0], of = way.of;
    if (way.kind === "cluster") return { at: (i) => CLUSTER[i] < 0 ? undefined : spin(CLUSTER[i]), legend: D.clusters.slice(0, 9).map((c, i) => [spin(i), c.name, c.size]) };
    if (way.kind === "label") return coded((i) => of.answered[i] ? of.said[i] : -1, of.labels.concat([""]), "abstains");
    if (way.kind === "score") return { at: (i) => ramp(of.score[i] / 255), legend: [0, 0.25, 0.5, 0.75, 1].map((t) => [ramp(t), t.toFixed(2), ""]) };
    if (way.kind === "kinds") return way.name === "new" ? news(of) : coded((i) => of.codes[i], of.kinds, "other");
    const show = (t) => (of.low + t * (of.high - of.low)).toPrecision(4);
    return { at: (i) => of.scaled[i] === 255 ? undefined : ramp(of.scaled[i] / 254), legend: [0, 0.25, 0.5, 0.75, 1].map((t) => [ramp(t), show(t), ""]) };
  };
  const news = (of) => {
    const is = of.kinds.indexOf("new"); let n = 0;
    for (let i = 0; i < N; i++) n += of.codes[i] === is;
    return { at: (i) => of.codes[i] === is ? [214, 41, 62] : undefined, legend: [[[214, 41, 62], "new", n], [null, "known", N - n]] };
  };
  let RGBA = new Uint8Array(4 * N), legend = [];
  const recolour = () => {
    const s = scheme(), rest = hex(css("--rest")); legend = s.legend;
    const dim = query || selected.length;
    for (let i = 0; i < N; i++) {
      const c = s.at(i), p = c || rest;
      RGBA[4 * i] = p[0]; RGBA[4 * i + 1] = p[1]; RGBA[4 * i + 2] = p[2];
      RGBA[4 * i + 3] = dim && !chosen[i] ? 34 : chosen[i] ? 255 : c ? 215 : 130;
    }
    const box = $("legend"); box.replaceChildren();
    for (const [c, name, n] of legend) {
      const row = node("div"); row.setAttribute("role", "listitem");
      const dot = node("span", "", "dot"); dot.style.background = c ? `rgb(${c})` : "var(--rest)";
      row.append(dot, node("span", name), node("span", typeof n === "number" ? n.toLocaleString("en") : n)); box.append(row);
    }
    paint.load(); redraw();
  };

  // Points: WebGL where a graphics card draws it, else pixels on a plain canvas, which is far faster
  // than WebGL in software. With #webgl at the end of the address WebGL is taken in any case.
  const shader = (gl, kind, code) => { const s = gl.createShader(kind); gl.shaderSource(s, code); gl.compileShader(s); return s; };
  const inSoftware = () => { // some browsers do not own up to it as a performance caveat: ask the renderer too
    const gl = document.createElement("canvas").getContext("webgl", { failIfMajorPerformanceCaveat: true });
    if (!gl) return true;
    const more = gl.getExtension("WEBGL_debug_renderer_info");
    return /swiftshader|llvmpipe|softpipe|software|basic render/i.test(gl.getParameter(more ? more.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
  };
  const byWebGL = () => {
    if (location.hash !== "#webgl" && inSoftware()) return null;
    const gl = points.getContext("webgl", { alpha: true, antialias: false, premultipliedAlpha: true });
    if (!gl) return null;
    const program = gl.createProgram();
    gl.attachShader(program, shader(gl, gl.VERTEX_SHADER, "attribute vec2 p; attribute vec4 c; uniform vec4 v; uniform float s; varying vec4 k; void main(){ gl_Position = vec4((p - v.xy) * v.zw, 0.0, 1.0); gl_PointSize = s; k = c; }"));
    gl.attachShader(program, shader(gl, gl.FRAGMENT_SHADER, "precision mediump float; varying vec4 k; void main(){ float d = length(gl_PointCoord - 0.5); float a = k.a * (1.0 - smoothstep(0.36, 0.5, d)); if (a < 0.01) discard; gl_FragColor = vec4(k.rgb * a, a); }"));
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) return null;
    gl.useProgram(program); gl.enable(gl.BLEND); gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    const xy = new Float32Array(2 * N); for (let i = 0; i < N; i++) { xy[2 * i] = X[i]; xy[2 * i + 1] = Y[i]; }
    const attach = (name, data, n, kind, norm) => { const b = gl.createBuffer(), at = gl.getAttribLocation(program, name); gl.bindBuffer(gl.ARRAY_BUFFER, b); gl.bufferData(gl.ARRAY_BUFFER, data, gl.DYNAMIC_DRAW); gl.enableVertexAttribArray(at); gl.vertexAttribPointer(at, n, kind, norm, 0, 0); return b; };
    attach("p", xy, 2, gl.FLOAT, false);
    const colours = attach("c", RGBA, 4, gl.UNSIGNED_BYTE, true);
    const v = gl.getUniformLocation(program, "v"), s = gl.getUniformLocation(program, "s");
    return {
      load: () => { gl.bindBuffer(gl.ARRAY_BUFFER, colours); gl.bufferSubData(gl.ARRAY_BUFFER, 0, RGBA); },
      draw: () => { gl.viewport(0, 0, points.width, points.height); gl.clearColor(0, 0, 0, 0); gl.clear(gl.COLOR_BUFFER_BIT); gl.uniform4f(v, view.x, view.y, 2 * view.k / W, -2 * view.k / H); gl.uniform1f(s, (size() + 1) * ratio); gl.drawArrays(gl.POINTS, 0, N); },
    };
  };
  const byCanvas = () => {
    const c = points.getContext("2d", { alpha: false });
    let image = null, words = null, px = null, w = 0, h = 0, s = 1, insets = [];
    const dot = (i) => { // a disc of s pixels, blended over what is there
      const left = Math.round(sx(X[i]) * ratio - s / 2), top = Math.round(sy(Y[i]) * ratio - s / 2);
      const r = RGBA[4 * i], g = RGBA[4 * i + 1], b = RGBA[4 * i + 2], a = RGBA[4 * i + 3] / 255;
      for (let row = Math.max(0, -top); row < s && top + row < h; row++) {
        const from = Math.max(0, left + insets[row]), to = Math.min(w, left + s - insets[row]);
        for (let p = 4 * ((top + row) * w + from), end = 4 * ((top + row) * w + to); p < end; p += 4) {
          px[p] += (r - px[p]) * a; px[p + 1] += (g - px[p + 1]) * a; px[p + 2] += (b - px[p + 2]) * a;
        }
      }
    };
    return { load: () => {}, draw: () => {
      if (!image || points.width !== w || points.height !== h) {
        w = points.width; h = points.height; image = c.createImageData(w, h);
        px = image.data; words = new Uint32Array(px.buffer);
      }
      [px[0], px[1], px[2], px[3]] = [...hex(css("--ground")), 255]; words.fill(words[0]);
      s = Math.max(1, Math.round(size() * ratio));
      insets = Array.from({ length: s }, (_, row) => { const d = Math.abs(row + 0.5 - s / 2), half = Math.sqrt(Math.max(0, s * s / 4 - d * d)); return s < 4 ? 0 : Math.round(s / 2 - half); });
      const corners = [mx(-s), my(-s), mx(W + s), my(H + s)];
      if (!(query || selected.length)) within(...corners, dot);
      else for (const top of [0, 1]) within(...corners, (i) => { if (chosen[i] === top) dot(i); });
      c.putImageData(image, 0, 0);
    } };
  };
  const paint = byWebGL() || byCanvas();

  // A grid over the points, so that the one under the pointer is found at once.
  const G = Math.max(1, Math.min(512, Math.round(Math.sqrt(N)))), cellOf = (v) => Math.max(0, Math.min(G - 1, Math.floor(v * G)));
  const starts = new Uint32Array(G * G + 1), inCells = new Uint32Array(N);
  for (let i = 0; i < N; i++) starts[cellOf(Y[i]) * G + cellOf(X[i]) + 1]++;
  for (let i = 0; i < G * G; i++) starts[i + 1] += starts[i];
  { const at = starts.slice(); for (let i = 0; i < N; i++) inCells[at[cellOf(Y[i]) * G + cellOf(X[i])]++] = i; }
  const within = (x0, y0, x1, y1, visit) => {
    for (let gy = cellOf(y0); gy <= cellOf(y1); gy++) for (let gx = cellOf(x0); gx <= cellOf(x1); gx++)
      for (let j = starts[gy * G + gx]; j < starts[gy * G + gx + 1]; j++) visit(inCells[j]);
  };
  const under = (px, py) => {
    const r = 12 / view.k, x = mx(px), y = my(py); let best = -1, least = r * r;
    within(x - r, y - r, x + r, y + r, (i) => { const d = (X[i] - x) ** 2 + (Y[i] - y) ** 2; if (d < least) { least = d; best = i; } });
    return best;
  };

  // What lies over the points: names of clusters, rings, lasso.
  const overlayDraw = () => {
    pen.setTransform(ratio, 0, 0, ratio, 0, 0); pen.clearRect(0, 0, W, H);
    const ink = css("--ink"), halo = css("--halo"), zoom = view.k / base, taken = [];
    const most = Math.min(D.clusters.length, Math.round(14 * Math.pow(zoom, 1.6)));
    pen.textAlign = "center"; pen.textBaseline = "middle"; pen.lineJoin = "round";
    const rank = D.clusters.map((_, c) => c).sort((a, b) => fresh.has(b) - fresh.has(a));
    const cards = ["panel", "selection", "tools"].map($).filter((e) => !e.hidden).map((e) => e.getBoundingClientRect());
    const covers = (x, y, w) => cards.some((r) => x + w > r.left && x - w < r.right && y + 9 > r.top && y - 9 < r.bottom);
    const loud = query || selected.length ? 0.35 : 1; // names step back behind what is searched
    let shown = 0;
    for (const c of rank) {
      if (shown >= most) break;
      const at = D.clusters[c], y = sy(1 - at.xy[1]); let x = sx(at.xy[0]);
      if (x < 0 || y < 0 || x > W || y > H) continue;
      pen.font = `600 ${at.size > N / 60 ? 13 : 11.5}px system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif`;
      const name = at.name.length > 44 ? at.name.slice(0, 43) + "…" : at.name, w = pen.measureText(name).width / 2 + 8;
      x = Math.max(w, Math.min(W - w, x));
      if (covers(x, y, w) || taken.some(([a, b, v]) => Math.abs(a - x) < v + w && Math.abs(b - y) < 19)) continue;
      taken.push([x, y, w]); shown++;
      pen.strokeStyle = halo; pen.lineWidth = 4; pen.globalAlpha = 0.9 * loud; pen.strokeText(name, x, y); pen.globalAlpha = loud;
      pen.fillStyle = fresh.has(c) ? "#d6293e" : ink; pen.fillText(name, x, y); pen.globalAlpha = 1;
    }
    const ring = (i, r, colour) => { pen.beginPath(); pen.arc(sx(X[i]), sy(Y[i]), r, 0, 7); pen.strokeStyle = colour; pen.lineWidth = 1.6; pen.stroke(); };
    const accent = css("--accent");
    if (marked.length <= 2000) for (const i of marked) ring(i, 4.5, accent);
    if (hover >= 0) {
      for (let m = 0; m < D.nearest; m++) { const j = NEAR[hover * D.nearest + m]; pen.beginPath(); pen.moveTo(sx(X[hover]), sy(Y[hover])); pen.lineTo(sx(X[j]), sy(Y[j])); pen.strokeStyle = accent; pen.lineWidth = 0.7; pen.globalAlpha = 0.6; pen.stroke(); pen.globalAlpha = 1; ring(j, 4, accent); }
      ring(hover, 7, ink);
    }
    if (lasso) { pen.beginPath(); lasso.forEach(([x, y], i) => i ? pen.lineTo(x, y) : pen.moveTo(x, y)); pen.closePath(); pen.fillStyle = accent; pen.globalAlpha = 0.12; pen.fill(); pen.globalAlpha = 1; pen.strokeStyle = accent; pen.lineWidth = 1.5; pen.stroke(); }
  };
  const redraw = () => { if (!frame) frame = requestAnimationFrame(() => { frame = 0; step(); paint.draw(); overlayDraw(); }); };
  const step = () => {
    if (!target) return;
    const f = matchMedia("(prefers-reduced-motion: reduce)").matches ? 1 : 0.25;
    const k = view.k * Math.pow(target.k / view.k, f); view.x += (target.x - view.x) * f; view.y += (target.y - view.y) * f; view.k = k;
    if (Math.abs(target.k / view.k - 1) < 0.002 && Math.hypot(target.x - view.x, target.y - view.y) * view.k < 0.5) { Object.assign(view, target); target = null; } else setTimeout(redraw, 0);
  };
  const limit = (k) => Math.max(base * 0.5, Math.min(base * 400, k));
  const go = (x, y, k) => { target = { x, y, k: limit(k) }; redraw(); };
  const zoom = (f, px = W / 2, py = H / 2) => { target = null; const x = mx(px), y = my(py); view.k = limit(view.k * f); view.x += x - mx(px); view.y += y - my(py); redraw(); };
  const home = () => { const left = W > 900 ? 280 : 0; go(0.5 - left / 2 / base, 0.5, base); };
  const resize = () => {
    const before = base; W = innerWidth; H = innerHeight; ratio = devicePixelRatio || 1;
    for (const c of [points, overlay]) { c.width = W * ratio; c.height = H * ratio; }
    base = 0.94 * Math.min(W > 900 ? W - 280 : W, H); view.k *= base / before; redraw();
  };

  // Hover.
  const show = (i, px, py) => {
    const box = $("hover"); hover = i; box.hidden = i < 0; redraw();
    if (i < 0) return;
    box.replaceChildren(node("b", D.texts[i]));
    if (CLUSTER[i] >= 0) box.append(node("p", D.clusters[CLUSTER[i]].name, "soft"));
    for (const t of D.tasks) { const s = (t.score[i] / 255).toFixed(2), l = t.labels[t.said[i]]; box.append(node("p", t.answered[i] ? `${t.name}: ${l} ${s}` : `${t.name}: abstains (${l} ${s})`)); }
    for (const c of D.columns) if (c.kinds && c.name !== "top-level domain") box.append(node("p", `${c.name}: ${c.kinds[c.codes[i]]}`));
    if (D.nearest) box.append(node("p", "near: " + [...NEAR.slice(i * D.nearest, (i + 1) * D.nearest)].map((j) => D.texts[j]).join(", "), "soft"));
    const r = box.getBoundingClientRect();
    box.style.left = Math.max(8, px + 18 + r.width > W ? px - r.width - 18 : px + 18) + "px"; box.style.top = Math.max(8, Math.min(H - r.height - 8, py + 14)) + "px";
  };

  // Selecting.
  const SHOWN = 500;
  const choose = (indices, what) => {
    selected = indices; chosen.fill(0); for (const i of indices) chosen[i] = 1; for (const i of marked) chosen[i] = 1;
    $("selection").hidden = !indices.length; $("count").textContent = `${indices.length.toLocaleString("en")} selected`;
    $("list").replaceChildren(...indices.slice(0, SHOWN).map((i) => node("li", D.texts[i])));
    if (indices.length > SHOWN) $("list").append(node("li", `and ${(indices.length - SHOWN).toLocaleString("en")} more`));
    recolour(); if (what) say(`${indices.length} texts selected ${what}`);
  };
  const inside = (ring) => {
    const poly = ring.map(([x, y]) => [mx(x), my(y)]), found = [];
    const xs = poly.map((p) => p[0]), ys = poly.map((p) => p[1]);
    within(Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys), (i) => {
      let odd = false;
      for (let a = 0, b = poly.length - 1; a < poly.length; b = a++) { const [xa, ya] = poly[a], [xb, yb] = poly[b]; if (ya > Y[i] !== yb > Y[i] && X[i] < (xb - xa) * (Y[i] - ya) / (yb - ya) + xa) odd = !odd; }
      if (odd) found.push(i);
    });
    return found.sort((a, b) => a - b);
  };
  const text = () => selected.map((i) => D.texts[i]).join("\n") + "\n";
  const search = (jump) => {
    query = $("search").value.trim().toLowerCase(); marked = [];
    if (query) for (let i = 0; i < N; i++) if (D.texts[i].toLowerCase().includes(query)) marked.push(i);
    choose(selected); say(query ? `${marked.length} texts match` : "");
    $("facts").textContent = query ? `${marked.length.toLocaleString("en")} of ${N.toLocaleString("en")} match` : summary;
    if (jump && marked.length) {
      let x0 = 1, x1 = 0, y0 = 1, y1 = 0;
      for (const i of marked) { x0 = Math.min(x0, X[i]); x1 = Math.max(x1, X[i]); y0 = Math.min(y0, Y[i]); y1 = Math.max(y1, Y[i]); }
      go((x0 + x1) / 2, (y0 + y1) / 2, Math.min(base * 20, 0.8 * base / Math.max(x1 - x0, y1 - y0, 0.01)));
    }
  };
  const lassoMode = (on) => { lassoOn = on; $("lasso").setAttribute("aria-pressed", on); overlay.classList.toggle("lasso", on); };

  // Hands.
  const pointers = new Map();
  overlay.addEventListener("pointerdown", (e) => {
    overlay.setPointerCapture(e.pointerId); pointers.set(e.pointerId, [e.clientX, e.clientY]); target = null; overlay.focus({ preventScroll: true });
    if (lassoOn || e.shiftKey) lasso = [[e.clientX, e.clientY]]; else { drag = [e.clientX, e.clientY]; overlay.classList.add("dragging"); }
  });
  overlay.addEventListener("pointermove", (e) => {
    const was = pointers.get(e.pointerId);
    if (was && pointers.size === 2) { const [other] = [...pointers].filter(([id]) => id !== e.pointerId).map(([, p]) => p); const d = (p) => Math.hypot(p[0] - other[0], p[1] - other[1]); zoom(d([e.clientX, e.clientY]) / Math.max(d(was), 1), other[0], other[1]); }
    else if (lasso) { lasso.push([e.clientX, e.clientY]); redraw(); }
    else if (drag) { view.x -= (e.clientX - drag[0]) / view.k; view.y -= (e.clientY - drag[1]) / view.k; drag = [e.clientX, e.clientY]; redraw(); }
    else show(under(e.clientX, e.clientY), e.clientX, e.clientY);
    if (was) pointers.set(e.pointerId, [e.clientX, e.clientY]);
  });
  const release = (e) => {
    pointers.delete(e.pointerId); drag = null; overlay.classList.remove("dragging");
    if (lasso) { const ring = lasso; lasso = null; lassoMode(false); if (ring.length > 2) choose(inside(ring), "with the lasso"); }
  };
  overlay.addEventListener("pointerup", release); overlay.addEventListener("pointercancel", release);
  overlay.addEventListener("pointerleave", () => { if (!drag && !lasso) show(-1); });
  overlay.addEventListener("wheel", (e) => { e.preventDefault(); zoom(Math.exp(-e.deltaY * (e.deltaMode ? 0.05 : 0.0016)), e.clientX, e.clientY); }, { passive: false });
  overlay.addEventListener("dblclick", (e) => zoom(2, e.clientX, e.clientY));
  document.addEventListener("keydown", (e) => {
    if (e.key === "Escape") { if (lasso || lassoOn) { lasso = null; lassoMode(false); } $("search").value = ""; marked = []; query = ""; choose([]); search(false); show(-1); overlay.focus(); return; }
    if (e.target.matches("input, select, textarea") || e.ctrlKey || e.metaKey || e.altKey) return;
    const move = { ArrowLeft: [-80, 0], ArrowRight: [80, 0], ArrowUp: [0, -80], ArrowDown: [0, 80] }[e.key];
    if (move) { target = null; view.x += move[0] / view.k; view.y += move[1] / view.k; redraw(); }
    else if (e.key === "+" || e.key === "=") zoom(1.4);
    else if (e.key === "-") zoom(1 / 1.4);
    else if (e.key === "0") home();
    else if (e.key === "/") $("search").focus();
    else if (e.key === "l" || e.key === "L") lassoMode(!lassoOn);
    else return;
    e.preventDefault();
  });
  let waiting = 0;
  $("search").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(search, 150, false); });
  $("search").addEventListener("keydown", (e) => { if (e.key === "Enter") { clearTimeout(waiting); search(true); } });
  $("by").addEventListener("change", recolour);
  $("in").addEventListener("click", () => zoom(1.5)); $("out").addEventListener("click", () => zoom(1 / 1.5)); $("home").addEventListener("click", home);
  $("lasso").addEventListener("click", () => lassoMode(!lassoOn)); $("clear").addEventListener("click", () => choose([]));
  $("save").addEventListener("click", () => { const a = node("a"); a.href = URL.createObjectURL(new Blob([text()], { type: "text/plain" })); a.download = "selected.txt"; a.click(); setTimeout(() => URL.revokeObjectURL(a.href), 1000); });
  $("copy").addEventListener("click", async () => {
    // From a file there may be no clipboard; then the old way through a text field.
    try { await navigator.clipboard.writeText(text()); } catch { const area = node("textarea"); area.value = text(); document.body.append(area); area.select(); document.execCommand("copy"); area.remove(); }
    say("copied");
  });
  const theme = (name) => { document.documentElement.dataset.theme = name; recolour(); };
  $("theme").addEventListener("click", () => theme(dark() ? "light" : "dark"));
  const wish = matchMedia("(prefers-color-scheme: dark)");
  wish.addEventListener("change", () => theme(wish.matches ? "dark" : "light"));

  const q = D.quality, summary = `${N.toLocaleString("en")} texts, ${D.clusters.length} clusters` + (q.trustworthiness === undefined ? "" : ` · trust ${q.trustworthiness.toFixed(3)}`);
  $("facts").textContent = summary; document.title = $("title").textContent = D.title;
  WAYS.forEach((w) => $("by").append(node("option", w.name)));
  D.columns.forEach((c) => { if (c.name === "new") $("by").selectedIndex = WAYS.findIndex((w) => w.of === c); });
  $("browse").addEventListener("toggle", () => {
    if (!$("browse").open || $("clusters").childElementCount) return;
    D.clusters.forEach((c, i) => {
      const item = node("li"), button = node("button", `${c.name}, ${c.size.toLocaleString("en")}`); button.type = "button"; button.title = c.name;
      button.addEventListener("click", () => { go(c.xy[0], 1 - c.xy[1], base * 5); const own = []; for (let j = 0; j < N; j++) if (CLUSTER[j] === i) own.push(j); choose(own, `in ${c.name}`); });
      item.append(button); $("clusters").append(item);
    });
  });
  resize(); view.k = base; view.x = 0.5 - (W > 900 ? 140 / base : 0); view.y = 0.5;
  addEventListener("resize", resize); theme(wish.matches ? "dark" : "light");
  document.documentElement.dataset.ready = "yes";
})();
