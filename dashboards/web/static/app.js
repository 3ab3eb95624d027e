// Draws the charts of a page; everything else is HTML. Colours come from app.css, numbers from the server.
"use strict";

const drawn = new Map();

// A custom property may be light-dark(…): only the colour of an element says which of the two it is.
function colour(name) {
  const probe = document.createElement("i");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

function dataset(series, index, plan) {
  const line = colour(`--series-${index % 8}`);
  return {
    label: series.name,
    data: series.values,
    shown: series.shown,
    borderColor: line,
    backgroundColor: plan.kind === "bar" || plan.stacked ? line : "transparent",
    borderWidth: plan.kind === "bar" ? 0 : 2,
    pointRadius: series.values.length > 40 ? 0 : 2,
    tension: 0,
    fill: plan.stacked && plan.kind === "line",
  };
}

function axes(plan) {
  const ink = colour("--soft"), rule = colour("--rule");
  const ticks = { color: ink, maxRotation: 0, autoSkip: true };
  return {
    x: { stacked: plan.stacked, ticks, grid: { display: false } },
    y: { stacked: plan.stacked, beginAtZero: true, ticks: { color: ink, precision: 0 }, grid: { color: rule } },
  };
}

function draw(canvas) {
  const plan = JSON.parse(canvas.dataset.chart);
  drawn.get(canvas)?.destroy();
  drawn.set(canvas, new Chart(canvas, {
    type: plan.kind,
    data: { labels: plan.labels, datasets: plan.series.map((one, index) => dataset(one, index, plan)) },
    options: {
      animation: false,
      responsive: true,
      maintainAspectRatio: false,
      locale: document.documentElement.lang,
      interaction: { mode: "index", intersect: false },
      scales: axes(plan),
      plugins: {
        legend: { display: plan.series.length > 1, labels: { color: colour("--ink"), boxWidth: 12, boxHeight: 12 } },
        tooltip: { callbacks: { label: (item) => `${item.dataset.label}: ${item.dataset.shown[item.dataIndex]}` } },
      },
    },
  }));
}

function drawAll() {
  for (const canvas of drawn.keys()) {
    if (!canvas.isConnected) {
      drawn.get(canvas).destroy();
      drawn.delete(canvas);
    }
  }
  document.querySelectorAll("canvas[data-chart]").forEach((canvas) => drawn.has(canvas) || draw(canvas));
  document.documentElement.dataset.drawn = String(drawn.size);
}

document.addEventListener("DOMContentLoaded", drawAll);
document.addEventListener("htmx:after:swap", drawAll);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => [...drawn.keys()].forEach(draw));
