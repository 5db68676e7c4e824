"use strict";
// Put an interactive chart in place of each drawing: drag to zoom, double-click to see all, point to read values.
// Without scripts, and on paper, the drawings stay.
(() => {
  const root = document.documentElement;
  const ink = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  const colour = (index) => ink("--m" + index);
  const read = (value) => (value == null ? "–" : Number(value.toPrecision(4)).toString());

  const bands = (marked) => (plot) => {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.globalAlpha = 0.15;
    for (const [begin, end, index] of marked) {
      const left = Math.max(plot.valToPos(begin, "x", true), bbox.left);
      const right = Math.min(plot.valToPos(end, "x", true), bbox.left + bbox.width);
      ctx.fillStyle = colour(index);
      if (right > left) ctx.fillRect(left, bbox.top, Math.max(right - left, 1), bbox.height);
    }
    ctx.restore();
  };

  const axis = () => ({
    stroke: ink("--quiet"), grid: { stroke: ink("--rule"), width: 1 },
    ticks: { stroke: ink("--rule"), width: 1 },
  });

  const drawn = (box) => {
    const said = JSON.parse(box.querySelector("script").textContent);
    const curves = said.curves.map((curve) => ({
      label: curve.name, stroke: colour(curve.colour), width: 1.8, points: { show: false },
      value: (_plot, value) => read(value),
    }));
    const options = {
      width: box.clientWidth, height: 260,
      scales: { x: { time: false }, y: { range: (_plot, _low, high) => [0, high > 0 ? high * 1.05 : 1] } },
      axes: [axis(), axis()],
      cursor: { sync: said.bands.length ? { key: "machine" } : undefined },
      hooks: { drawClear: [bands(said.bands)] },
      series: [{ label: said.x, value: (_plot, value) => read(value) }, ...curves],
    };
    return new uPlot(options, uPlot.join(said.curves.map((curve) => [curve.xs, curve.ys])), box);
  };

  const plots = new Map();
  const redraw = () => {
    for (const box of document.querySelectorAll(".chart")) {
      plots.get(box)?.destroy();
      box.classList.add("drawn");
      plots.set(box, drawn(box));
    }
  };
  const resized = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      if (target.clientWidth) plots.get(target)?.setSize({ width: target.clientWidth, height: 260 });
    }
  });
  redraw();
  for (const box of plots.keys()) resized.observe(box);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
})();
